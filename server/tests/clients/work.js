// Busy for as many seconds as asked: CPU and memory. Prints its CPU time as it runs.
"use strict";
if (process.env.WORK_CLIENT === "pyroscope-nodejs") {
  const Pyroscope = require("@pyroscope/nodejs");
  Pyroscope.init({ appName: process.env.WORK_SERVICE, serverAddress: process.env.WORK_URL, tags: { env: "ci", version: "1.0" }, flushIntervalMs: 5000, wall: { collectCpuTime: true } });
  Pyroscope.start();
}

let kept = [];
function hotLoop(milliseconds) {
  const until = Date.now() + milliseconds;
  let x = 1;
  while (Date.now() < until) for (let i = 1; i < 500000; i++) x = x > 1e12 ? x - 1e12 : x * 1.000001 + i;
  return x;
}

function allocate() {
  kept = Array.from({ length: 50 }, () => new Array(2000).fill("x"));
}

function cpu() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

const end = Date.now() + Number(process.argv[2]) * 1000;
let printed = 0;
(function turn() {
  hotLoop(80);
  allocate();
  if (Date.now() - printed > 200) {
    printed = Date.now();
    console.log(`clock=${(printed / 1000).toFixed(3)},${cpu().toFixed(3)}`);
  }
  if (Date.now() < end) return void setTimeout(turn, 5);
  setTimeout(() => process.exit(0), 1000);
})();
