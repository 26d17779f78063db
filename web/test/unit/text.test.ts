import assert from "node:assert/strict";
import { test } from "node:test";
import { colors, families, PAINT } from "../../src/flame/color.ts";
import { bytes, count, duration, percent, plural, value } from "../../src/flame/format.ts";
import { clip, forms, split, visible, Widths } from "../../src/flame/text.ts";
import { readCells, selfOf, type Columns } from "../../src/panel/cells.ts";
import { random } from "./random.ts";

test("characters that hide or reorder are shown as escapes", () => {
  assert.equal(visible("a\u202eb\u0000c\u200bd"), "a\\u202eb\\u0000c\\u200bd");
  assert.equal(visible("\ud800x"), "\\ud800x");
  assert.equal(visible("<img onerror=alert(1)>"), "<img onerror=alert(1)>");
  assert.equal(visible("😀 漢字 é"), "😀 漢字 é");
  assert.equal(clip("ab😀", 3), "ab…");
});

test("class and method stay, the package goes first", () => {
  assert.deepEqual(split("java.util.concurrent.ThreadPoolExecutor$Worker.run", "j"), { home: "java.util.concurrent", rest: "ThreadPoolExecutor$Worker.run" });
  assert.deepEqual(split("github.com/acme/shop/cart.(*Cart).Total", "g"), { home: "github.com/acme/shop/cart", rest: "cart.(*Cart).Total" });
  assert.deepEqual(split("std::vector::push_back", "n"), { home: "std::vector", rest: "push_back" });
  assert.deepEqual(forms("java.util.HashMap.get", "j"), ["java.util.HashMap.get", "HashMap.get", "get"]);
  const widths = new Widths((text) => text.length * 6);
  assert.equal(widths.fit(forms("java.util.HashMap.get", "j"), 200), "java.util.HashMap.get");
  assert.equal(widths.fit(forms("java.util.HashMap.get", "j"), 80), "HashMap.get");
  assert.equal(widths.fit(forms("java.util.HashMap.get", "j"), 20), "get");
  assert.equal(widths.fit(["abcdefghij"], 40), "abcde…");
  assert.equal(widths.fit(["abcdefghij"], 10), "");
});

test("numbers read as people write them", () => {
  assert.equal(count(1501), "1,501");
  assert.equal(plural(1, "collection"), "1 collection");
  assert.equal(plural(2, "collection"), "2 collections");
  assert.equal(bytes(3.4 * 2 ** 20), "3.4 MiB");
  assert.equal(bytes(0), "0 B");
  assert.equal(duration(640e6), "640 ms");
  assert.equal(duration(80e9), "1 min 20 s");
  assert.equal(duration(1.8e9), "1.8 s");
  assert.equal(duration(3600e9), "1 h 0 min");
  assert.equal(percent(0.125), "12.5 %");
  assert.equal(percent(1), "100 %");
  assert.equal(percent(0.00001), "< 0.01 %");
  assert.equal(percent(0), "0 %");
  assert.equal(percent(0.0968), "9.7 %");
  assert.equal(percent(0.0025), "0.25 %");
  assert.equal(duration(30 * 86400e9), "30 d");
  assert.equal(value(2.4123, "cores"), "2.41 cores");
  assert.equal(value(1204, "count"), "1,204");
});

function luminance(color: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = parseInt(color.slice(i, i + 2), 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
  return (x! + 0.05) / (y! + 0.05);
}

test("text on every fill has a contrast of at least 4.5", () => {
  const one = random(3, 60, 8);
  const tree = { ...one, a: one.total, b: one.total.map((v, i) => (i % 3 === 0 ? v * 2 : i % 3 === 1 ? v / 3 : v)) };
  for (const theme of ["light", "dark"] as const) {
    const paint = PAINT[theme];
    for (const mode of ["package", "kind", "self", "diff"] as const) {
      const made = colors(tree, mode, theme, families(tree));
      for (const { color, label } of made.legend) assert.ok(contrast(color, paint.text) >= 4.5, `${theme} ${mode} ${label}: ${contrast(color, paint.text)}`);
      for (let i = 0; i < tree.size; i++) assert.ok(contrast(made.fill(i), paint.text) >= 4.5);
    }
    assert.ok(contrast(paint.faded, paint.fadedText) >= 4.5, theme);
  }
});

test("a range of a long heat map is that of its cells", () => {
  // Two stacks in each of 10,000 cells, but for a run of empty ones across the begin of a minute.
  const empty = (cell: number): boolean => cell >= 2_900 && cell < 3_100;
  const stacks: number[] = [];
  const ranks: number[] = [];
  const counts: number[] = [];
  let before = [0];
  for (let cell = 0; cell < 10_000; cell++) {
    if (empty(cell)) {
      if (cell === 2_900) stacks.push(0, 199 & 0x7f | 0x80, 199 >> 7);
      continue;
    }
    const now = [cell % 30, 30 + (cell % 7)];
    stacks.push(2);
    now.forEach((stack, i) => {
      const delta = stack - (before[i] ?? before.at(-1)!);
      ranks.push(delta >= 0 ? 2 * delta : -2 * delta - 1);
      counts.push(1);
    });
    before = now;
  }
  const cells = readCells({ stacks: Uint8Array.from(stacks), ranks: Uint8Array.from(ranks), counts: Uint8Array.from(counts) }, 10_000, "before");
  const nodes = Array.from({ length: 40 }, (_, i) => i);
  for (const [from, to] of [[0, 10_000], [2_950, 3_150], [3_050, 3_101], [6_000, 6_001], [8_999, 10_000]] as const) {
    const expected = new Array(40).fill(0);
    for (let cell = from; cell < to; cell++) if (!empty(cell)) for (const stack of [cell % 30, 30 + (cell % 7)]) expected[stack]++;
    assert.deepEqual([...selfOf(cells, nodes, 40, from, to, 1)], expected, `${from}-${to}`);
  }
});

test("cells are read as they are described", () => {
  // Cell 0: stacks 1 (×2) and 4 (×1); three empty cells; cell 4: stack 0 (×300); cell 5: stacks 2, 3 and 4.
  const of = (ranks: number[]): Columns => ({ stacks: Uint8Array.from([2, 0, 2, 1, 3]), ranks: Uint8Array.from(ranks), counts: Uint8Array.from([2, 1, 0xac, 0x02, 1, 1, 1]) });
  for (const [base, ranks] of [["cell", [1, 3, 0, 2, 1, 1]], ["before", [2, 8, 1, 4, 6, 8]]] as const) {
    const cells = readCells(of([...ranks]), 6, base);
    assert.deepEqual([...cells.samples], [3, 0, 0, 0, 300, 3], base);
    assert.deepEqual([...selfOf(cells, [9, 5, 6, 7, 8], 10, 0, 5, 10)], [0, 0, 0, 0, 0, 20, 0, 0, 10, 3000], base);
    assert.deepEqual([...selfOf(cells, [9, 5, 6, 7, 8], 10, 1, 4, 10)], new Array(10).fill(0), base);
    assert.deepEqual([...selfOf(cells, [9, 5, 6, 7, 8], 10, 5, 6, 10)], [0, 0, 0, 0, 0, 0, 10, 10, 10, 0], base);
  }
  assert.throws(() => readCells(of([1]), 6, "cell"), /end too early/);
});
