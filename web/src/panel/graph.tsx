/** The framework-free view of `flame/` as a component, with tooltip and menu. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { colors as colorsOf, type ColorMode, type Legend } from "../flame/color.ts";
import { percent, plain, plural, value as show, count } from "../flame/format.ts";
import { clip, split, visible } from "../flame/text.ts";
import { isFolded, path, type Tree } from "../flame/tree.ts";
import type { NameSet } from "../flame/transform.ts";
import { FlameView } from "../flame/view.ts";
import { useTheme } from "../ui/state.ts";
import { copy, toast } from "../ui/parts.tsx";

export interface Totals {
  /** What 100 % is. */
  total: number;
  unit: string;
  /** Samples of the total, where known. */
  samples?: number;
  /** In a comparison: what the numbers are shown as. */
  labels?: { a: string; b: string };
  format?: (n: number) => string;
  /** What wide frames show besides their name; by default their share. */
  numbers?: string;
}

export type Action = "zoom" | "sandwich" | "hide" | "include" | "exclude" | "find" | "library";

export interface GraphProps {
  tree: Tree;
  totals: Totals;
  mode: ColorMode;
  families: Map<string, number>;
  zoom: number;
  matches: NameSet | null;
  lit: string | null;
  label: string;
  up?: boolean;
  minimap?: boolean;
  onZoom: (node: number) => void;
  onAction?: (action: Action, name: string, node: number) => void;
  /** Which actions the menu offers besides zooming; all if it is not given. */
  actions?: readonly Action[];
  onHover?: (name: string | null) => void;
  onLegend?: (legend: Legend[]) => void;
  handle?: (view: FlameView | null) => void;
}

/** One sentence about a node. */
export function describe(tree: Tree, node: number, totals: Totals): string {
  const format = totals.format ?? ((n: number) => show(n, totals.unit));
  const share = percent(tree.total[node]! / (totals.total || 1));
  if (tree.a && tree.b) {
    return `${tree.names[tree.name[node]!]}, A ${format(tree.a[node]!)}, B ${format(tree.b[node]!)}`;
  }
  return `${tree.names[tree.name[node]!]}, ${format(tree.total[node]!)}, ${share}, self ${format(tree.self[node]!)}`;
}

/** The number in a frame: its share or value; in a comparison the change. */
function note(tree: Tree, node: number, totals: Totals): string {
  if (tree.a && tree.b) {
    const [a, b] = [tree.a[node]!, tree.b[node]!];
    return a === b ? "" : a === 0 ? "only in B" : b === 0 ? "only in A" : `${b > a ? "+" : "−"}${percent(Math.abs(b - a) / a)}`;
  }
  if (totals.numbers === "none") return "";
  const value = tree.total[node]!;
  return totals.numbers === "value" ? (totals.format ?? ((n: number) => show(n, totals.unit)))(value) : percent(value / (totals.total || 1));
}

interface At {
  node: number;
  x: number;
  y: number;
}

