/**
 * The data embedded in a page from disk. README.md describes the format. The page computes callers, sandwiches, filters and tables itself, from the
 * embedded trees.
 */
import { build, fromJson, toJson, type Tree, type TreeJson } from "../flame/tree.ts";
import { parse } from "../flame/search.ts";
import { table as tableOf, type DiffRow, type Row } from "../flame/table.ts";
import { callers, collapseNames, collapseRecursion, hide, nameSet, only, sandwich } from "../flame/transform.ts";
import { Failure, type Source } from "./source.ts";
import type { AnalysisJson, DiffJson, FlameJson, MetricsJson, ProfileDetail, ProfileRow, Side, TypeInfo, ValueInfo, View } from "./types.ts";

/** A value with the blocks that contain its data. */
export interface PageValue extends ValueInfo {
  /** Id of the block with the tree (see README.md; in a `diff` page with `self_b` and `noise`). */
  tree: string;
  /** Id of the block with the function table of the complete tree, if the tree was folded: `{"rows":[…]}`. */
  table?: string;
  /** What was left out of the page. */
  folded?: { nodes: number; value: number };
  /** Trees whose first level is a label: `{"thread":"id of the block"}`. */
  groups?: Record<string, string>;
  /** Only in `diff` pages. */
  a?: Side;
  b?: Side;
}

export interface PageType extends Omit<TypeInfo, "values"> {
  values: PageValue[];
  how?: string[];
}

/** The block `jfrkit-page`. */
export interface PageJson {
  kind: "flame" | "diff" | "heatmap" | "report";
  title: string;
  subtitle?: string;
  generator: string;
  seconds?: number;
  types?: PageType[];
  a?: { label: string };
  b?: { label: string };
  per?: "second" | "share";
  heatmap?: HeatmapJson;
  /** Only in `report` pages. */
  profiles?: ReportProfile[];
}

/** A profile in a report: responses of the API, and `types` with the blocks of their trees. The service in `row` is the file name. */
export interface ReportProfile {
  row: ProfileRow;
  detail: Omit<ProfileDetail, "types"> & { types: PageType[] };
  /** Ids of blocks. */
  analysis?: string | null;
  /** Why there is no analysis. */
  no_analysis?: string;
  metrics?: string | null;
  runtime?: string | null;
}

/** Samples over time. */
export interface HeatmapJson {
  /** Milliseconds since 1970 of the first cell. */
  start: number;
  /** Length of a cell in milliseconds. */
  step_ms: number;
  cells: number;
  unit: string;
  /** The value of each sample if they are all equal; otherwise 1, and the counts are values. */
  weight: number;
  /** Id of the block with the tree of all samples. */
  tree: string;
  /** Id of the block with the stacks: for each the index of its node in the tree. */
  stacks: string;
  /** Ids of the blocks with the cells: how many stacks each has, which, and how often each. */
  data: [string, string, string];
  /** What differences of stack numbers refer to: the previous number in the cell, or the number at the same position in the previous cell. */
  base: "cell" | "before";
  /** What the tree leaves out. */
  folded?: { nodes: number; value: number };
}

/** Parses the block with this id, compressed or not. */
export async function block(id: string): Promise<unknown> {
  return JSON.parse(new TextDecoder("utf-8").decode(await bytes(id)));
}

