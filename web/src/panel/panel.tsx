/**
 * The Profiles panel: list of types, flame graph, callers, sandwich, table, search and filters. The profile page, the flame graph of a search and
 * the pages from disk show the same panel; its state is in the address.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Source } from "../data/source.ts";
import type { FlameJson, Selection, TypeInfo, View } from "../data/types.ts";
import { addressOf, nodeAt } from "../flame/address.ts";
import { families, type ColorMode, type Legend } from "../flame/color.ts";
import { count, percent, plain, plural, rate, value as show } from "../flame/format.ts";
import { exactly, parse } from "../flame/search.ts";
import { matched } from "../flame/table.ts";
import { clip, split, visible } from "../flame/text.ts";
import { hasFolded, nameSet, splice } from "../flame/transform.ts";
import { fromJson, isFolded, type Tree } from "../flame/tree.ts";
import type { FlameView } from "../flame/view.ts";
import { Bar, Show, useLoad } from "../ui/load.tsx";
import { Choice, copy, isShortcut, Menu, Prose, toast } from "../ui/parts.tsx";
import { patch, store, stored, usePlace } from "../ui/state.ts";
import { addFilter, Chip, FilterChips, isFilter, readable } from "./filters.tsx";
import { FrameSearch } from "./find.tsx";
import { FunctionTable } from "./functions.tsx";
import { Graph, type Action, type Totals } from "./graph.tsx";

/** Prefixes of frames that count as libraries by default. */
const LIBRARY = ["java.", "javax.", "jdk.", "sun.", "com.sun.", "scala.", "kotlin.", "runtime.", "node:"];

/** Labels that have an entry of their own among the groups. */
const GROUPED = ["thread", "thread name", "class", "trace-endpoint", "trace endpoint"];

/** The keys of the panel. */
export const PANEL_KEYS: [string, string][] = [
  ["/", "search frames; Enter and Shift-Enter go from match to match"],
  ["[ ]", "previous and next profile type"],
  ["← → ↑ ↓", "move the focused frame"],
  ["Enter", "zoom to the focused frame"],
  ["Backspace", "zoom out"],
  ["0", "reset the zoom"],
  ["s", "callers and callees of the focused frame"],
  ["h", "hide the focused function"],
  ["c", "copy its name"],
  ["r", "collapse recursion"],
  ["g", "group"],
  ["t", "table, graph, both"],
  ["f", "full screen"],
  ["Shift+F10", "menu of the focused frame"],
];

type Shape = "flame" | "callers" | "table" | "both";

export interface PanelProps {
  source: Source;
  selection: Selection;
  types: TypeInfo[];
  how?: string[];
  /** Changes when the data behind the same selection changes. */
  version?: string;
  /** Whether values are per second by default. */
  perSecond?: boolean;
  /** Shown above the graph. */
  children?: ComponentChildren;
  downloads?: (view: View) => ComponentChildren;
}

/** The prefixes of libraries: those in the address, so that a colleague sees the same frames, or else those of this browser. In the address, 1 is the usual list. */
function librariesOf(params: URLSearchParams): string[] {
  const lib = params.get("lib");
  const list = lib === null ? stored("library")?.split("\n") : lib === "1" ? null : lib.split(",");
  return list?.filter(Boolean) ?? LIBRARY;
}

function collapseLibraries(prefixes: string[]): void {
  patch({ lib: prefixes.join() === LIBRARY.join() ? "1" : prefixes.join(), zoom: null });
}

/** Keeps other prefixes in this browser; without any, the usual ones. */
function setLibraries(prefixes: string[], collapse: boolean): void {
  store("library", prefixes.join("\n") || null);
  if (collapse) collapseLibraries(prefixes.length > 0 ? prefixes : LIBRARY);
}

