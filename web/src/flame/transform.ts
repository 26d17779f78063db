/**
 * Views of a tree: callers, sandwich, filters, collapsed recursion. A page without a server computes them here; with a server, `profile/` does. The
 * vectors in `test/vectors` check that both produce the same number at every node.
 */
import { Builder, build, isFolded, isFoldedName, type Tree } from "./tree.ts";

/** Whether a name is selected, by name index. */
export type NameSet = Uint8Array;

/** The names for which `test` returns true, except those of folded subtrees; synthetic names only if `madeUp` is set. */
export function nameSet(tree: Tree, test: (name: string) => boolean, madeUp = true): NameSet {
  return Uint8Array.from(tree.names, (name, i) => (tree.kinds[i] === "x" && (!madeUp || isFoldedName(name)) ? 0 : test(name) ? 1 : 0));
}

/** Removes the frames in `names`; their self value goes to the caller. */
export function hide(tree: Tree, names: NameSet): Tree {
  return rebuild(tree, (builder, parent, node) => (names[tree.name[node]!] ? parent : builder.child(parent, tree.name[node]!)));
}

/** Keeps the stacks that contain a frame in `names` or, with `without`, those that do not. */
export function only(tree: Tree, names: NameSet, without = false): Tree {
  const seen = new Uint8Array(tree.size);
  const builder = new Builder(tree.names, tree.kinds, tree.name[0] ?? 0);
  const made = new Int32Array(tree.size);
  for (let i = 0; i < tree.size; i++) {
    const above = i > 0 && seen[tree.parent[i]!]! > 0;
    seen[i] = above || (i > 0 && names[tree.name[i]!]! > 0) ? 1 : 0;
    if (i > 0) made[i] = builder.child(made[tree.parent[i]!]!, tree.name[i]!);
    if (seen[i] === (without ? 0 : 1)) builder.add(made[i]!, tree.self[i]!);
  }
  return builder.finish();
}

/** Merges consecutive frames of the same function. */
export function collapseRecursion(tree: Tree): Tree {
  return rebuild(tree, (builder, parent, node) =>
    parent > 0 && builder.nameAt(parent) === tree.name[node] ? parent : builder.child(parent, tree.name[node]!),
  );
}

/** Keeps the first of consecutive frames in `names`: library code is reduced to the frame that was called. */
export function collapseNames(tree: Tree, names: NameSet): Tree {
  return rebuild(tree, (builder, parent, node) =>
    names[tree.name[node]!] && parent > 0 && names[builder.nameAt(parent)] ? parent : builder.child(parent, tree.name[node]!),
  );
}

/** The stacks that pass through a node, as a tree with the same root. */
export function subtree(tree: Tree, node: number): Tree {
  const builder = new Builder(tree.names, tree.kinds, tree.name[0] ?? 0);
  const made = new Int32Array(tree.size);
  for (let i = node; i < tree.end[node]!; i++) {
    made[i] = i === node ? builder.child(0, tree.name[i]!) : builder.child(made[tree.parent[i]!]!, tree.name[i]!);
    builder.add(made[i]!, tree.self[i]!);
  }
  return builder.finish();
}

function rebuild(tree: Tree, place: (builder: Builder, parent: number, node: number) => number): Tree {
  const builder = new Builder(tree.names, tree.kinds, tree.name[0] ?? 0);
  const made = new Int32Array(tree.size);
  for (let i = 0; i < tree.size; i++) {
    if (i > 0) made[i] = place(builder, made[tree.parent[i]!]!, i);
    builder.add(made[i]!, tree.self[i]!);
  }
  return builder.finish();
}

/**
 * The inverted tree: below the root are the functions with self values, and below each function its callers. The self value of a node is that of the
 * stacks that begin there. Nodes narrower than `min` (a share of the total) are folded into one `[N more]` under their parent, so totals stay
 * correct; 0 keeps all nodes.
 */
export function callers(tree: Tree, min = 1e-4): Tree {
  const from: number[] = [];
  const value: number[] = [];
  for (let i = 1; i < tree.size; i++) {
    if (tree.self[i]! > 0) {
      from.push(i);
      value.push(tree.self[i]!);
    }
  }
  return invert(tree, from, value, tree.self[0] ?? 0, min);
}

/** A function with its callers (inverted, the function at the root) and its callees. Both have the same total: each stack counts once. */
export interface Sandwich {
  callers: Tree;
  callees: Tree;
}

/**
 * The callers and callees of a function. In a recursive stack, only the outermost frame of the function counts, so no stack counts twice.
 */