export function Graph(props: GraphProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<FlameView | null>(null);
  const now = useRef(props);
  now.current = props;
  const theme = useTheme();
  const [tip, setTip] = useState<At | null>(null);
  const [menu, setMenu] = useState<At | null>(null);
  useLayoutEffect(() => {
    const made = new FlameView(
      host.current!,
      {
        zoom: (node) => now.current.onZoom(node),
        hover: (node, x, y) => {
          setTip(node < 0 ? null : { node, x, y });
          now.current.onHover?.(node < 0 ? null : now.current.tree.names[now.current.tree.name[node]!]!);
        },
        menu: (node, x, y) => {
          setTip(null);
          if (now.current.onAction) setMenu({ node, x, y });
        },
        describe: (node) => describe(now.current.tree, node, now.current.totals),
        number: (node) => note(now.current.tree, node, now.current.totals),
      },
      { label: props.label, up: props.up, minimap: props.minimap },
    );
    view.current = made;
    props.handle?.(made);
    return () => {
      made.destroy();
      props.handle?.(null);
    };
  }, []);
  useLayoutEffect(() => view.current?.canvas.setAttribute("aria-label", props.label), [props.label]);
  useLayoutEffect(() => {
    view.current?.setTree(props.tree, props.zoom);
    setTip(null);
    setMenu(null);
  }, [props.tree]);
  useLayoutEffect(() => {
    if (view.current && view.current.zoom !== props.zoom) view.current.zoomTo(props.zoom, false);
  }, [props.zoom, props.tree]);
  useLayoutEffect(() => {
    const made = colorsOf(props.tree, props.mode, theme, props.families);
    view.current?.setColors(made, theme);
    props.onLegend?.(made.legend);
  }, [props.tree, props.mode, theme, props.families]);
  useLayoutEffect(() => view.current?.setMatches(props.matches), [props.matches, props.tree]);
  useLayoutEffect(() => view.current?.draw(), [props.totals]);
  useLayoutEffect(() => view.current?.light(props.lit === null ? -1 : props.tree.names.indexOf(props.lit)), [props.lit, props.tree]);
  return (
    <div class="graph" ref={host} style={props.minimap === false ? { flexGrow: props.tree.maxDepth + 2 } : undefined}>
      {tip && !menu && tip.node < props.tree.size && <Tip at={tip} tree={props.tree} totals={props.totals} />}
      {menu && menu.node < props.tree.size && (
        <FrameMenu
          at={menu}
          tree={props.tree}
          actions={props.actions}
          close={(back) => {
            setMenu(null);
            if (back) view.current?.canvas.focus();
          }}
          act={(action) => {
            const name = props.tree.names[props.tree.name[menu.node]!]!;
            if (action === "zoom") view.current?.zoomTo(menu.node);
            else props.onAction?.(action, name, menu.node);
          }}
        />
      )}
    </div>
  );
}

/** Keeps a box inside the window. */
function usePlaced(x: number, y: number, gap: number) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const { width, height } = element.getBoundingClientRect();
    const left = x + gap + width > innerWidth - 8 ? Math.max(8, x - gap - width) : x + gap;
    const top = y + gap + height > innerHeight - 8 ? Math.max(8, y - gap - height) : y + gap;
    element.style.left = `${left}px`;
    element.style.top = `${top}px`;
  });
  return box;
}

function Tip({ at, tree, totals }: { at: At; tree: Tree; totals: Totals }) {
  const box = usePlaced(at.x, at.y, 14);
  const { node } = at;
  const name = tree.names[tree.name[node]!]!;
  const kind = tree.kinds[tree.name[node]!]!;
  const { home } = split(name, kind);
  const format = totals.format ?? ((n: number) => show(n, totals.unit));
  const parent = tree.parent[node]!;
  const total = totals.total || tree.total[0] || 1;
  const samples = totals.samples ? (tree.total[node]! / total) * totals.samples : 0;
  return (
    <div class="tip" ref={box} role="presentation">
      <div class="tip-name">{clip(visible(name), 1200)}</div>
      {home && <div class="quiet">{clip(visible(home), 200)}</div>}
      <table>
        <tbody>
          {tree.a && tree.b ? (
            <>
              <Line label={totals.labels?.a ?? "A"} value={format(tree.a[node]!)} />
              <Line label={totals.labels?.b ?? "B"} value={format(tree.b[node]!)} />
              <Line label="change" value={changeText(tree.a[node]!, tree.b[node]!, format) + (tree.noise?.[node] ? " (within noise)" : "")} />
            </>
          ) : (
            <>
              <Line label="total" value={format(tree.total[node]!)} share={percent(tree.total[node]! / total)} />
              <Line label="self" value={format(tree.self[node]!)} share={percent(tree.self[node]! / total)} />
              {parent > 0 && <Line label="of parent" value="" share={percent(tree.total[node]! / tree.total[parent]!)} />}
              {samples >= 0.5 && <Line label="samples" value={`≈ ${count(samples)}`} />}
            </>
          )}
        </tbody>
      </table>
    </div>
  );
}

