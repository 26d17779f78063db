/** Filters of stacks as chips. The patterns are in the address. */
import { exactly } from "../flame/search.ts";
import { clip, visible } from "../flame/text.ts";
import { patch } from "../ui/state.ts";

const FILTERS = { include: "only", exclude: "without", hide: "hidden:", thread: "thread" } as const;

export type Filter = keyof typeof FILTERS;

export const isFilter = (action: string): action is Filter => action in FILTERS;

/** Adds a function to a filter. One pattern of each kind holds all hidden functions, as the API takes one; of "only" the last counts. */
export function addFilter(params: URLSearchParams, kind: Filter, name: string): void {
  const before = params.get(kind);
  patch({ [kind]: before && kind !== "include" ? `${before}|${exactly(name)}` : exactly(name), zoom: null });
}

/** The patterns that were joined, as far as this page joined them. */
function alternatives(pattern: string): string[] {
  return pattern === "" ? [] : pattern.startsWith("^") ? pattern.split(/(?<=[^\\]\$)\|(?=\^)/) : [pattern];
}

/** A pattern made by `exactly` as the name that it was made from. */
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
        alternatives(params.get(kind) ?? "").map((pattern) => (
          <Chip
            key={kind + pattern}
            label={`${FILTERS[kind]} ${clip(visible(readable(pattern)), 80)}`}
            drop={() => {
              const rest = alternatives(params.get(kind) ?? "").filter((p) => p !== pattern);
              patch({ [kind]: rest.join("|") });
            }}
          />
        )),
      )}
    </>
  );
}