/** The bytes of a block: base64 of gzip, or text. */
export async function bytes(id: string): Promise<Uint8Array> {
  const element = document.getElementById(id);
  if (!element) throw new Failure(404, "The page is incomplete", `It has no block ${id}.`, id);
  const text = element.textContent ?? "";
  if (element.getAttribute("type") !== "application/gzip") return new TextEncoder().encode(text);
  const raw = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The data embedded in the page, or null if there is a server. */
export function page(): PageJson | null {
  const element = document.getElementById("jfrkit-page");
  return element ? (JSON.parse(element.textContent ?? "") as PageJson) : null;
}

/** Does what a server would do: first filters, then collapsing, then the view. */
export function applyFilters(tree: Tree, view: View): Tree {
  const set = (patterns: string[] | undefined): Uint8Array[] =>
    (patterns ?? []).map((pattern) => {
      const found = parse(`/${pattern}/`);
      if (found?.error !== undefined) throw new Failure(400, "Not a regular expression", found.error, pattern);
      return nameSet(tree, found?.test ?? (() => false));
    });
  for (const names of set(view.include)) tree = only(tree, names);
  for (const names of set(view.exclude)) tree = only(tree, names, true);
  for (const names of set(view.hide)) tree = hide(tree, names);
  if (view.library?.length) {
    const prefixes = view.library;
    tree = collapseNames(tree, nameSet(tree, (name) => prefixes.some((prefix) => name.startsWith(prefix)), false));
  }
  return view.recursion ? collapseRecursion(tree) : tree;
}

function plain(view: View): boolean {
  return !view.include?.length && !view.exclude?.length && !view.hide?.length && !view.library?.length && !view.recursion;
}

const NOT_HERE = (what: string): Promise<never> =>
  Promise.reject(new Failure(404, `This page does not contain ${what}`, "The page was written from files; jfrkit serve shows it.", what));

/** Provides data from the blocks of the page. */
export class EmbeddedSource implements Source {
  readonly server = false;
  private readonly trees = new Map<string, Promise<Tree>>();
  /** Replaces the tree of the page, when a range is selected in a heat map. */
  override: Tree | null = null;

  constructor(readonly page: PageJson) {}

  private reports(): ReportProfile[] {
    return this.page.profiles ?? [];
  }

  private find(id: string): ReportProfile | undefined {
    return this.reports().find((p) => p.row.id === id);
  }

  private typesOf(ids: string[] | undefined): PageType[] {
    return this.find(ids?.[0] ?? "")?.detail.types ?? this.reports()[0]?.detail.types ?? this.page.types ?? [];
  }

  private value(ids: string[] | undefined, view: View): PageValue {
    const type = this.typesOf(ids).find((t) => t.type === view.type);
    const value = type?.values.find((v) => v.name === view.value) ?? type?.values.at(-1);
    if (!value) throw new Failure(404, "This page does not contain this profile type", view.type, view.type);
    return value;
  }

  private tree(id: string): Promise<Tree> {
    let tree = this.trees.get(id);
    if (!tree) {
      tree = block(id).then((json) => fromJson(json as TreeJson));
      this.trees.set(id, tree);
    }
    return tree;
  }

  private async shown(ids: string[] | undefined, view: View): Promise<{ tree: Tree; value: PageValue }> {
    const value = this.value(ids, view);
    const group = view.group && value.groups?.[view.group];
    const tree = this.override ?? (await this.tree(group || value.tree));
    return { tree: plain(view) ? tree : applyFilters(tree, view), value };
  }

  flame: Source["flame"] = async (selection, view) => {
    const { tree, value } = await this.shown(selection.profile, view);
    const head = {
      type: view.type,
      value: value.name,
      unit: value.unit,
      seconds: this.page.seconds,
      total: this.override ? this.override.total[0] : value.total,
      samples: value.samples,
      folded: value.folded,
    };
    if (view.view === "callers") return { ...toJson(callers(tree)), ...head };
    if (view.view === "sandwich" && view.function) {
      const both = sandwich(tree, view.function);
      return { ...toJson(both.callers), ...head, callees: toJson(both.callees) } as FlameJson;
    }
    return { ...toJson(tree), ...head };
  };

  table: Source["table"] = async (selection, view, query) => {
    const value = this.value(selection.profile, view);
    const whole = plain(view) && !this.override && value.table;
    let rows: Row[];
    let cut: [number, number] | undefined;
    if (whole) {
      const table = (await block(value.table!)) as { rows: Row[]; count?: number };
      rows = table.rows;
      if ((table.count ?? 0) > rows.length) cut = [rows.length, table.count!];
    } else rows = tableOf((await this.shown(selection.profile, { ...view, group: undefined })).tree);
    const total = this.override ? this.override.total[0]! : value.total;
    const key = query.sort.replace(/^-/, "") as "self" | "total" | "key" | "samples";
    const test = parse(query.filter)?.test;
    const found = test ? rows.filter((row) => test(row.key)) : rows.slice();
    found.sort((x, y) => (key === "key" ? (x.key < y.key ? -1 : 1) : (x[key] ?? 0) - (y[key] ?? 0)) * (query.sort.startsWith("-") ? -1 : 1));
    return { total, unit: value.unit, rows: found.slice(0, query.limit), count: found.length, cut };
  };

  diff: Source["diff"] = async (_a, _b, view) => {
    const value = this.value(undefined, view);
    let json = (await block(value.tree)) as TreeJson;
    if (!plain(view)) json = filterDiff(json, view);
    return { ...json, a: value.a ?? { total: 0 }, b: value.b ?? { total: 0 }, unit: value.unit } as DiffJson;
  };

  diffTable: Source["diffTable"] = async (_a, _b, view) => {
    const value = this.value(undefined, view);
    const tree = async (): Promise<TreeJson> => (await block(value.tree)) as TreeJson;
    const rows = !plain(view) ? diffRows(filterDiff(await tree(), view)) : value.table ? ((await block(value.table)) as { rows: DiffRow[] }).rows : diffRows(await tree());
    return { a: value.a ?? { total: 0 }, b: value.b ?? { total: 0 }, unit: value.unit, rows, count: rows.length };
  };

  profiles: Source["profiles"] = ({ sort }) => {
    const key = sort.replace(/^-/, "");
    const down = sort.startsWith("-") ? -1 : 1;
    const of = (row: ProfileRow): string | number | null =>
      key === "findings" ? (row.findings?.warning ?? 0) * 1e6 + (row.findings?.info ?? 0) : key === "size" ? row.bytes : (row as unknown as Record<string, string | number | null>)[key] ?? null;
    // What is unknown comes last.
    const rows = this.reports().map((p) => p.row).sort((a, b) => {
      const [x, y] = [of(a), of(b)];
      return x === y ? 0 : x === null ? 1 : y === null ? -1 : x < y ? -down : down;
    });
    return Promise.resolve({ total: rows.length, rows, next: null });
  };

  facets: Source["facets"] = () => Promise.resolve({ facets: {} });

  suggest: Source["suggest"] = () => Promise.resolve([]);

  profile: Source["profile"] = (id) => {
    const found = this.find(id);
    return found ? Promise.resolve(found.detail as ProfileDetail) : NOT_HERE("this profile");
  };

  analysis: Source["analysis"] = async (id) => {
    const at = this.find(id);
    return at?.analysis ? ((await block(at.analysis)) as AnalysisJson) : Promise.reject(new Failure(404, "There is no analysis", at?.no_analysis ?? "", id));
  };

  metrics: Source["metrics"] = async ({ service, env }) => {
    const at = this.reports().find((p) => p.detail.service === service && p.detail.env === env)?.metrics;
    return at ? ((await block(at)) as MetricsJson) : NOT_HERE("metrics");
  };

  runtime: Source["runtime"] = async (id) => {
    const at = this.find(id)?.runtime;
    return at ? String(await block(at)) : NOT_HERE("runtime information");
  };

  status: Source["status"] = () => NOT_HERE("a status");
  fileUrl = (): null => null;
  exportUrl = (): null => null;
  upload = (): Promise<never> => NOT_HERE("a server");
  change = (): Promise<never> => NOT_HERE("a server");
  remove = (): Promise<never> => NOT_HERE("a server");
  follow = () => () => {};
}

/** Filters both sides of a comparison: each side is filtered as a tree, then equal paths are joined again. */
function filterDiff(json: TreeJson, view: View): TreeJson {
  const side = (self: number[]): Tree =>
    applyFilters(build(json.names, json.kinds, Int32Array.from(json.depth), Int32Array.from(json.name), Float64Array.from(self)), view);
  return joinDiff(side(json.self), side(json.self_b!));
}

/** Joins two trees with the same names into a comparison. */
export function joinDiff(a: Tree, b: Tree): TreeJson {
  const key = (parent: number, name: number): number => parent * a.names.length + name;
  const index = new Map<number, number>();
  const kids: number[][] = [[]];
  const name: number[] = [a.name[0] ?? 0];
  const own: [number[], number[]] = [[0], [0]];
  [a, b].forEach((tree, s) => {
    const at = new Int32Array(tree.size);
    for (let i = 0; i < tree.size; i++) {
      if (i > 0) {
        const parent = at[tree.parent[i]!]!;
        const k = key(parent, tree.name[i]!);
        let node = index.get(k);
        if (node === undefined) {
          node = name.push(tree.name[i]!) - 1;
          kids.push([]);
          kids[parent]!.push(node);
          own[0].push(0);
          own[1].push(0);
          index.set(k, node);
        }
        at[i] = node;
      }
      own[s as 0 | 1][at[i]!]! += tree.self[i]!;
    }
  });
  const total = name.map((_, i) => own[0][i]! + own[1][i]!);
  const parentOf = new Int32Array(name.length).fill(-1);
  kids.forEach((list, p) => list.forEach((k) => (parentOf[k] = p)));
  for (let i = name.length - 1; i > 0; i--) total[parentOf[i]!]! += total[i]!;
  const out: TreeJson = { names: a.names, kinds: a.kinds, depth: [], name: [], self: [], self_b: [] };
  const stack: [number, number][] = [[0, 0]];
  while (stack.length > 0) {
    const [node, depth] = stack.pop()!;
    out.depth.push(depth);
    out.name.push(name[node]!);
    out.self.push(own[0][node]!);
    out.self_b!.push(own[1][node]!);
    kids[node]!.sort((x, y) => total[x]! - total[y]!);
    for (const k of kids[node]!) stack.push([k, depth + 1]);
  }
  return out;
}

/** Computes the function table of a comparison from its tree. */
export function diffRows(json: TreeJson): DiffRow[] {
  const side = (self: number[]): Map<string, Row> =>
    new Map(
      tableOf(build(json.names, json.kinds, Int32Array.from(json.depth), Int32Array.from(json.name), Float64Array.from(self))).map((row) => [row.key, row]),
    );
  const a = side(json.self);
  const b = side(json.self_b!);
  const rows: DiffRow[] = [];
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    const x = a.get(key);
    const y = b.get(key);
    rows.push({ key, kind: (x ?? y)!.kind, a: x?.total ?? 0, b: y?.total ?? 0, self_a: x?.self ?? 0, self_b: y?.self ?? 0 });
  }
  return rows.sort((p, q) => Math.abs(q.b - q.a) - Math.abs(p.b - p.a));
}
