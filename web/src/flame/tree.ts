/**
 * A call tree in preorder, in flat arrays: the format of `/api/v1/flame`, and the only one used in this folder.
 *
 * The subtree of node `i` is the range `[i, end[i])`, so walking, skipping and cutting are loops over indexes, without recursion and without
 * objects for nodes. Node 0 is the root. Siblings are ordered by total, largest first; drawing relies on it.
 */

/** The tree as received from the server (the schema `Tree` of `/api/v1/openapi.json`). A comparison also has `self_b` and `noise`. */
export interface TreeJson {
  type?: string;
  value?: string;
  unit?: string;
  seconds?: number;
  profiles?: { matched: number; merged: number };
  total?: number;
  samples?: number;
  names: string[];
  kinds: string;
  depth: number[];
  name: number[];
  self: number[];
  folded?: { nodes: number; value: number };
  matches?: { value: number; addresses: string[]; more: number };
  /** Comparison only: the self value of each node in B; `self` is then that of A. */
  self_b?: number[];
  /** Comparison only: 1 if the difference of the node's totals is within sampling noise. */
  noise?: number[];
}

/** A call tree. Arrays are indexed by node unless said otherwise. */
export interface Tree {
  /** Names, by name index. */
  readonly names: string[];
  /** A letter for each name: `j` Java, `n` native, `k` kernel, `v` VM, `p` Python, `g` Go, `s` JavaScript, `x` made up. */
  readonly kinds: string;
  readonly size: number;
  readonly depth: Int32Array;
  readonly name: Int32Array;
  readonly self: Float64Array;
  readonly total: Float64Array;
  readonly parent: Int32Array;
  /** One past the last node of the subtree. */
  readonly end: Int32Array;
  /** The left edge: the sum of everything before the node; 0 for the root. */
  readonly start: Float64Array;
  readonly maxDepth: number;
  /** Comparison only: totals in A and B; `total` is then the width, their mean. */
  readonly a?: Float64Array;
  readonly b?: Float64Array;
  readonly noise?: Uint8Array;
}

/** The name of the node that represents subtrees too narrow to send. Its kind is `x`. */
export function isFolded(tree: Tree, node: number): boolean {
  const name = tree.name[node]!;
  return tree.kinds[name] === "x" && isFoldedName(tree.names[name]!);
}

/** Whether a synthetic name is that of folded subtrees. */
export function isFoldedName(name: string): boolean {
  return /^\[[\d,]+ more\]$/.test(name);
}

/** Parses and validates a tree; throws if it is invalid. */
export function fromJson(json: TreeJson, per?: { a: number; b: number }): Tree {
  const size = json.depth.length;
  if (json.name.length !== size || json.self.length !== size) throw new Error("tree: arrays of different lengths");
  const depth = Int32Array.from(json.depth);
  const name = Int32Array.from(json.name);
  const self = Float64Array.from(json.self);
  for (let i = 0; i < size; i++) {
    const d = depth[i]!;
    if (i === 0 ? d !== 0 : d < 1 || d > depth[i - 1]! + 1) throw new Error(`tree: node ${i} at depth ${d} has no parent`);
    if (name[i]! < 0 || name[i]! >= json.names.length) throw new Error(`tree: node ${i} has no name`);
  }
  if (json.self_b) {
    if (json.self_b.length !== size) throw new Error("tree: arrays of different lengths");
    const scale = per ?? { a: 1, b: 1 };
    return build(json.names, json.kinds, depth, name, self.map((v) => v / scale.a), {
      b: Float64Array.from(json.self_b, (v) => v / scale.b),
      noise: Uint8Array.from(json.noise ?? new Array<number>(size).fill(0)),
    });
  }
  return build(json.names, json.kinds, depth, name, self);
}

