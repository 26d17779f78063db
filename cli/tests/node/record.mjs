// Makes wall.pprof.gz and heap.pprof.gz, profiles of a small program in Node.js; wall-later.pprof.gz is the first of another run:
//     npm install @datadog/pprof && node record.mjs
import { writeFileSync } from "node:fs";
import pprof from "@datadog/pprof";

const { time, heap, encode } = pprof;
const kept = [];

function fib(n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

function words() {
  return "b a d c ".repeat(3000).split(" ").sort().length;
}

function items() {
  return JSON.parse(JSON.stringify(Array.from({ length: 2000 }, (_, id) => ({ id, name: `item ${id}` })))).length;
}

function keep() {
  kept.push(Array.from({ length: 500 }, (_, i) => ({ i, text: "x".repeat(i % 40) + i })));
  if (kept.length > 400) kept.shift();
}

const routes = {
  numbers: () => fib(24),
  "list-words": () => words() + items(),
  // Visits a tree, so that a function is on its stacks many times.
  tree: function visit(depth = 9) {
    return depth === 0 ? words() : visit(depth - 1) + (depth % 3 === 0 ? fib(12) : 0);
  },
};

heap.start(64 * 1024, 64);
time.start({ intervalMicros: 2000, durationMillis: 4000, withContexts: true });
let sum = 0;
for (const end = Date.now() + 4000; Date.now() < end; ) {
  for (const [route, work] of Object.entries(routes)) {
    time.setContext({ route });
    sum += work();
    keep();
  }
}
const wall = time.stop(false, ({ context }) => ({ ...(context?.context ?? context ?? {}) }));
writeFileSync("wall.pprof.gz", await encode(wall));
writeFileSync("heap.pprof.gz", await encode(await heap.profile()));
if (sum === 0) process.exit(1);
