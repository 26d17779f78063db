import assert from "node:assert/strict";
import { test } from "node:test";
import { bounds, choose, chosen, distribution, quote, range, terms, typedAt, without } from "../../src/app/query.ts";
import { absolute, around, shifted } from "../../src/app/time.ts";

test("terms are found with their place", () => {
  assert.deepEqual(
    terms('service:shop -env:(prod OR "big one") cpu:[1 TO 2] bare "two words"').map((t) => [t.name, t.negated, t.values, t.start]),
    [
      ["service", false, ["shop"], 0],
      ["env", true, ["prod", "big one"], 13],
      ["cpu", false, ["[1 TO 2]"], 38],
      ["", false, ["bare"], 51],
      ["", false, ["two words"], 56],
    ],
  );
  assert.deepEqual(terms('env:"open').map((t) => t.values), [["open"]]);
  assert.deepEqual(terms("   "), []);
});

test("facets write the query", () => {
  const q = choose("service:shop bare", "env", ["prod"], []);
  assert.equal(q, "service:shop bare env:prod");
  assert.equal(choose(q, "env", ["prod", "a b"], ["x"]), 'service:shop bare env:(prod OR "a b") -env:x');
  assert.deepEqual(chosen('env:(prod OR "a b") -env:x', "env"), { only: ["prod", "a b"], not: ["x"] });
  assert.equal(choose(q, "env", [], []), "service:shop bare");
  assert.equal(range("cpu:>2 a", "cpu", "[1 TO 2]"), "a cpu:[1 TO 2]");
  assert.equal(without("a b c", 1), "a c");
});

test("the sliders read ranges back", () => {
  assert.deepEqual(bounds("[1 TO 2.5]"), [1, 2.5]);
  assert.deepEqual(bounds(">=0.5"), [0.5, null]);
  assert.deepEqual(bounds("<100MiB"), [null, 100 * 2 ** 20]);
  assert.deepEqual(bounds(">10MB"), [10e6, null]);
  assert.deepEqual(bounds("soon"), [null, null]);
});

test("bars of a distribution have the share of the profiles as their area", () => {
  const bars = distribution([0, 25, 70, 100]);
  assert.deepEqual(bars.map((bar) => [bar.x, bar.width]), [[0, 25], [25, 45], [70, 30]]);
  const [first, ...rest] = bars.map((bar) => (bar.width * bar.height) / 0.5);
  assert.deepEqual(rest.map((area) => Math.round((area / first!) * 1000)), [900, 100]);
  assert.equal(Math.max(...bars.map((bar) => bar.height)), 1);
  // Half of the profiles at the least value, and all at most at the median.
  assert.deepEqual(distribution([0, 0, 40, 100])[0], { x: 0, width: 5, height: 1 });
  assert.deepEqual(distribution([0, 100, 100, 100]).map((bar) => [bar.x, bar.width]), [[0, 100], [95, 5], [95, 5]]);
});

test("values of strangers survive the way through the query", () => {
  for (const value of ['a"b', "a\\b", "a b", "(x)", "-x", "OR", "", "x:y", "</script>", "日本", "a*b"]) {
    assert.deepEqual(chosen(choose("", "service", [value, "other"], []), "service").only, [value, "other"], value);
    assert.deepEqual(chosen(choose("", "service", [value], []), "service").only, [value], value);
  }
  assert.equal(quote("web-1.example:80"), '"web-1.example:80"');
});

test("completion knows what is being typed", () => {
  assert.deepEqual(typedAt("service:shop env:pr", 19), { start: 13, end: 19, text: "env:pr" });
  assert.deepEqual(typedAt("service:shop ", 13), { start: 13, end: 13, text: "" });
});

test("ranges are relative or absolute", () => {
  assert.equal(absolute("now-15m", 1_000_000_000), 1_000_000_000 - 900_000);
  assert.equal(absolute("2026-11-26T15:00:00Z"), Date.UTC(2026, 10, 26, 15));
  assert.equal(absolute("1795433684457"), 1795433684457);
  assert.deepEqual(shifted("2026-11-26T15:00:00Z", "2026-11-26T16:00:00Z", -1), { from: "2026-11-26T14:00:00.000Z", to: "2026-11-26T15:00:00.000Z" });
});

test("the hour around a profile ends now at the latest", () => {
  const time = (minute: number) => Date.UTC(2026, 10, 26, 15, minute);
  const text = (minute: number) => new Date(time(minute)).toISOString();
  assert.deepEqual(around(time(0), time(1), time(90)), { from: text(-30), to: text(31) });
  assert.deepEqual(around(time(0), time(1), time(3)), { from: text(-58), to: text(3) });
  assert.deepEqual(around(time(0), time(1), time(-20)), { from: text(-60), to: text(1) });
});
