// Measures what the page promises about speed: node test/times.mjs [LARGE.jfr [TYPICAL.jfr]]. It prints figures and checks nothing; run it on an idle machine
// with an optimized program (JFRKIT=target/release/jfrkit).
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { load } from "./bundle.mjs";
import { chromiumPath, dist, freshServer, program, serve } from "./program.mjs";

if (!chromiumPath || !program) {
  console.log(`skipped: there is no ${chromiumPath ? "jfrkit that was built (cargo build)" : "Chromium"}`);
  process.exit(0);
}
const { large } = await load("mock.ts");
const { toJson } = await load("exports.ts");
const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
const scratch = await mkdtemp(join(tmpdir(), "jfrkit-times-"));
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
const ms = (n) => `${n.toFixed(0)} ms`;

const size = gzipSync(Buffer.concat([await readFile(join(dist, "app.js")), await readFile(join(dist, "app.css"))]), { level: 9 }).length;
console.log(`script and style: ${size.toLocaleString("en-US")} bytes gzipped`);

/** Notes when a row of the search is there, and when the first frame of a flame graph is drawn. */
const WATCH = () => {
  window.marks = {};
  const parse = JSON.parse;
  JSON.parse = function (text) {
    if (typeof text === "string" && text.includes('"depth":[') && !window.marks.parse) window.marks.parse = performance.now();
    return parse.apply(this, arguments);
  };
  const paint = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function () {
    window.marks.flame ??= performance.now();
    return paint.apply(this, arguments);
  };
  new MutationObserver(() => {
    if (!window.marks.row && document.querySelector(".row-link")) requestAnimationFrame(() => (window.marks.row ??= performance.now()));
  }).observe(document, { childList: true, subtree: true });
};

const demo = await serve("--demo");
await demo.idle();
const first = [];
for (let i = 0; i < 9; i++) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await freshServer(context);
  await context.addInitScript(WATCH);
  const page = await context.newPage();
  await page.goto(`${demo.url}/profiles`);
  await page.waitForFunction(() => window.marks.row);
  first.push(await page.evaluate(() => window.marks.row - performance.getEntriesByType("resource").find((r) => /api\/v1\/profiles\?/.test(r.name)).responseEnd));
  await context.close();
}
console.log(`search, first view after its answer: median of 9 ${ms(median(first))}, largest ${ms(Math.max(...first))}`);
await demo.close();

for (const [name, file, times] of [["large", process.argv[2], 3], ["typical", process.argv[3], 5]]) {
  if (!file) continue;
  const bytes = await readFile(file);
  const found = [];
  const server = await serve();
  for (let i = 0; i < times; i++) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    await freshServer(context);
    await context.addInitScript(WATCH);
    const page = await context.newPage();
    const answer = await fetch(`${server.url}/api/v1/recordings?service=${name}-${i}`, { method: "POST", body: bytes });
    const { id } = await answer.json();
    const began = Date.now();
    await page.goto(`${server.url}/profiles/${id}`);
    await page.waitForFunction(() => window.marks.flame, undefined, { polling: 10 });
    found.push(await page.evaluate(() => performance.timeOrigin + window.marks.flame).then((t) => t - began));
    await context.close();
    await server.idle();
  }
  console.log(`${name} (${(bytes.length / 1e6).toFixed(1)} MB), from the answer to the first flame graph: median of ${times} ${ms(median(found))}, largest ${ms(Math.max(...found))}`);
  await server.close();
}

const tree = large(200_000);
const parts = { "SCRIPT-HASH": "", "STYLE-HASH": "", TITLE: "large", STYLE: await readFile(join(dist, "flame.css"), "utf8"), SCRIPT: await readFile(join(dist, "flame.js"), "utf8") };
const hashes = JSON.parse(await readFile(join(dist, "hashes.json"), "utf8"));
[parts["SCRIPT-HASH"], parts["STYLE-HASH"]] = [hashes["flame.js"], hashes["flame.css"]];
const head = { kind: "flame", title: "large", generator: "jfrkit", types: [{ type: "cpu", name: "CPU", definition: "", absent: null, values: [{ name: "cpu-time", unit: "nanoseconds", total: tree.total[0], tree: "t0" }] }] };
parts.DATA = `<script type="application/json" id="jfrkit-page">${JSON.stringify(head)}</script><script type="application/gzip" id="t0">${gzipSync(JSON.stringify(toJson(tree)), { level: 1 }).toString("base64")}</script>`;
const template = await readFile(join(dist, "page.html"), "utf8");
const file = join(scratch, "large.html");
await writeFile(file, template.split("@@").map((piece, i) => (i % 2 ? parts[piece] : piece)).join(""));
const drawn = [];
for (let i = 0; i < 5; i++) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await context.addInitScript(WATCH);
  const page = await context.newPage();
  await page.goto(`${pathToFileURL(file).href}#/?view=flame`);
  await page.waitForFunction(() => window.marks.flame);
  drawn.push(await page.evaluate(() => window.marks.flame - window.marks.parse));
  await context.close();
}
console.log(`${tree.size.toLocaleString("en-US")} nodes, parse, layout and first draw: median of 5 ${ms(median(drawn))}, largest ${ms(Math.max(...drawn))}`);
await browser.close();
await rm(scratch, { recursive: true });
