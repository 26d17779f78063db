// The vectors that `profile/tests/vectors.rs` writes: what the page computes from a tree is what Rust computed from the stacks, at every node.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { addressOf } from "../../src/flame/address.ts";
import { parse } from "../../src/flame/search.ts";
import { matched, table } from "../../src/flame/table.ts";
import { callers, collapseNames, collapseRecursion, hide, nameSet, only, sandwich } from "../../src/flame/transform.ts";
import { fromJson, path, type Tree, type TreeJson } from "../../src/flame/tree.ts";

interface Vector {
  flame: TreeJson;
  addresses: string[];
  callers: TreeJson;
  sandwich: { function: string; callers: TreeJson; callees: TreeJson };
  table: [string, number, number][];
  include: { pattern: string; tree: TreeJson };
  exclude: { pattern: string; tree: TreeJson };
  hide: { pattern: string; tree: TreeJson };
  recursion: TreeJson;
  library: { prefix: string; tree: TreeJson };
  search: { text: string; value: number };
}

const vectors = JSON.parse(readFileSync(join(import.meta.dirname, "../../../profile/tests/vectors/trees.json"), "utf8")) as Vector[];

/** Every node with its path, own value and total, in an order that does not depend on siblings of equal totals. */
function nodes(tree: Tree): string[] {
  const all: string[] = [];
  for (let i = 0; i < tree.size; i++) {
    const names = path(tree, i).map((node) => tree.names[tree.name[node]!]!);
    all.push(`${names.join(";")} ${tree.self[i]} ${tree.total[i]}`);
  }
  return all.sort();
}

const same = (made: Tree, expected: TreeJson): void => assert.deepEqual(nodes(made), nodes(fromJson(expected)));

test("there are vectors", () => assert.ok(vectors.length >= 8));

vectors.forEach((vector, i) => {
  test(`views of random profile ${i + 1} have the numbers of the Rust code`, () => {
    const tree = fromJson(vector.flame);
    const names = (pattern: string): ReturnType<typeof nameSet> => nameSet(tree, (name) => new RegExp(pattern, "u").test(name), false);
    assert.deepEqual(Array.from({ length: tree.size }, (_, node) => addressOf(tree, node)), vector.addresses);
    same(callers(tree, 0), vector.callers);
    const both = sandwich(tree, vector.sandwich.function, 0);
    if (tree.names.includes(vector.sandwich.function)) {
      same(both.callers, vector.sandwich.callers);
      same(both.callees, vector.sandwich.callees);
    }
    same(only(tree, names(vector.include.pattern)), vector.include.tree);
    same(only(tree, names(vector.exclude.pattern), true), vector.exclude.tree);
    same(hide(tree, names(vector.hide.pattern)), vector.hide.tree);
    same(collapseRecursion(tree), vector.recursion);
    same(collapseNames(tree, nameSet(tree, (name) => name.startsWith(vector.library.prefix), false)), vector.library.tree);
    const rows = table(tree).map((row) => JSON.stringify([row.key, row.self, row.total]));
    assert.deepEqual(rows.sort(), vector.table.map((row) => JSON.stringify(row)).sort());
    const search = parse(vector.search.text);
    assert.ok(search?.test);
    assert.equal(matched(tree, nameSet(tree, search.test)).value, vector.search.value);
  });
});