/** The view according to the parameters of the address. */
export function viewOf(params: URLSearchParams, type: string): View {
  const fn = params.get("fn");
  return {
    type,
    value: params.get("value") ?? undefined,
    view: fn ? "sandwich" : params.get("view") === "callers" ? "callers" : "flame",
    function: fn ?? undefined,
    group: params.get("group") ?? undefined,
    recursion: params.get("recursion") === "collapse",
    library: params.has("lib") ? librariesOf(params) : undefined,
    lines: params.get("lines") === "1",
    include: params.getAll("include"),
    exclude: params.getAll("exclude"),
    hide: params.getAll("hide"),
    thread: params.get("thread") ?? undefined,
  };
}

/** The type that is shown: the one in the address if it has samples, else the first that has. */
export function typeOf(params: URLSearchParams, types: TypeInfo[]): TypeInfo | undefined {
  const has = (t: TypeInfo): boolean => t.values.length > 0 && !t.absent;
  const wanted = types.find((t) => t.type === params.get("type"));
  return wanted && has(wanted) ? wanted : types.find(has);
}

export function Panel(props: PanelProps) {
  const { params } = usePlace();
  const type = typeOf(params, props.types);
  if (!type) {
    return (
      <div class="panel">
        <TypeList types={props.types} at="" />
        <p class="note">No profile type has samples. The list shows why.</p>
      </div>
    );
  }
  return <Loaded key={type.type} {...props} type={type} params={params} />;
}

