/** The parts of the sources that the browser tests need. */
export { toJson } from "../src/flame/tree.ts";
export { callers, sandwich } from "../src/flame/transform.ts";
export { table } from "../src/flame/table.ts";
export { addressOf } from "../src/flame/address.ts";
export { joinDiff } from "../src/data/embedded.ts";
export { bytes, count, duration, percent, value } from "../src/flame/format.ts";
