/** Sums by function. A function counts once per stack, so no share exceeds 100 %. */
import { isFolded, type Tree } from "./tree.ts";
import type { NameSet } from "./transform.ts";

/** A row: the self value, and the value of the stacks that contain the function. */
export interface Row {
  key: string;
  kind: string;
  self: number;
  total: number;
  samples?: number;
}

/** The rows of all functions in the tree, largest self value first. Synthetic nodes for folded subtrees are left out. */
export function table(tree: Tree): Row[] {
  const self = new Float64Array(tree.names.length);
  const total = new Float64Array(tree.names.length);
  const onPath = new Int32Array(tree.names.length);
  const skip = new Uint8Array(tree.names.length);
  const open: number[] = [];
  for (let i = 1; i < tree.size; i++) {
    while (open.length > 0 && tree.end[open[open.length - 1]!]! <= i) onPath[tree.name[open.pop()!]!]!--;
    const name = tree.name[i]!;
    if (isFolded(tree, i)) skip[name] = 1;
    self[name]! += tree.self[i]!;
    if (onPath[name]!++ === 0) total[name]! += tree.total[i]!;
    open.push(i);
  }
  const rows: Row[] = [];
  for (let n = 0; n < tree.names.length; n++) {
    if (total[n]! > 0 && !skip[n]) rows.push({ key: tree.names[n]!, kind: tree.kinds[n]!, self: self[n]!, total: total[n]! });
  }
  return rows.sort((x, y) => y.self - x.self || y.total - x.total || (x.key < y.key ? -1 : 1));
}

/** A row of a comparison. */
export interface DiffRow {
  key: string;
  kind: string;
  a: number;
  b: number;
  self_a: number;
  self_b: number;
  /** Whether the difference of the totals is within sampling noise, if the server judged it. */
  noise?: boolean;
}

/** The value of the stacks that contain a frame in `names`, counting each stack once. */
export function matched(tree: Tree, names: NameSet): { value: number; nodes: number[] } {
  let value = 0;
  const nodes: number[] = [];
  let outer = 0;
  for (let i = 1; i < tree.size; i++) {
    if (!names[tree.name[i]!]) continue;
    nodes.push(i);
    if (i >= outer) {
      value += tree.total[i]!;
      outer = tree.end[i]!;
    }
  }
  return { value, nodes };
}
