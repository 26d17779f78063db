import test from "node:test";
import assert from "node:assert/strict";
import { isNoise, relativeSpread, spread } from "../../src/flame/noise.ts";

test("the number of samples varies by its square root", () => {
  // 100 samples of 20 ms against 100 others: 2 · √200 samples.
  assert.equal(spread(2000, 20, 2000, 20), 20 * 2 * Math.sqrt(200));
  assert.ok(isNoise(2000, 20, 2000 + 20 * 28, 20));
  assert.ok(!isNoise(2000, 20, 2000 + 20 * 34, 20));
});

test("equal values do not differ, and without samples every difference counts", () => {
  assert.ok(isNoise(5, 0, 5, 0));
  assert.ok(!isNoise(5, 0, 5.1, 0));
});

test("the change is as uncertain as both sides together", () => {
  // 400 and 800 samples.
  assert.ok(Math.abs(relativeSpread(4, 0.01, 8, 0.01) - 2 * 2 * Math.sqrt(1 / 400 + 1 / 800)) < 1e-12);
  assert.equal(relativeSpread(0, 0.01, 8, 0.01), 0);
  assert.equal(relativeSpread(4, 0, 8, 0), 0);
});
