/** The comparison of two profiles, or of two sets: combined graph, side by side, table. */
import { useMemo, useRef, useState } from "preact/hooks";
import type { Source } from "../data/source.ts";
import type { DiffJson, Selection, Side, TypeInfo } from "../data/types.ts";
import { addressOf, nodeAt } from "../flame/address.ts";
import { families, type Legend } from "../flame/color.ts";
import { count, duration, percent, plural, rate, value as show } from "../flame/format.ts";
import { isNoise, relativeSpread } from "../flame/noise.ts";
import { exactly, parse } from "../flame/search.ts";
import { clip, visible } from "../flame/text.ts";
import { matched } from "../flame/table.ts";
import { nameSet } from "../flame/transform.ts";
import { build, fromJson, type Tree } from "../flame/tree.ts";
import type { FlameView } from "../flame/view.ts";
import { Bar, Show, useLoad } from "../ui/load.tsx";
import { Choice } from "../ui/parts.tsx";
import { patch, usePlace } from "../ui/state.ts";
import { FrameSearch } from "./find.tsx";
import { DiffTable } from "./functions.tsx";
import { addFilter, Chip, FilterChips, isFilter } from "./filters.tsx";
import { changeText, Graph, type Action, type Totals } from "./graph.tsx";
import { TypeList, typeOf, viewOf } from "./panel.tsx";

type Shape = "combined" | "sides" | "table";

/** What the menu of a frame offers in a comparison. */
const COMPARED: readonly Action[] = ["hide", "include", "exclude", "find"];

interface Prepared {
  json: DiffJson;
  worth: [number, number];
  /** Width is the mean of both, as they are shown. */
  tree: Tree;
  a: Tree;
  b: Tree;
}

/** What the sides are divided by to be comparable. */
function scaleOf(json: { a: Side; b: Side }, per: string): { a: number; b: number } {
  if (per === "share") return { a: json.a.total || 1, b: json.b.total || 1 };
  return { a: json.a.seconds || 1, b: json.b.seconds || 1 };
}

/** What one sample of A and of B is worth, as values are shown; 0 if it is not known. */
function worthOf(json: { a: Side; b: Side }, per: string): [number, number] {
  const scale = scaleOf(json, per);
  const worth = (side: Side): number => (side.samples ? side.total / side.samples : 0);
  return [worth(json.a) / scale.a, worth(json.b) / scale.b];
}

/** The tree of both sides. If a page from disk filters its trees, the noise is judged here. */
function bothTrees(json: DiffJson, per: string, [wa, wb]: [number, number]): Tree {
  const tree = fromJson(json, scaleOf(json, per));
  if (!json.noise) tree.noise!.forEach((_, i, noise) => (noise[i] = Number(isNoise(tree.a![i]!, wa, tree.b![i]!, wb))));
  return tree;
}

/** How many profiles a side consists of. */
function merged({ profiles }: Side): string {
  const { merged: n, matched: of } = profiles ?? { merged: 1, matched: 1 };
  return n === of ? plural(n, "profile") : `${count(n)} of ${plural(of, "profile")}`;
}

function sideTree(json: DiffJson, self: number[]): Tree {
  return build(json.names, json.kinds, Int32Array.from(json.depth), Int32Array.from(json.name), Float64Array.from(self));
}