export function sandwich(tree: Tree, functionName: string, min = 1e-4): Sandwich {
  const wanted = tree.names.indexOf(functionName);
  const builder = new Builder(tree.names, tree.kinds, Math.max(wanted, 0));
  const from: number[] = [];
  const value: number[] = [];
  const made = new Int32Array(tree.size);
  for (let i = 1; i < tree.size; ) {
    if (tree.name[i] !== wanted) {
      i++;
      continue;
    }
    from.push(i);
    value.push(tree.total[i]!);
    builder.add(0, tree.self[i]!);
    for (let k = i + 1; k < tree.end[i]!; k++) {
      made[k] = builder.child(tree.parent[k] === i ? 0 : made[tree.parent[k]!]!, tree.name[k]!);
      builder.add(made[k]!, tree.self[k]!);
    }
    i = tree.end[i]!;
  }
  const above = invert(tree, from, value, 0, min);
  // The function is the only child of the inverted root, so make it the root.
  return { callers: above.size > 1 ? dropRoot(above) : above, callees: builder.finish() };
}

function dropRoot(tree: Tree): Tree {
  const from = 1;
  return build(tree.names, tree.kinds, tree.depth.slice(from).map((d) => d - 1), tree.name.slice(from), tree.self.slice(from));
}

function invert(tree: Tree, from: number[], value: number[], rootSelf: number, min: number): Tree {
  const names = tree.names.slice();
  let kinds = tree.kinds;
  const folded = new Map<number, number>();
  const foldedName = (count: number): number => {
    let index = folded.get(count);
    if (index === undefined) {
      index = names.length;
      names.push(`[${count} more]`);
      kinds += "x";
      folded.set(count, index);
    }
    return index;
  };
  let sum = rootSelf;
  for (const v of value) sum += v;
  const least = sum * min;
  const depth: number[] = [0];
  const name: number[] = [tree.name[0] ?? 0];
  const self: number[] = [rootSelf];
  type Group = { name: number; total: number; at: number[]; value: number[] };
  const stack: { group: Group; depth: number }[] = [];
  const expand = (at: number[], values: number[], below: number): number => {
    const groups = new Map<number, Group>();
    let ends = 0;
    for (let i = 0; i < at.length; i++) {
      const node = at[i]!;
      if (node <= 0) {
        ends += values[i]!;
        continue;
      }
      const key = tree.name[node]!;
      let group = groups.get(key);
      if (!group) groups.set(key, (group = { name: key, total: 0, at: [], value: [] }));
      group.total += values[i]!;
      group.at.push(node);
      group.value.push(values[i]!);
    }
    let narrow = 0;
    let narrowValue = 0;
    const wide: Group[] = [];
    for (const group of groups.values()) {
      if (group.total < least) {
        narrow++;
        narrowValue += group.total;
      } else wide.push(group);
    }
    if (narrow > 0) wide.push({ name: foldedName(narrow), total: narrowValue, at: [], value: [narrowValue] });
    wide.sort((x, y) => x.total - y.total || (names[x.name]! < names[y.name]! ? 1 : -1));
    for (const group of wide) stack.push({ group, depth: below });
    return ends;
  };
  expand(from, value, 1);
  while (stack.length > 0) {
    const { group, depth: d } = stack.pop()!;
    depth.push(d);
    name.push(group.name);
    const slot = self.push(0) - 1;
    if (group.at.length === 0) {
      self[slot] = group.total;
      continue;
    }
    self[slot] = expand(
      group.at.map((node) => tree.parent[node]!),
      group.value,
      d + 1,
    );
  }
  return build(names, kinds, Int32Array.from(depth), Int32Array.from(name), Float64Array.from(self));
}

/** Replaces the subtree at `node` with the one at `at` in `detail`, which is more detailed. If `at` is -1, the tree stays unchanged. */
export function splice(tree: Tree, node: number, detail: Tree, at: number): Tree {
  if (at < 0) return tree;
  const names = tree.names.slice();
  let kinds = tree.kinds;
  const known = new Map(names.map((n, i) => [kinds[i] + n, i]));
  const map = new Int32Array(detail.names.length);
  detail.names.forEach((n, i) => {
    const key = detail.kinds[i] + n;
    let index = known.get(key);
    if (index === undefined) {
      index = names.length;
      names.push(n);
      kinds += detail.kinds[i] ?? "x";
      known.set(key, index);
    }
    map[i] = index;
  });
  const shift = tree.depth[node]! - detail.depth[at]!;
  const inner = detail.end[at]! - at;
  const tail = tree.end[node]!;
  const size = node + inner + tree.size - tail;
  const depth = new Int32Array(size);
  const name = new Int32Array(size);
  const self = new Float64Array(size);
  depth.set(tree.depth.subarray(0, node));
  name.set(tree.name.subarray(0, node));
  self.set(tree.self.subarray(0, node));
  for (let i = 0; i < inner; i++) {
    depth[node + i] = detail.depth[at + i]! + shift;
    name[node + i] = map[detail.name[at + i]!]!;
    self[node + i] = detail.self[at + i]!;
  }
  depth.set(tree.depth.subarray(tail), node + inner);
  name.set(tree.name.subarray(tail), node + inner);
  self.set(tree.self.subarray(tail), node + inner);
  return build(names, kinds, depth, name, self);
}

/** Whether anything below this node was folded. */
export function hasFolded(tree: Tree, node: number): boolean {
  for (let i = node; i < tree.end[node]!; i++) if (isFolded(tree, i)) return true;
  return false;
}
