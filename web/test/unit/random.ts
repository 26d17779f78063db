import { Builder, path, type Tree } from "../../src/flame/tree.ts";

/** A random tree with few names, so that recursion and shared names occur. */
export function random(seed: number, stacks: number, depth: number): Tree {
  let state = seed * 2654435761;
  const next = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % n;
  };
  const names = ["all", ...Array.from({ length: 7 }, (_, i) => `f${i}`)];
  const builder = new Builder(names, "xjjjnnkg", 0);
  for (let i = 0; i < stacks; i++) {
    let at = 0;
    for (let d = 1 + next(depth); d > 0; d--) at = builder.child(at, 1 + next(7));
    builder.add(at, 1 + next(100));
  }
  return builder.finish();
}

/** The stacks of a tree, root first, without the root. */
export function stacksOf(tree: Tree): [string[], number][] {
  const found: [string[], number][] = [];
  for (let i = 0; i < tree.size; i++) {
    if (tree.self[i]! > 0) found.push([path(tree, i).map((n) => tree.names[tree.name[n]!]!), tree.self[i]!]);
  }
  return found;
}

/** Stacks as one map, equal ones summed. */
export function folded(stacks: [string[], number][]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [stack, value] of stacks) if (value > 0) sums[stack.join(";")] = (sums[stack.join(";")] ?? 0) + value;
  return sums;
}
