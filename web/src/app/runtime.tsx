/** Runtime information: one text with a filter. */
import { useMemo } from "preact/hooks";
import type { Source } from "../data/source.ts";
import type { ProfileDetail } from "../data/types.ts";
import { plural } from "../flame/format.ts";
import { clip, visible } from "../flame/text.ts";
import { Bar, Show, useLoad } from "../ui/load.tsx";
import { copy, toast } from "../ui/parts.tsx";
import { patch, usePlace } from "../ui/state.ts";

/** A section of the text: a line that is not indented, and the indented lines below it. */
export interface Section {
  title: string;
  lines: string[];
}

export function sections(text: string): Section[] {
  const found: Section[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    if (/^\s/.test(line) && found.length > 0) found.at(-1)!.lines.push(line);
    else found.push({ title: line, lines: [] });
  }
  return found;
}

/** The lines that match, with their section; a section whose title matches stays whole. */
export function filtered(all: Section[], text: string): Section[] {
  const lower = text.trim().toLowerCase();
  if (!lower) return all;
  return all
    .map((s) => (s.title.toLowerCase().includes(lower) ? s : { ...s, lines: s.lines.filter((line) => line.toLowerCase().includes(lower)) }))
    .filter((s) => s.lines.length > 0 || s.title.toLowerCase().includes(lower));
}

export function Runtime({ id, source, profile }: { id: string; source: Source; profile: ProfileDetail }) {
  const { params } = usePlace();
  const filter = params.get("find") ?? "";
  const loaded = useLoad(`runtime ${id}`, (signal) => source.runtime(id, signal));
  const all = useMemo(() => sections(loaded.value ?? ""), [loaded.value]);
  const shown = useMemo(() => filtered(all, filter), [all, filter]);
  const text = shown.map((s) => [s.title, ...s.lines].join("\n")).join("\n\n");
  const lines = shown.reduce((n, s) => n + s.lines.length, 0);
  const save = (): void => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text + "\n"], { type: "text/plain" }));
    link.download = `${profile.service.replace(/[^\w.-]+/g, "_").slice(0, 60) || "profile"}-runtime.txt`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  return (
    <div class="runtime">
      <div class="row">
        <input type="search" placeholder="filter lines" aria-label="Filter lines" value={filter} onInput={(e) => patch({ find: e.currentTarget.value }, true)} />
        <span class="quiet" role="status">
          {loaded.value !== null && `${plural(lines, "line")} in ${plural(shown.length, "section")}`}
        </span>
        <span class="grow" />
        <button onClick={() => void copy(text).then((done) => toast(done ? "Copied" : "The browser does not allow copying here"))}>Copy</button>
        <button onClick={save}>runtime.txt</button>
      </div>
      <Bar of={loaded} />
      <Show of={loaded}>
        {() =>
          shown.length === 0 ? (
            <p class="note">{filter ? "No lines match the filter." : "This profile contains no runtime information."}</p>
          ) : (
            <div class="runtime-text" tabIndex={0} role="region" aria-label="Runtime information">
              {shown.map((s, i) => (
                <section key={i}>
                  <h2>{clip(visible(s.title), 200)}</h2>
                  {s.lines.length > 0 && (
                    <pre>
                      {s.lines.map((line, k) => (
                        <div key={k}>{clip(visible(line), 9000)}</div>
                      ))}
                    </pre>
                  )}
                </section>
              ))}
            </div>
          )
        }
      </Show>
    </div>
  );
}
