/** Filters of stacks as chips. The patterns are in the address. */
import { exactly } from "../flame/search.ts";
import { clip, visible } from "../flame/text.ts";
import { patch } from "../ui/state.ts";

const FILTERS = { include: "only", exclude: "without", hide: "hidden:", thread: "thread" } as const;

export type Filter = keyof typeof FILTERS;

export const isFilter = (action: string): action is Filter => action in FILTERS;

/** Adds a function to a filter. Stacks are of one thread, so another thread replaces it. */
export function addFilter(params: URLSearchParams, kind: Filter, name: string): void {
  const before = kind === "thread" ? [] : params.getAll(kind);
  patch({ [kind]: [...new Set([...before, exactly(name)])], zoom: null });
}

/** The name from which `exactly` made a pattern. */
export function readable(pattern: string): string {
  return pattern.startsWith("^") && pattern.endsWith("$") ? pattern.slice(1, -1).replace(/\\(.)/g, "$1") : pattern;
}

export function Chip({ label, drop }: { label: string; drop: () => void }) {
  return (
    <span class="chip">
      <bdi>{label}</bdi>
      <button class="plain" onClick={drop} aria-label={`Remove: ${label}`}>
        ✕
      </button>
    </span>
  );
}

/** A chip for each filter in the address. */
export function FilterChips({ params }: { params: URLSearchParams }) {
  return (
    <>
      {(Object.keys(FILTERS) as Filter[]).flatMap((kind) =>
        params.getAll(kind).map((pattern, i, all) => (
          <Chip
            key={kind + i}
            label={`${FILTERS[kind]} ${clip(visible(readable(pattern)), 80)}`}
            drop={() => patch({ [kind]: all.filter((_, at) => at !== i) })}
          />
        )),
      )}
    </>
  );
}
