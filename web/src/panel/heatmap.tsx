/** Seconds across, 50 cells of 20 ms down: when the program was busy. A selected range is shown as a flame graph. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { block, bytes, type EmbeddedSource, type HeatmapJson, type PageValue } from "../data/embedded.ts";
import type { TypeInfo } from "../data/types.ts";
import { count, duration, plural } from "../flame/format.ts";
import { fromJson, isFolded, type Tree, type TreeJson } from "../flame/tree.ts";
import { Builder } from "../flame/tree.ts";
import { Show, useLoad } from "../ui/load.tsx";
import { patch, usePlace, useTheme } from "../ui/state.ts";
import { readCells, selfOf, type Cells } from "./cells.ts";
import { Panel } from "./panel.tsx";

const LIGHT = ["#eef1f4", "#fde6cf", "#fac795", "#f2a05a", "#d9731f", "#a64b00"];
const DARK = ["#1d232a", "#4a3420", "#77471a", "#a35a10", "#d0771a", "#ffb057"];

/** The tree with other own values; subtrees without any are left out. */
export function withSelf(tree: Tree, self: Float64Array): Tree {
  const builder = new Builder(tree.names, tree.kinds, tree.name[0] ?? 0);
  const made = new Int32Array(tree.size);
  for (let i = 0; i < tree.size; i++) {
    if (i > 0) made[i] = builder.child(made[tree.parent[i]!]!, tree.name[i]!);
    if (self[i]! > 0) builder.add(made[i]!, self[i]!);
  }
  return builder.finish();
}

export function Heatmap({ source, of }: { source: EmbeddedSource; of: HeatmapJson }) {
  const loaded = useLoad("heatmap", async () => {
    const [tree, nodes, ...data] = await Promise.all([block(of.tree), block(of.stacks), ...of.data.map(bytes)]);
    const [stacks, ranks, counts] = data as [Uint8Array, Uint8Array, Uint8Array];
    return { tree: fromJson(tree as TreeJson), nodes: nodes as number[], cells: readCells({ stacks, ranks, counts }, of.cells, of.base) };
  });
  return <Show of={loaded}>{(data) => <Loaded source={source} of={of} {...data} />}</Show>;
}

function Loaded({ source, of, tree, nodes, cells }: { source: EmbeddedSource; of: HeatmapJson; tree: Tree; nodes: number[]; cells: Cells }) {
  const { params } = usePlace();
  const range = /^(\d+)-(\d+)$/.exec(params.get("range") ?? "");
  const last = of.cells;
  const from = range ? Math.min(Number(range[1]), last - 1) : 0;
  const to = range ? Math.max(from + 1, Math.min(Number(range[2]), last)) : last;
  const shown = useMemo(() => {
    const self = selfOf(cells, nodes, tree.size, from, to, of.weight);
    return withSelf(tree, self);
  }, [from, to]);
  source.override = shown;
  const perColumn = Math.max(1, Math.round(1000 / of.step_ms));
  const samples = useMemo(() => {
    let sum = 0;
    for (let i = from; i < to; i++) sum += cells.samples[i]!;
    return sum;
  }, [from, to]);
  const types: TypeInfo[] = source.page.types ?? [
    { type: "cpu", name: "Samples", definition: "", values: [{ name: "samples", unit: of.unit, total: shown.total[0] ?? 0, samples }] },
  ];
  source.page.types ??= types as never;
  types[0]!.values[0]!.total = shown.total[0] ?? 0;
  types[0]!.values[0]!.samples = samples;
  // How much of this range is in nodes that stand for folded ones.
  const hidden = useMemo(() => shown.self.reduce((sum, self, i) => sum + (isFolded(shown, i) ? self : 0), 0), [shown]);
  (types[0]!.values[0] as PageValue).folded = of.folded && { nodes: of.folded.nodes, value: hidden };
  return (
    <>
      <Map {...{ cells, perColumn, from, to, of }} selected={range !== null} />
      <p class="quiet heat-line" role="status">
        {range ? (
          <>
            {when(of, from)} – {when(of, to)} · {duration((to - from) * of.step_ms * 1e6)} · {plural(samples, "sample")}{" "}
            <button class="small" onClick={() => patch({ range: null })}>
              Show all
            </button>
          </>
        ) : (
          <>
            {plural(samples, "sample")} in {duration(of.cells * of.step_ms * 1e6)}; drag to select a range, or use the arrow keys in the map.
          </>
        )}
      </p>
      <Panel source={source} selection={{}} types={types} version={`${from}-${to}`} />
    </>
  );
}