function Loaded({ source, selection, types, type, params, how, version, perSecond, children, downloads }: PanelProps & { type: TypeInfo; params: URLSearchParams }) {
  const root = useRef<HTMLDivElement>(null);
  const graph = useRef<FlameView | null>(null);
  const group = useRef<HTMLSelectElement>(null);
  const view = viewOf(params, type.type);
  const value = type.values.find((v) => v.name === view.value) ?? type.values.at(-1)!;
  // Without a choice the server knows better: profiles of several languages have several names for one value.
  view.value &&= value.name;
  const shape = (params.get("view") ?? (innerWidth < 1100 ? "flame" : "both")) as Shape;
  const mode = (params.get("color") ?? "package") as ColorMode;
  const text = params.get("search") ?? "";
  const asked = JSON.stringify([selection, view, version]);
  const flame = useLoad(asked, (signal) => source.flame(selection, view, signal).then(prepare));
  const [detail, setDetail] = useState<{ base: Tree; tree: Tree } | null>(null);
  const base = flame.value?.tree ?? null;
  const tree = detail && detail.base === base ? detail.tree : base;
  const known = useRef<{ type: string; families: Map<string, number> } | null>(null);
  if (tree && (known.current?.type !== type.type || known.current.families.size === 0)) known.current = { type: type.type, families: families(tree) };
  const [legend, setLegend] = useState<Legend[]>([]);
  const [lit, setLit] = useState<string | null>(null);
  const [match, setMatch] = useState(-1);
  const [full, setFull] = useState(false);

  const bys = ["function", ...(source.server ? ["line", "package", "class", "thread", "endpoint"] : [])];
  // The charts have other groups under the same name.
  const by = bys.find((key) => key === params.get("by")) ?? "function";
  const sort = params.get("sort") ?? "-self";
  const filter = params.get("filter") ?? "";
  const needTable = shape === "table" || shape === "both";
  const tableView: View = { ...view, view: "flame", function: undefined, group: undefined };
  const table = useLoad(needTable ? JSON.stringify([selection, tableView, by, sort, filter, version]) : "", (signal) =>
    source.table(selection, tableView, { by, sort, filter, limit: 2000 }, signal),
  );

  const seconds = flame.value?.json.seconds;
  const per = params.get("per") ?? (perSecond ? "second" : "total");
  const total = flame.value?.json.total ?? value.total;
  const unit = flame.value?.json.unit ?? value.unit;
  const rated = per === "second" && !!seconds;
  const format = useMemo(() => (rated ? (n: number) => rate(n / seconds, unit, type.type) : (n: number) => show(n, unit)), [rated, seconds, unit, type.type]);
  const numbers = params.get("numbers") ?? "percent";
  const totals: Totals = useMemo(
    () => ({ total, unit, samples: flame.value?.json.samples, format, numbers }),
    [total, unit, flame.value, format, numbers],
  );

  const zoomAddress = params.get("zoom");
  const zoom = useMemo(() => (tree && zoomAddress ? Math.max(0, nodeAt(tree, zoomAddress)) : 0), [tree, zoomAddress]);

  const found = useMemo(() => parse(text), [text]);
  const matches = useMemo(() => (tree && found?.test ? nameSet(tree, found.test) : null), [tree, found]);
  const hits = useMemo(() => (tree && matches ? matched(tree, matches) : null), [tree, matches]);
  // What was folded away may match as well: the server counts on the whole tree.
  const folded = (flame.value?.json.folded?.nodes ?? 0) > 0;
  const counted = useLoad(source.server && folded && found?.test && !view.function ? JSON.stringify([asked, text]) : "", (signal) =>
    source.flame(selection, { ...view, root: undefined, min: 0.5, search: text.trim() }, signal),
  );
  const matchValue = counted.value?.matches?.value ?? hits?.value ?? 0;

  // Zooming into folded subtrees asks for more of them.
  useEffect(() => {
    if (!source.server || !tree || zoom === 0 || !base || view.view !== "flame" || !hasFolded(tree, zoom)) return;
    const mine = new AbortController();
    const address = addressOf(tree, zoom);
    source
      .flame(selection, { ...view, root: address }, mine.signal)
      .then((json) => {
        const more = fromJson(json);
        const at = nodeAt(more, address);
        if (at >= 0 && more.end[at]! - at > tree.end[zoom]! - zoom) setDetail({ base, tree: splice(tree, zoom, more, at) });
      })
      .catch(() => {
        // What is shown is correct even without the detail.
      });
    return () => mine.abort();
  }, [base, zoomAddress]);

  const act = (action: Action, name: string, node: number): void => {
    if (action === "sandwich") patch({ fn: name, zoom: null, view: shape === "table" ? "both" : params.get("view") });
    else if (action === "find") patch({ search: `/${exactly(name)}/` });
    else if (action === "library" && tree) {
      const { home } = split(name, tree.kinds[tree.name[node]!]!);
      setLibraries([...new Set([...librariesOf(params), home + "."])], true);
    } else if (isFilter(action)) addFilter(params, action, name);
  };

  const step = (by: 1 | -1): void => {
    if (!hits || hits.nodes.length === 0) return;
    const next = (match + by + hits.nodes.length) % hits.nodes.length;
    setMatch(next);
    graph.current?.focusOn(hits.nodes[next]!);
  };
  useEffect(() => setMatch(-1), [text, tree]);

  useEffect(() => {
    const screen = (): void => setFull(document.fullscreenElement === root.current);
    document.addEventListener("fullscreenchange", screen);
    return () => document.removeEventListener("fullscreenchange", screen);
  }, []);
  const toggleFull = (): void => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (root.current?.requestFullscreen) void root.current.requestFullscreen().catch(() => setFull((f) => !f));
    else setFull((f) => !f);
  };

  const focusedName = (): string | null => {
    const v = graph.current;
    return v && tree && v.focus > 0 && v.focus < tree.size && !isFolded(tree, v.focus) ? tree.names[tree.name[v.focus]!]! : null;
  };
  const keys = (event: KeyboardEvent): void => {
    if (!isShortcut(event)) return;
    const target = event.target as HTMLElement;
    const name = focusedName();
    switch (event.key) {
      case "[":
      case "]": {
        const usable = types.filter((t) => t.values.length > 0 && !t.absent);
        const at = usable.indexOf(type);
        const next = usable[(at + (event.key === "]" ? 1 : -1) + usable.length) % usable.length];
        if (next) patch({ type: next.type, value: null, zoom: null, fn: null });
        break;
      }
      case "f":
        toggleFull();
        break;
      case "s":
        if (params.get("fn")) patch({ fn: null });
        else if (name) act("sandwich", name, graph.current!.focus);
        break;
      case "h":
        if (name) act("hide", name, graph.current!.focus);
        break;
      case "c":
        if (name) void copy(name).then((done) => toast(done ? "Name copied" : "The browser does not allow copying here"));
        break;
      case "r":
        patch({ recursion: view.recursion ? null : "collapse", zoom: null });
        break;
      case "g":
        group.current?.focus();
        break;
      case "t":
        patch({ view: shape === "both" ? "table" : shape === "table" ? "flame" : "both" });
        break;
      case "Escape":
        if (full && !document.fullscreenElement) setFull(false);
        else if (view.function) patch({ fn: null });
        else return;
        break;
      default:
        // Arrow keys and similar ones go to the graph, whatever has the focus, unless they have a meaning there.
        if (target === document.body && graph.current?.key(event)) {
          graph.current.canvas.focus({ preventScroll: true });
          break;
        }
        return;
    }
    event.preventDefault();
  };
  const latest = useRef(keys);
  latest.current = keys;
  useLayoutEffect(() => {
    const listener = (event: KeyboardEvent): void => latest.current(event);
    addEventListener("keydown", listener);
    return () => removeEventListener("keydown", listener);
  }, []);

  const groups: [string, string][] = source.server
    ? [["", "none"], ["thread", "thread"], ["class", "class"], ["endpoint", "endpoint"], ...(flame.value?.json.labels ?? []).filter((key) => !GROUPED.includes(key)).map((key): [string, string] => [`label:${key}`, key])]
    : [["", "none"], ...embeddedGroups(type, value.name)];
  // The address names a group that these samples do not have.
  if (view.group && !groups.some(([key]) => key === view.group)) groups.push([view.group, view.group.replace(/^label:/, "")]);
  const callees = flame.value?.callees ?? null;
  const name = view.function;
  return (
    <div class={`panel ${full ? "full" : ""}`} ref={root}>
      <TypeList types={types} at={type.type} />
      <div class="stage">
        {children}
        <div class="tools">
          <FrameSearch text={text} error={found?.error} leave={() => graph.current?.canvas.focus()} step={step}>
            {hits && (
              <>
                {percent(matchValue / (total || 1))} match
                <span class="quiet"> {format(matchValue)}{hits.nodes.length > 0 && ` · ${match >= 0 ? `${count(match + 1)} of ` : ""}${plural(hits.nodes.length, "frame")}`}</span>
              </>
            )}
          </FrameSearch>
          <Choice<Shape>
            label="View"
            of={[["flame", "Flame"], ["callers", "Callers"], ["table", "Table"], ["both", "Both"]]}
            at={shape}
            on={(to) => patch({ view: to, zoom: null, fn: to === "callers" ? null : params.get("fn") })}
          />
          {type.values.length > 1 && (
            <select aria-label="Value" value={value.name} onChange={(e) => patch({ value: e.currentTarget.value })}>
              {type.values.map((v) => (
                <option key={v.name} value={v.name}>
                  {clip(visible(v.name), 40)}
                </option>
              ))}
            </select>
          )}
          {groups.length > 1 && (
            <label class="pick">
              Group
              <select ref={group} value={view.group ?? ""} onChange={(e) => patch({ group: e.currentTarget.value, zoom: null })}>
                {groups.map(([key, label]) => (
                  <option key={key} value={key}>
                    {clip(visible(label), 40)}
                  </option>
                ))}
              </select>
            </label>
          )}
          <Menu label="⚙" title="Settings of the graph" wide>
            <Switch on={view.recursion ?? false} set={(on) => patch({ recursion: on ? "collapse" : null, zoom: null })}>
              Collapse recursion
            </Switch>
            <Switch on={params.has("lib")} set={(on) => (on ? collapseLibraries(librariesOf(params)) : patch({ lib: null, zoom: null }))}>
              Collapse library frames
            </Switch>
            <label class="field">
              Library prefixes, one per line
              <textarea
                rows={4}
                spellcheck={false}
                value={librariesOf(params).join("\n")}
                onChange={(e) => setLibraries(e.currentTarget.value.split("\n").filter(Boolean), params.has("lib"))}
              />
            </label>
            {source.server && (
              <Switch on={view.lines ?? false} set={(on) => patch({ lines: on ? "1" : null, zoom: null })}>
                Line numbers
              </Switch>
            )}
            {seconds ? (
              <Switch on={rated} set={(on) => patch({ per: on ? "second" : "total" })}>
                Values per second of profile
              </Switch>
            ) : null}
            <label class="field">
              Numbers in frames
              <select value={numbers} onChange={(e) => patch({ numbers: e.currentTarget.value === "percent" ? null : e.currentTarget.value })}>
                <option value="percent">percent</option>
                <option value="value">absolute</option>
                <option value="none">none</option>
              </select>
            </label>
            <label class="field">
              Color by
              <select value={mode} onChange={(e) => patch({ color: e.currentTarget.value })}>
                <option value="package">package</option>
                <option value="kind">kind of frame</option>
                <option value="self">self share</option>
              </select>
            </label>
          </Menu>
          {downloads?.(view)}
          <button onClick={toggleFull} title="Full screen (f)" aria-label="Full screen" aria-pressed={full}>
            <svg viewBox="0 0 14 14" width="14" height="14" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.5">
              <path d="M1 5V1h4M9 1h4v4M13 9v4H9M5 13H1V9" />
            </svg>
          </button>
        </div>
        <Bar of={flame.loading ? flame : table} />
        {
          // Always present, so that the graph does not move when the first chip appears.
          <div class="chips">
            {name && (
              <Chip label={`callers and callees of ${clip(visible(name), 80)}`} drop={() => patch({ fn: null })} />
            )}
            <FilterChips params={params} />
            {zoom > 0 && tree && <Chip label={`zoomed to ${clip(visible(tree.names[tree.name[zoom]!]!), 80)}`} drop={() => patch({ zoom: null })} />}
          </div>
        }
        <Show of={flame}>
          {() => null}
        </Show>
        <div class={`work ${flame.failure && !tree ? "table" : shape}`}>
          {tree && shape !== "table" && total > 0 && (
            <div class="graphs">
              {name && callees ? (
                <div class="sandwich">
                  <Graph tree={tree} up minimap={false} label={`Callers of ${visible(name)}`} zoom={0} onZoom={() => {}} {...{ totals, mode, matches, lit }} families={known.current!.families} onAction={act} onLegend={setLegend} />
                  <h3 class="sandwich-name">
                    {clip(visible(name), 300)} <span class="quiet">
                      {format(tree.total[0] ?? 0)} · {percent((tree.total[0] ?? 0) / (total || 1))} · callers above, callees below
                    </span>
                  </h3>
                  <Graph
                    tree={callees}
                    minimap={false}
                    label={`Callees of ${visible(name)}`}
                    zoom={0}
                    onZoom={() => {}}
                    totals={totals}
                    mode={mode}
                    matches={found?.test ? nameSet(callees, found.test) : null}
                    lit={lit}
                    families={known.current!.families}
                    onAction={act}
                    handle={(v) => (graph.current = v)}
                  />
                </div>
              ) : (
                <Graph
                  tree={tree}
                  label={`${view.view === "callers" ? "Callers" : "Flame graph"}, ${type.name}`}
                  zoom={zoom}
                  onZoom={(node) => patch({ zoom: node > 0 ? addressOf(tree, node) : null })}
                  onAction={act}
                  onLegend={setLegend}
                  handle={(v) => (graph.current = v)}
                  families={known.current!.families}
                  {...{ totals, mode, matches, lit }}
                />
              )}
            </div>
          )}
          {total === 0 && flame.value && <p class="note">The filters leave no samples of {type.name}.</p>}
          {needTable && (
            <Show of={table}>
              {(t) => (
                <FunctionTable
                  rows={t.rows}
                  count={t.count}
                  cut={t.cut}
                  total={t.total || total}
                  unit={t.unit || unit}
                  by={by}
                  sort={sort}
                  filter={filter}
                  searched={readable(text.replace(/^\/|\/$/g, ""))}
                  compact={shape === "both"}
                  format={rated && by === "function" ? format : undefined}
                  bys={bys}
                  onSort={(to) => patch({ sort: to === "-self" ? null : to }, true)}
                  onBy={(to) => patch({ by: to === "function" ? null : to })}
                  onFilter={(to) => patch({ filter: to }, true)}
                  onHover={setLit}
                  onSearch={(to) => {
                    if (by === "thread") addFilter(params, "thread", to);
                    else if (by === "line") patch({ lines: "1", search: `/${exactly(to)}/`, zoom: null });
                    else if (by === "endpoint") patch({ group: "endpoint", search: `/${exactly(to)}/`, zoom: null });
                    else patch({ search: by === "function" ? `/${exactly(to)}/` : to }, true);
                  }}
                  onOpen={(to) => patch({ fn: to, zoom: null, view: "both" })}
                />
              )}
            </Show>
          )}
        </div>
        <footer class="legend">
          <ul aria-label="Colors">
            {shape !== "table" &&
              legend.map((l) => (
                <li key={l.label}>
                  <i style={{ background: l.color }} aria-hidden="true" />
                  {clip(visible(l.label), 40)}
                </li>
              ))}
          </ul>
          <p class="quiet">
            {how && how.length > 0 && <>How measured: <Prose of={how.filter((h) => !/^(made by|jvm:|main:)/.test(h)).join("; ")} />. </>}
            {flame.value?.json.folded && flame.value.json.folded.nodes > 0 && (
              <>
                {plural(flame.value.json.folded.nodes, "narrow node")} folded
                {total > 0 && ` (${percent(flame.value.json.folded.value / total)} of the total)`}; totals are exact.{" "}
              </>
            )}
            {flame.value?.json.profiles && flame.value.json.profiles.matched > 1 && (
              <>
                {plain(flame.value.json.profiles.merged)} of {plural(flame.value.json.profiles.matched, "profile")} merged.
              </>
            )}
          </p>
        </footer>
      </div>
    </div>
  );
}