/** Completes a tree from its preorder arrays: links, totals, left edges. `b` makes it a comparison. */
export function build(
  names: string[],
  kinds: string,
  depth: Int32Array,
  name: Int32Array,
  self: Float64Array,
  other?: { b: Float64Array; noise: Uint8Array },
): Tree {
  const size = depth.length;
  const parent = new Int32Array(size);
  const end = new Int32Array(size);
  const start = new Float64Array(size);
  let maxDepth = 0;
  for (let i = 0; i < size; i++) if (depth[i]! > maxDepth) maxDepth = depth[i]!;
  const open = new Int32Array(maxDepth + 2);
  for (let i = 0; i < size; i++) {
    const d = depth[i]!;
    parent[i] = d === 0 ? -1 : open[d - 1]!;
    open[d] = i;
  }
  const sumUp = (own: Float64Array): Float64Array => {
    const sums = own.slice();
    for (let i = size - 1; i > 0; i--) sums[parent[i]!]! += sums[i]!;
    return sums;
  };
  end.fill(0);
  for (let i = size - 1; i >= 0; i--) {
    if (end[i] === 0) end[i] = i + 1;
    const p = parent[i]!;
    if (p >= 0 && end[p]! < end[i]!) end[p] = end[i]!;
  }
  const a = sumUp(self);
  const b = other && sumUp(other.b);
  const total = b ? a.map((v, i) => (v + b[i]!) / 2) : a;
  const next = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const p = parent[i]!;
    if (p >= 0) {
      start[i] = next[p]!;
      next[p]! += total[i]!;
    }
    next[i] = start[i]!;
  }
  const tree = { names, kinds, size, depth, name, self, total, parent, end, start, maxDepth };
  return other && b ? { ...tree, a, b, noise: other.noise } : tree;
}

/** The tree in the format of the API. */
export function toJson(tree: Tree): TreeJson {
  return {
    total: tree.total[0] ?? 0,
    names: tree.names,
    kinds: tree.kinds,
    depth: Array.from(tree.depth),
    name: Array.from(tree.name),
    self: Array.from(tree.self),
  };
}

/** The children of a node, in order. */
export function children(tree: Tree, node: number): number[] {
  const found: number[] = [];
  for (let at = node + 1; at < tree.end[node]!; at = tree.end[at]!) found.push(at);
  return found;
}

/** The nodes from the root's child to `node`. */
export function path(tree: Tree, node: number): number[] {
  const found: number[] = [];
  for (let at = node; at > 0; at = tree.parent[at]!) found.push(at);
  return found.reverse();
}

/** Grows a tree by adding values to paths; equal paths become one node. */
export class Builder {
  private parents: number[] = [-1];
  private nameOf: number[];
  private own: number[] = [0];
  private readonly index = new Map<number, number>();

  /** `names` and `kinds` are those of the resulting tree; `root` is the name index of the root. */
  constructor(
    private readonly names: string[],
    private readonly kinds: string,
    root: number,
  ) {
    this.nameOf = [root];
  }

  /** The child of `parent` with this name, created if necessary. */
  child(parent: number, name: number): number {
    const key = parent * this.names.length + name;
    let node = this.index.get(key);
    if (node === undefined) {
      node = this.nameOf.length;
      this.parents.push(parent);
      this.nameOf.push(name);
      this.own.push(0);
      this.index.set(key, node);
    }
    return node;
  }

  /** Adds to a node's self value. */
  add(node: number, value: number): void {
    this.own[node]! += value;
  }

  nameAt(node: number): number {
    return this.nameOf[node]!;
  }

  parentAt(node: number): number {
    return this.parents[node]!;
  }

  /** The tree, without empty subtrees, and with siblings ordered by total, then by name. */
  finish(): Tree {
    const count = this.nameOf.length;
    const total = Float64Array.from(this.own);
    // A child is always created after its parent.
    for (let i = count - 1; i > 0; i--) total[this.parents[i]!]! += total[i]!;
    const kids: number[][] = new Array<number[]>(count);
    for (let i = 1; i < count; i++) if (total[i]! > 0) (kids[this.parents[i]!] ??= []).push(i);
    const depth: number[] = [];
    const name: number[] = [];
    const self: number[] = [];
    const stack: [number, number][] = [[0, 0]];
    while (stack.length > 0) {
      const [node, d] = stack.pop()!;
      depth.push(d);
      name.push(this.nameOf[node]!);
      self.push(this.own[node]!);
      const below = kids[node];
      if (!below) continue;
      below.sort((x, y) => total[x]! - total[y]! || compare(this.names[this.nameOf[y]!]!, this.names[this.nameOf[x]!]!));
      for (const k of below) stack.push([k, d + 1]);
    }
    return build(this.names, this.kinds, Int32Array.from(depth), Int32Array.from(name), Float64Array.from(self));
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
