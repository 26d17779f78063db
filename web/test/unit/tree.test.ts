import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, child, hex, nodeAt, ROOT, ROOT_ADDRESS } from "../../src/flame/address.ts";
import { hit, move, visit, type Window } from "../../src/flame/draw.ts";
import { table, matched } from "../../src/flame/table.ts";
import { Builder, children, fromJson, type Tree, type TreeJson } from "../../src/flame/tree.ts";
import { callers, collapseNames, collapseRecursion, hide, nameSet, only, sandwich, splice } from "../../src/flame/transform.ts";
import { parse } from "../../src/flame/search.ts";
import { folded, random, stacksOf } from "./random.ts";

const JSON_TREE: TreeJson = {
  names: ["all", "main", "a.B.work", "a.B.wait", "c.D.leaf"],
  kinds: "xjjjj",
  depth: [0, 1, 2, 3, 3, 2],
  name: [0, 1, 2, 4, 2, 3],
  self: [0, 1, 2, 30, 7, 10],
};

test("totals, ends and left edges follow from preorder", () => {
  const tree = fromJson(JSON_TREE);
  assert.deepEqual([...tree.total], [50, 50, 39, 30, 7, 10]);
  assert.deepEqual([...tree.end], [6, 6, 5, 4, 5, 6]);
  assert.deepEqual([...tree.start], [0, 0, 0, 0, 30, 39]);
  assert.deepEqual([...tree.parent], [-1, 0, 1, 2, 2, 1]);
});

test("a tree that is not one throws", () => {
  assert.throws(() => fromJson({ ...JSON_TREE, depth: [0, 1, 3, 3, 3, 2] }), /no parent/);
  assert.throws(() => fromJson({ ...JSON_TREE, depth: [0, 1, 0, 3, 3, 2] }), /no parent/);
  assert.throws(() => fromJson({ ...JSON_TREE, name: [0, 1, 9, 4, 2, 3] }), /no name/);
  assert.throws(() => fromJson({ ...JSON_TREE, self: [1] }), /different lengths/);
});

test("addresses are FNV-1a of the path", () => {
  assert.equal(hex(ROOT), ROOT_ADDRESS);
  // Computed with BigInt from the definition.
  const slow = (path: string[]): string => {
    let h = 0xcbf29ce484222325n;
    for (const name of path) {
      for (const byte of [...new TextEncoder().encode(name), 0]) h = ((h ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
    }
    return h.toString(16).padStart(16, "0");
  };
  for (const path of [["main"], ["main", "a.B.work"], ["é", "漢字", "😀", ""], ["x".repeat(8192)]]) {
    let hash = ROOT;
    for (const name of path) hash = child(hash, name);
    assert.equal(hex(hash), slow(path));
  }
  const tree = fromJson(JSON_TREE);
  assert.equal(addressOf(tree, 3), slow(["main", "a.B.work", "c.D.leaf"]));
  for (let i = 0; i < tree.size; i++) assert.equal(nodeAt(tree, addressOf(tree, i)), i);
  assert.equal(nodeAt(tree, "0000000000000000"), -1);
});

test("a function counts once in a stack", () => {
  const rows = table(fromJson(JSON_TREE));
  assert.deepEqual(
    rows.map((r) => [r.key, r.self, r.total]),
    [["c.D.leaf", 30, 30], ["a.B.wait", 10, 10], ["a.B.work", 9, 39], ["main", 1, 50]],
  );
});

/** The slow truth: stacks as lists of names with values. */
const table1 = (stacks: [string[], number][]): Map<string, [number, number]> => {
  const found = new Map<string, [number, number]>();
  for (const [stack, value] of stacks) {
    for (const name of new Set(stack)) {
      const row = found.get(name) ?? [0, 0];
      row[1] += value;
      if (stack.at(-1) === name) row[0] += value;
      found.set(name, row);
    }
  }
  return found;
};

function same(tree: Tree, stacks: [string[], number][]): void {
  assert.deepEqual(folded(stacksOf(tree)), folded(stacks));
  for (let i = 0; i < tree.size; i++) {
    const kids = children(tree, i);
    assert.equal(tree.total[i], tree.self[i]! + kids.reduce((sum, k) => sum + tree.total[k]!, 0));
    for (let k = 1; k < kids.length; k++) assert.ok(tree.total[kids[k - 1]!]! >= tree.total[kids[k]!]!, "siblings by total");
  }
}

test("views of random trees are what their stacks say", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const tree = random(seed, 120, 12);
    const stacks = stacksOf(tree);
    const total = tree.total[0]!;
    const is = (name: string): boolean => name === "f1" || name === "f3";
    const names = nameSet(tree, is);
    same(only(tree, names), stacks.filter(([s]) => s.some(is)));
    same(only(tree, names, true), stacks.filter(([s]) => !s.some(is)));
    same(hide(tree, names), stacks.map(([s, v]) => [s.filter((n) => !is(n)), v]));
    same(collapseRecursion(tree), stacks.map(([s, v]) => [s.filter((n, i) => n !== s[i - 1]), v]));
    same(collapseNames(tree, names), stacks.map(([s, v]) => [s.filter((n, i) => !is(n) || i === 0 || !is(s[i - 1]!)), v]));
    const up = callers(tree, 0);
    assert.equal(up.total[0], total);
    same(up, stacks.map(([s, v]) => [[...s].reverse(), v]));
    const truth = table1(stacks);
    for (const row of table(tree)) assert.deepEqual([row.self, row.total], truth.get(row.key), row.key);
    assert.equal(matched(tree, names).value, stacks.filter(([s]) => s.some(is)).reduce((sum, [, v]) => sum + v, 0));
    const both = sandwich(tree, "f2", 0);
    const through = stacks.filter(([s]) => s.includes("f2"));
    same(both.callees, through.map(([s, v]) => [s.slice(s.indexOf("f2") + 1), v]));
    if (through.length > 0) same(both.callers, through.map(([s, v]) => [s.slice(0, s.indexOf("f2")).reverse(), v]));
    const short = callers(tree, 0.05);
    assert.equal(short.total[0], total, "folding keeps totals");
  }
});