function prepare(json: FlameJson): { json: FlameJson; tree: Tree; callees: Tree | null } {
  return { json, tree: fromJson(json), callees: json.callees ? fromJson(json.callees) : null };
}

function embeddedGroups(type: TypeInfo, value: string): [string, string][] {
  const found = type.values.find((v) => v.name === value) as { groups?: Record<string, string> } | undefined;
  return Object.keys(found?.groups ?? {}).map((key) => [key, key]);
}

function Switch({ on, set, children }: { on: boolean; set: (on: boolean) => void; children: ComponentChildren }) {
  return (
    <label class="switch">
      <input type="checkbox" checked={on} onChange={(e) => set(e.currentTarget.checked)} />
      {children}
    </label>
  );
}

/** The profile types, those without samples with the reason. */
export function TypeList({ types, at, totals = true }: { types: TypeInfo[]; at: string; totals?: boolean }) {
  // Those of the language first, the others below a line.
  const sorted = [...types.filter((t) => t.core !== false), ...types.filter((t) => t.core === false)];
  return (
    <nav
      class="types"
      aria-label="Profile types"
      onKeyDown={(event) => {
        const delta = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
        if (delta === 0) return;
        const all = [...event.currentTarget.querySelectorAll<HTMLElement>("button")];
        all[(all.indexOf(document.activeElement as HTMLElement) + delta + all.length) % all.length]?.focus();
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      {sorted.map((t, i) => {
        const v = t.values.at(-1);
        const off = !v || !!t.absent;
        const more = t.core === false && sorted[i - 1]?.core !== false;
        return (
          <button
            key={t.type}
            class={more ? "type first-more" : "type"}
            aria-current={t.type === at ? "true" : undefined}
            aria-disabled={off}
            title={clip(visible(t.definition), 400)}
            onClick={() => !off && patch({ type: t.type, value: null, zoom: null, fn: null })}
          >
            <span class="type-name">{clip(visible(t.name), 60)}</span>
            {off ? (
              <span class="type-why">{clip(visible(t.absent ?? "no samples"), 400)}</span>
            ) : (
              <span class="type-total">{totals && Number.isFinite(v.total) ? show(v.total, v.unit) : ""}</span>
            )}
          </button>
        );
      })}
    </nav>
  );
}