export function DiffPanel({ source, a, b, types, labels }: { source: Source; a: Selection; b: Selection; types: TypeInfo[]; labels: { a: string; b: string } }) {
  const { params } = usePlace();
  const type = typeOf(params, types);
  const [legend, setLegend] = useState<Legend[]>([]);
  const [lit, setLit] = useState<string | null>(null);
  const view = viewOf(params, type?.type ?? "cpu");
  const per = params.get("per") === "share" ? "share" : "second";
  const shape = (params.get("view") ?? "combined") as Shape;
  const noise = params.get("noise") !== "hide";
  const text = params.get("search") ?? "";
  const key = JSON.stringify([a, b, view, per]);
  const diff = useLoad(type ? key : "", (signal) =>
    source.diff(a, b, { ...view, view: "flame" }, per, signal).then((json): Prepared => {
      const worth = worthOf(json, per);
      return { json, worth, tree: bothTrees(json, per, worth), a: sideTree(json, json.self), b: sideTree(json, json.self_b ?? []) };
    }),
  );
  const table = useLoad(shape === "table" && type ? "t" + key : "", (signal) => source.diffTable(a, b, { ...view, view: "flame" }, per, signal));
  const { json, worth, tree = null } = diff.value ?? {};
  const unit = json?.unit ?? type?.values.at(-1)?.unit ?? "";
  const timed = per === "second" && !!json?.a.seconds;
  const format = useMemo(
    () => (per === "share" ? percent : timed ? (n: number) => rate(n, unit, type?.type) : (n: number) => show(n, unit)),
    [per, timed, unit, type?.type],
  );
  const known = useMemo(() => (tree ? families(tree) : new Map<string, number>()), [tree]);
  const found = useMemo(() => parse(text), [text]);
  const matches = useMemo(() => (tree && found?.test ? nameSet(tree, found.test) : null), [tree, found]);
  const hits = useMemo(() => (tree && matches ? matched(tree, matches) : null), [tree, matches]);
  const address = params.get("zoom");
  const zoom = useMemo(() => (tree && address ? Math.max(0, nodeAt(tree, address)) : 0), [tree, address]);
  const graph = useRef<FlameView | null>(null);
  if (!type) return <p class="note">A and B have no profile type in common.</p>;
  const act = (action: Action, name: string): void => {
    if (action === "find") patch({ search: `/${exactly(name)}/` });
    else if (isFilter(action)) addFilter(params, action, name);
  };
  const totals: Totals = { total: tree?.total[0] ?? 1, unit, labels, format };
  const onZoom = (node: number): void => patch({ zoom: node > 0 && tree ? addressOf(tree, node) : null });
  return (
    <div class="panel">
      <TypeList types={types} at={type.type} totals={false} />
      <div class="stage">
        {tree?.a && tree.b && json && worth && (
          <p class="versus">
            <span class="side">
              <b>A</b> <bdi>{clip(visible(labels.a), 120)}</bdi> <strong>{format(tree.a[0]!)}</strong>
              {json.a.seconds ? <span class="quiet"> {duration(json.a.seconds * 1e9)}</span> : null}
            </span>
            <span class="arrow" aria-hidden="true">→</span>
            <span class="side">
              <b>B</b> <bdi>{clip(visible(labels.b), 120)}</bdi> <strong>{format(tree.b[0]!)}</strong>
              {json.b.seconds ? <span class="quiet"> {duration(json.b.seconds * 1e9)}</span> : null}
            </span>
            <strong class={tree.a[0] === tree.b[0] ? "" : tree.b[0]! > tree.a[0]! ? "more" : "less"} title={per === "share" ? undefined : "±: twice the standard deviation of sampling, in percentage points"}>
              {per === "share" ? "shares of the total" : changeText(tree.a[0]!, tree.b[0]!, format, relativeSpread(tree.a[0]!, worth[0], tree.b[0]!, worth[1]))}
              {tree.noise?.[0] && tree.a[0] !== tree.b[0] ? ", within noise" : ""}
            </strong>
          </p>
        )}
        <div class="tools">
          <FrameSearch text={text} error={found?.error} leave={() => graph.current?.canvas.focus()}>
            {hits && plural(hits.nodes.length, "frame")}
          </FrameSearch>
          <Choice<Shape> label="View" of={[["combined", "Combined"], ["sides", "Side by side"], ["table", "Table"]]} at={shape} on={(to) => patch({ view: to })} />
          <Choice<"second" | "share"> label="Values" of={[["second", "Per second"], ["share", "Share"]]} at={per} on={(to) => patch({ per: to })} />
          <label class="switch">
            <input type="checkbox" checked={noise} onChange={(e) => patch({ noise: e.currentTarget.checked ? null : "hide" })} />
            {shape === "table" ? "Show noise" : "Gray out noise"}
          </label>
        </div>
        <Bar of={diff.loading ? diff : table} />
        <div class="chips">
          <FilterChips params={params} />
          {zoom > 0 && tree && <Chip label={`zoomed to ${clip(visible(tree.names[tree.name[zoom]!]!), 80)}`} drop={() => patch({ zoom: null })} />}
        </div>
        <Show of={diff}>{() => null}</Show>
        {tree && tree.total[0] === 0 && <p class="note">The filters leave no samples of {type.name}.</p>}
        <div class={`work ${shape}`}>
          {diff.value && tree && shape === "combined" && (
            <div class="graphs">
              <Graph
                tree={noise ? tree : { ...tree, noise: undefined }}
                label={`Comparison, ${type.name}`}
                mode="diff"
                families={known}
                {...{ totals, matches, lit, zoom, onZoom }}
                onLegend={setLegend}
                handle={(v) => (graph.current = v)}
                actions={COMPARED}
                onAction={act}
              />
            </div>
          )}
          {diff.value && tree && shape === "sides" && (
            <div class="graphs sides">
              {(["a", "b"] as const).map((s) => (
                <div key={s} class="side-graph">
                  <h3>
                    {s.toUpperCase()} <bdi class="quiet">{clip(visible(labels[s]), 80)}</bdi>
                  </h3>
                  <Graph
                    tree={diff.value![s]}
                    label={`${s.toUpperCase()}, ${type.name}`}
                    mode="package"
                    families={known}
                    totals={{ total: diff.value![s].total[0] || 1, unit, format: per === "share" ? (n) => percent(n / (diff.value![s].total[0] || 1)) : (n) => (timed ? rate(n / (json![s].seconds || 1), unit, type.type) : show(n, unit)) }}
                    {...{ matches, lit, zoom, onZoom }}
                    onHover={setLit}
                    onLegend={setLegend}
                    actions={COMPARED}
                    onAction={act}
                  />
                </div>
              ))}
            </div>
          )}
          {shape === "table" && (
            <Show of={table}>
              {(t) => (
                <DiffTable
                  rows={t.rows}
                  labels={labels}
                  noise={noise}
                  format={format}
                  scale={scaleOf(t, per)}
                  worth={worthOf(t, per)}
                  count={t.count}
                  sort={params.get("sort") ?? ""}
                  filter={params.get("filter") ?? ""}
                  onSort={(to) => patch({ sort: to === "change" ? null : to }, true)}
                  onFilter={(to) => patch({ filter: to }, true)}
                  own={params.get("of") === "self"}
                  onOwn={(own) => patch({ of: own ? "self" : null }, true)}
                  onHover={setLit}
                  onSearch={(name) => patch({ search: `/${exactly(name)}/`, view: "combined" })}
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
            {shape === "combined" && (
              <li>
                <i class="hatch" aria-hidden="true" /> only in A or only in B
              </li>
            )}
          </ul>
          {json?.a.profiles && json.b.profiles && json.a.profiles.merged + json.b.profiles.merged > 2 && (
            <p class="quiet">
              Merged: {merged(json.a)} in A, {merged(json.b)} in B.
            </p>
          )}
        </footer>
      </div>
    </div>
  );
}