function when(of: HeatmapJson, cell: number): string {
  const date = new Date(of.start + cell * of.step_ms);
  return `${date.toLocaleTimeString([], { hour12: false })}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

function Map({ cells, perColumn, from, to, of, selected }: { cells: Cells; perColumn: number; from: number; to: number; of: HeatmapJson; selected: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const [cursor, setCursor] = useState<number | null>(null);
  const drag = useRef<number | null>(null);
  const [width, setWidth] = useState(0);
  const columns = Math.ceil(cells.samples.length / perColumn);
  const most = useMemo(() => cells.samples.reduce((m, c) => Math.max(m, c), 0), []);
  const size = Math.max(1, Math.min(40, Math.floor(width / Math.max(1, columns))));
  // Columns that do not fit are merged: each shows the largest of its cells.
  const merge = Math.max(1, Math.ceil(columns / Math.max(1, Math.floor(width / size))));
  const height = 3;
  useEffect(() => {
    const observer = new ResizeObserver(() => setWidth(box.current?.clientWidth ?? 0));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const c = canvas.current;
    if (!c || width === 0) return;
    const ratio = devicePixelRatio || 1;
    const wide = Math.ceil(columns / merge) * size;
    c.width = Math.round(wide * ratio);
    c.height = Math.round(perColumn * height * ratio);
    c.style.width = `${wide}px`;
    c.style.height = `${perColumn * height}px`;
    const g = c.getContext("2d")!;
    g.scale(ratio, ratio);
    const ramp = theme === "dark" ? DARK : LIGHT;
    for (let x = 0; x * merge < columns; x++) {
      for (let y = 0; y < perColumn; y++) {
        let n = 0;
        let inside = false;
        for (let m = 0; m < merge; m++) {
          const cell = (x * merge + m) * perColumn + y;
          if (cell >= cells.samples.length) break;
          n = Math.max(n, cells.samples[cell]!);
          inside ||= cell >= from && cell < to;
        }
        g.globalAlpha = !selected || inside ? 1 : 0.35;
        g.fillStyle = ramp[n === 0 ? 0 : Math.min(5, 1 + Math.floor((n / most) * 4.999))]!;
        g.fillRect(x * size, y * height, Math.max(1, size - (size > 3 ? 1 : 0)), height);
      }
    }
    g.globalAlpha = 1;
    if (cursor !== null) {
      g.strokeStyle = theme === "dark" ? "#8ab4ff" : "#0b57d0";
      g.strokeRect(Math.floor(cursor / perColumn / merge) * size + 0.5, (cursor % perColumn) * height, size, height);
    }
  }, [width, theme, from, to, cursor, selected]);
  const cellAt = (event: PointerEvent): number => {
    const b = canvas.current!.getBoundingClientRect();
    const column = Math.floor((event.clientX - b.left) / size) * merge;
    const row = Math.max(0, Math.min(perColumn - 1, Math.floor((event.clientY - b.top) / height)));
    return Math.max(0, Math.min(cells.samples.length - 1, column * perColumn + row));
  };
  const select = (a: number, b: number): void => patch({ range: `${Math.min(a, b)}-${Math.max(a, b) + 1}`, zoom: null }, true);
  return (
    <div class="heat" ref={box}>
      <canvas
        ref={canvas}
        tabIndex={0}
        role="slider"
        aria-label="Selected second of the heat map"
        aria-valuemin={0}
        aria-valuemax={columns - 1}
        aria-valuenow={Math.floor((cursor ?? from) / perColumn)}
        aria-valuetext={`${when(of, cursor ?? from)}, ${count(cells.samples[cursor ?? from] ?? 0)} samples`}
        onPointerDown={(event) => {
          drag.current = cellAt(event);
          canvas.current!.setPointerCapture(event.pointerId);
        }}
        onPointerMove={(event) => {
          const cell = cellAt(event);
          setCursor(cell);
          if (drag.current !== null && cell !== drag.current) select(drag.current, cell);
        }}
        onPointerUp={(event) => {
          if (drag.current !== null && cellAt(event) === drag.current) {
            const column = Math.floor(drag.current / perColumn) * perColumn;
            select(column, column + perColumn * merge - 1);
          }
          drag.current = null;
        }}
        onKeyDown={(event) => {
          const step = { ArrowLeft: -perColumn, ArrowRight: perColumn, ArrowUp: -1, ArrowDown: 1 }[event.key];
          if (event.key === "Escape") patch({ range: null });
          else if (step) {
            const next = Math.max(0, Math.min(cells.samples.length - 1, (cursor ?? from) + step * (Math.abs(step) > 1 ? merge : 1)));
            setCursor(next);
            if (event.shiftKey) select(selected ? from : (cursor ?? from), next);
            else {
              const column = Math.floor(next / perColumn) * perColumn;
              select(column, column + perColumn * merge - 1);
            }
          } else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      />
    </div>
  );
}

