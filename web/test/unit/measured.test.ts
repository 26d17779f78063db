import assert from "node:assert/strict";
import { test } from "node:test";
import { atLeast, hasCourse, wholeOf } from "../../src/app/measured.ts";
import type { MetricsJson, Point } from "../../src/data/types.ts";

type Metric = MetricsJson["metrics"][number];

const metric = (name: string, series: Metric["series"]): Metric => ({ name, title: name, unit: "cores", how: "", series });
const points = (id: string, ...values: number[]): Point[] => values.map((v, i) => [i * 2000, v, v, v, id]);

test("a report shows the value of the whole profile, not its last point", () => {
  const of = metric("cpu.cores", [{ key: {}, points: points("p0", 1.9, 1.8, 1.55), profile: "p0", value: 1.74, at_least: false }]);
  assert.deepEqual(wholeOf(of, { id: "p0" }), { value: 1.74, atLeast: false });
});

test("a report of two files shows the value of the profile that is open", () => {
  const of = metric("native.time", [
    { key: { file: "a.jfr" }, points: points("p0", 1, 2), profile: "p0", value: 1.5, at_least: false },
    { key: { file: "b.jfr" }, points: points("p1", 3, 5), profile: "p1", value: 4, at_least: true },
  ]);
  assert.deepEqual(wholeOf(of, { id: "p1" }), { value: 4, atLeast: true });
  assert.equal(wholeOf(of, { id: "p2" }), null);
});

test("a server's value of this profile is its point, also among others of the same step", () => {
  const of = metric("cpu.cores", [
    { key: { host: "web-1" }, points: [["2026-11-27T10:00:00Z", 1, 1, 1, "other"], ["2026-11-27T10:01:00Z", 1, 1.5, 2, "this"], ["2026-11-27T10:02:00Z", 9, 9, 9, "last"]] },
  ]);
  assert.deepEqual(wholeOf(of, { id: "this", cpu_cores_at_least: true }), { value: 2, atLeast: true });
  assert.deepEqual(wholeOf(of, { id: "this", alloc_rate_at_least: true }), { value: 2, atLeast: false });
  assert.equal(wholeOf(of, { id: "outside the time range" }), null);
});

test("a metric with one value for each profile has no course in a report, and one on a server with several", () => {
  const one = metric("gc.pause.max", [{ key: {}, points: points("p0", 299) }]);
  const two = metric("gc.pause.max", [{ key: { file: "a" }, points: points("p0", 299) }, { key: { file: "b" }, points: points("p1", 300) }]);
  assert.equal(hasCourse(one, false), false);
  assert.equal(hasCourse(one, true), false);
  assert.equal(hasCourse(two, false), false);
  assert.equal(hasCourse(two, true), true);
  assert.equal(hasCourse(metric("cpu.cores", [{ key: {}, points: points("p0", 1, 2) }]), false), true);
});

test("a lower bound is marked", () => {
  assert.equal(atLeast(0.84, "cores", true), "≥ 0.84 cores");
  assert.equal(atLeast(1.74, "cores"), "1.74 cores");
  assert.equal(atLeast(null, "cores", true), "–");
});
