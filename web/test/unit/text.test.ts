import assert from "node:assert/strict";
import { test } from "node:test";
import { colors, families, PAINT } from "../../src/flame/color.ts";
import { bytes, count, duration, percent, plural, value } from "../../src/flame/format.ts";
import { clip, forms, split, visible, Widths } from "../../src/flame/text.ts";
import { readCells, selfOf } from "../../src/panel/cells.ts";
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

test("cells are read as they are described", () => {
  // Cell 0: stacks 1 (×2) and 4 (×1); three empty cells; cell 4: stack 0 (×300).
  const cells = readCells(Uint8Array.from([2, 1, 2, 3, 1, 0, 2, 1, 0, 0xac, 0x02]), 5);
  assert.deepEqual([...cells.counts], [3, 0, 0, 0, 300]);
  assert.deepEqual([...selfOf(cells, [9, 5, 6, 7, 8], 10, 0, 5, 10)], [0, 0, 0, 0, 0, 20, 0, 0, 10, 3000]);
  assert.deepEqual([...selfOf(cells, [9, 5, 6, 7, 8], 10, 1, 4, 10)], new Array(10).fill(0));
  assert.throws(() => readCells(Uint8Array.from([2, 1]), 5), /too early/);
});