/** The change from A to B, with its sign and its share of A, which sampling makes uncertain by `spread`. */
export function changeText(a: number, b: number, format: (n: number) => string, spread = 0): string {
  const [delta, share] = changeParts(a, b, format);
  return a === 0 && b === 0 ? "–" : a === b ? "no change" : `${delta} (${share}${spread > 0 ? ` ± ${plain(Number((spread * 100).toPrecision(2)))}` : ""})`;
}

/** The difference, and its share of A. */
export function changeParts(a: number, b: number, format: (n: number) => string): [string, string] {
  if (a === 0 && b === 0) return ["–", "–"];
  const delta = b - a;
  const sign = delta > 0 ? "+" : delta < 0 ? "−" : "";
  return [sign + format(Math.abs(delta)), a === 0 ? "only in B" : b === 0 ? "only in A" : sign + percent(Math.abs(delta) / a)];
}

function Line({ label, value, share }: { label: string; value: string; share?: string }) {
  return (
    <tr>
      <th scope="row">{label}</th>
      <td>{value}</td>
      <td>{share}</td>
    </tr>
  );
}

function FrameMenu({ at, tree, actions, close, act }: { at: At; tree: Tree; actions?: readonly Action[]; close: (back: boolean) => void; act: (action: Action) => void }) {
  const box = usePlaced(at.x, at.y, 2);
  const name = tree.names[tree.name[at.node]!]!;
  const madeUp = at.node === 0 || isFolded(tree, at.node);
  useLayoutEffect(() => {
    box.current?.querySelector<HTMLElement>("button:not(:disabled)")?.focus();
    const away = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) close(false);
    };
    addEventListener("pointerdown", away, true);
    return () => removeEventListener("pointerdown", away, true);
  }, []);
  const item = (text: string, run: () => void, off = false, key?: string) => (
    <button
      role="menuitem"
      tabIndex={-1}
      disabled={off}
      onClick={() => {
        close(true);
        run();
      }}
    >
      {text}
      {key && <kbd>{key}</kbd>}
    </button>
  );
  const offers = (action: Action): boolean => !actions || actions.includes(action);
  const say = (text: string) => (done: boolean) => toast(done ? text : "The browser does not allow copying here");
  return (
    <div
      class="menu frame-menu"
      role="menu"
      aria-label={clip(visible(name), 200)}
      ref={box}
      onKeyDown={(event) => {
        const all = [...box.current!.querySelectorAll<HTMLElement>("button:not(:disabled)")];
        const index = all.indexOf(document.activeElement as HTMLElement);
        if (event.key === "Escape" || event.key === "Tab") close(true);
        else if (event.key === "ArrowDown") all[(index + 1) % all.length]?.focus();
        else if (event.key === "ArrowUp") all[(index - 1 + all.length) % all.length]?.focus();
        else if (event.key === "Home") all[0]?.focus();
        else if (event.key === "End") all.at(-1)?.focus();
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      <div class="menu-title">{clip(visible(name), 90)}</div>
      {item("Zoom", () => act("zoom"), false, "Enter")}
      {offers("sandwich") && item("Callers and callees", () => act("sandwich"), madeUp, "s")}
      {offers("hide") && item("Hide this function", () => act("hide"), madeUp, actions ? undefined : "h")}
      {offers("include") && item("Only stacks with it", () => act("include"), madeUp)}
      {offers("exclude") && item("Without it", () => act("exclude"), madeUp)}
      {offers("find") && item("Find same", () => act("find"), madeUp)}
      {offers("library") && item("Collapse library frames under it", () => act("library"), madeUp || split(name, tree.kinds[tree.name[at.node]!]!).home === "")}
      {item("Copy name", () => void copy(name).then(say("Name copied")), false, actions ? undefined : "c")}
      {item("Copy stack", () => void copy(path(tree, at.node).map((n) => tree.names[tree.name[n]!]).reverse().join("\n")).then(say(`${plural(tree.depth[at.node]!, "frame")} copied`)))}
    </div>
  );
}
