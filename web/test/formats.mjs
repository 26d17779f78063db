// Opens files that the program wrote with their real readers: Speedscope in Chromium, and the import code of the Firefox Profiler. Skips, and says so,
// what is not installed. JFRKIT is the path of the program, by default the one that `cargo test` built. FIREFOX_PROFILER is a checkout of
// github.com/firefox-devtools/profiler with its packages installed; its sources are on no package registry.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import assert from "node:assert/strict";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { twice } from "./twice.mjs";

const browser = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((p) => p && existsSync(p));
const root = fileURLToPath(new URL("../..", import.meta.url));
const program = [process.env.JFRKIT, join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug/jfrkit")].find((p) => p && existsSync(p));
if (!program) {
  console.log("skipped: jfrkit has not been built (cargo build)");
  process.exit(0);
}
const scratch = await mkdtemp(join(tmpdir(), "jfrkit-formats-"));
const run = (...args) => execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 28 });
const INPUTS = [
  ["fixtures/jdk17-full.jfr", "jdk17-full"],
  ["server/demo/python.pprof.zst", "python"],
  ["server/demo/go-cpu.pprof.gz", "go-cpu"],
];
let failed = 0;
async function test(name, body) {
  if (!(await twice(name, body))) failed++;
}

/** The function with the highest self time, and its value, as `jfrkit top` prints them. */
function hottest(input, type) {
  const top = JSON.parse(run("top", "--type", type, "--format", "json", "--limit", "1", input));
  const row = top.rows[0];
  return top.values ? [row.name, row.self[top.value], top.totals[top.value]] : [row.key, row.self, top.total];
}

const speedscope = fileURLToPath(new URL("../node_modules/speedscope/dist/release/index.html", import.meta.url));
if (!browser || !existsSync(speedscope)) {
  console.log(`skipped: there is no ${browser ? "speedscope (npm ci)" : "Chromium"}`);
} else {
  const chrome = await chromium.launch({ executablePath: browser, args: ["--no-sandbox", "--allow-file-access-from-files"] });
  const open = async (file, body) => {
    const context = await chrome.newContext({ viewport: { width: 1400, height: 900 } });
    const page = await context.newPage();
    const errors = [];
    page.on("pageerror", (e) => errors.push(e.message));
    await page.goto(pathToFileURL(speedscope).href);
    await page.locator("input[type=file]").setInputFiles(file);
    // Speedscope shows a canvas before the profile is loaded, but the buttons for its views only afterward.
    await page.getByText("Sandwich").first().waitFor({ timeout: 20000 });
    try {
      await body(page);
      assert.deepEqual(errors, []);
    } finally {
      await context.close();
    }
  };
  for (const [input, stem] of INPUTS) {
    await test(`Speedscope opens ${stem}`, async () => {
      run("convert", join(root, input), "--format", "speedscope", "--types", "cpu", "-o", scratch);
      await open(join(scratch, `${stem}.speedscope.json`), async (page) => {
        await page.keyboard.press("3");
        const [name, own, total] = hottest(join(root, input), "cpu");
        const row = page.locator("tr", { hasText: name.slice(-30) }).first();
        await row.waitFor({ timeout: 10000 });
        const shown = await row.textContent();
        const share = /\(>?(\d+)%\)/g;
        const percents = [...shown.matchAll(share)].map((m) => Number(m[1]));
        assert.ok(percents.some((p) => Math.abs(p - (own / total) * 100) <= 1), `${shown} has not ${((own / total) * 100).toFixed(1)} %`);
      });
    });
  }
  await test("Speedscope opens a time line", async () => {
    run("convert", join(root, INPUTS[0][0]), "--format", "speedscope", "--evented", "--types", "cpu", "-o", scratch);
    await open(join(scratch, "jdk17-full.speedscope.json"), async (page) => {
      await page.keyboard.press("1");
      await page.getByText(/CPU in Java Code/).first().waitFor({ timeout: 10000 });
    });
  });
  await test("Speedscope opens pprof and collapsed stacks", async () => {
    run("convert", join(root, INPUTS[0][0]), "--types", "cpu", "-o", scratch);
    run("convert", join(root, INPUTS[0][0]), "--types", "cpu", "--format", "collapsed", "-o", scratch);
    for (const file of ["jdk17-full.cpu.pb.gz", "jdk17-full.cpu.collapsed.txt"]) {
      await open(join(scratch, file), async (page) => {
        await page.keyboard.press("3");
        const [name] = hottest(join(root, INPUTS[0][0]), "cpu");
        await page.locator("tr", { hasText: name.slice(-30) }).first().waitFor({ timeout: 10000 });
      });
    }
  });
  await chrome.close();
}

const profiler = process.env.FIREFOX_PROFILER;
if (!profiler || !existsSync(join(profiler, "src/profile-logic/process-profile.ts"))) {
  console.log("skipped: FIREFOX_PROFILER names no checkout of the Firefox Profiler (cli/tests/firefox.rs checks the format)");
} else {
  // The profiler's own reader, bundled for Node.js.
  await build({
    stdin: { contents: "export { unserializeProfileOfArbitraryFormat } from './src/profile-logic/process-profile';", resolveDir: profiler, loader: "ts" },
    bundle: true, platform: "node", format: "esm", outfile: join(scratch, "firefox.mjs"), logLevel: "error",
    loader: { ".svg": "text", ".css": "empty", ".png": "empty" }, external: ["*.wasm"],
    // Not needed for reading JSON: other containers, and views of values.
    plugins: [{
      name: "stubs",
      setup(to) {
        to.onResolve({ filter: /^(json-slabs|devtools-reps)/ }, ({ path }) => ({ path, namespace: "stub" }));
        to.onLoad({ filter: /./, namespace: "stub" }, () => ({ contents: "module.exports = { isJsonSlabsFile: () => false };", loader: "js" }));
      },
    }],
  });
  Object.assign(globalThis, { window: globalThis, self: globalThis });
  const { unserializeProfileOfArbitraryFormat: read } = await import(pathToFileURL(join(scratch, "firefox.mjs")).href);
  for (const [input, stem] of INPUTS) {
    await test(`the Firefox Profiler imports ${stem}`, async () => {
      run("convert", join(root, input), "--format", "firefox", "-o", scratch);
      const bytes = readFileSync(join(scratch, `${stem}.firefox.json.gz`));
      const profile = await read(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), `${stem}.firefox.json.gz`);
      const own = profile.threads.filter((thread) => !thread.name.includes(" · "));
      assert.ok(own.length > 0);
      if (stem === "jdk17-full") {
        assert.equal(own.reduce((n, thread) => n + thread.samples.length, 0), 2099);
        assert.ok(profile.threads.reduce((n, thread) => n + thread.markers.length, 0) > 500);
        assert.ok(profile.counters.some((counter) => counter.name === "Heap after GC"));
      }
    });
  }
}
await rm(scratch, { recursive: true });
process.exit(failed > 0 ? 1 : 0);