test("a folded subtree is replaced by what the server sends for it", () => {
  const coarse = fromJson({ names: ["all", "a", "b", "[2 more]"], kinds: "xjjx", depth: [0, 1, 2, 1], name: [0, 1, 3, 2], self: [0, 1, 9, 4] });
  const detail = fromJson({ names: ["all", "a", "c", "d"], kinds: "xjjj", depth: [0, 1, 2, 2], name: [0, 1, 2, 3], self: [0, 1, 5, 4] });
  const whole = splice(coarse, 1, detail, 1);
  same(whole, [[["a"], 1], [["a", "c"], 5], [["a", "d"], 4], [["b"], 4]]);
});

test("hits are what is drawn", () => {
  const tree = random(7, 400, 10);
  const window: Window = { from: 0, to: tree.total[0]!, scroll: 0, width: 800, height: 180, up: false };
  let seen = 0;
  visit(tree, window, (node, x, width, depth) => {
    if (node < 0 || width < 2) return;
    seen++;
    assert.equal(hit(tree, window, x + width / 2, depth * 18 + 9), node);
  });
  assert.ok(seen > 20);
  assert.equal(hit(tree, window, -1, 0), -1);
  const zoomed = { ...window, from: tree.start[1]!, to: tree.start[1]! + tree.total[1]! };
  assert.equal(hit(tree, zoomed, 400, 27), 1);
});

test("keys move between relatives", () => {
  const tree = fromJson(JSON_TREE);
  assert.equal(move(tree, 2, "ArrowRight"), 5);
  assert.equal(move(tree, 5, "ArrowLeft"), 2);
  assert.equal(move(tree, 2, "ArrowDown"), 3);
  assert.equal(move(tree, 3, "ArrowUp"), 2);
  assert.equal(move(tree, 3, "End"), 4);
  assert.equal(move(tree, 0, "ArrowUp"), 0);
});

test("search takes text and regular expressions", () => {
  assert.equal(parse("  "), null);
  assert.equal(parse("hashmap")!.test!("java.util.HashMap.get"), true);
  assert.equal(parse("/^java\\.util/")!.test!("java.util.HashMap.get"), true);
  assert.ok(parse("/(/")!.error);
});

test("200,000 nodes 500 deep are read and laid out in time", () => {
  const json = deep(200_000, 500);
  const text = JSON.stringify(json);
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    // The time of the processor, so that other programs do not count.
    const began = process.cpuUsage();
    fromJson(JSON.parse(text) as TreeJson);
    const { user, system } = process.cpuUsage(began);
    times.push((user + system) / 1000);
  }
  const best = Math.min(...times);
  assert.ok(best < 150, `${best.toFixed(0)} ms`);
});

export function deep(nodes: number, depth: number): TreeJson {
  const builder = new Builder(Array.from({ length: 5000 }, (_, i) => (i === 0 ? "all" : `com.acme.pkg${i % 40}.Class${i % 700}.method${i}`)), "x" + "j".repeat(4999), 0);
  let state = 42;
  const next = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % n;
  };
  let made = 1;
  while (made < nodes) {
    let at = 0;
    for (let d = 0; d < depth && made < nodes; d++) {
      const before = made;
      at = builder.child(at, 1 + (d < 450 ? (next(100) < 97 ? d : next(4999)) : next(4999)));
      made = Math.max(before, at + 1);
    }
    builder.add(at, 1 + next(9));
  }
  const tree = builder.finish();
  return { names: tree.names, kinds: tree.kinds, depth: [...tree.depth], name: [...tree.name], self: [...tree.self] };
}
