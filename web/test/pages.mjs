// Opens pages that the program wrote in Chromium, from disk and with the network off, and compares their numbers to those that the program prints.
// Skips, and says so, without a browser or the program. JFRKIT is the path of the program, by default the one that `cargo test` built.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { load } from "./bundle.mjs";
import { twice } from "./twice.mjs";

const path = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((p) => p && existsSync(p));
const root = fileURLToPath(new URL("../..", import.meta.url));
const program = [process.env.JFRKIT, join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug/jfrkit")].find((p) => p && existsSync(p));
if (!path || !program) {
  console.log(`skipped: there is no ${path ? "jfrkit that was built (cargo build)" : "Chromium"}`);
  process.exit(0);
}
const only = process.argv[2];
const { value: show, percent, count } = await load("exports.ts");
const scratch = await mkdtemp(join(tmpdir(), "jfrkit-pages-"));
const fixture = (name) => join(root, "fixtures", name);
const run = (...args) => execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 28 });
const json = (...args) => JSON.parse(run(...args));
const browser = await chromium.launch({ executablePath: path, args: ["--no-sandbox"] });
let failed = 0;
let passed = 0;

/** Opens a page from disk; any script, policy or network error fails the test. */
async function test(name, options, body) {
  if (only && !name.includes(only)) return;
  const ok = await twice(name, async () => {
    const context = await browser.newContext({ viewport: { width: options.width ?? 1440, height: 900 }, reducedMotion: "reduce", offline: true });
    try {
      context.setDefaultTimeout(15000);
      const page = await context.newPage();
      const errors = [];
      page.on("pageerror", (e) => errors.push(`page: ${e.message}`));
      page.on("console", (m) => m.type() === "error" && errors.push(`console: ${m.text()}`));
      page.on("request", (r) => !/^(file|data|blob):/.test(r.url()) && errors.push(`asked for ${r.url()}`));
      await body({ page, open: (file, hash = "") => page.goto(pathToFileURL(file).href + hash) });
      assert.deepEqual(errors, []);
    } finally {
      await context.close();
    }
  });
  if (ok) passed++;
  else failed++;
}

async function until(what, message) {
  const end = Date.now() + 10000;
  for (;;) {
    const value = await what();
    if (value) return value;
    if (Date.now() > end) assert.fail(message);
    await new Promise((r) => setTimeout(r, 50));
  }
}

const item = (page, nth = 0) => page.locator(".flame-canvas [role=treeitem]").nth(nth).getAttribute("aria-label");
const made = (name, ...args) => {
  const file = join(scratch, name);
  run(...args, "-o", file);
  return file;
};

/** Rows of `jfrkit top` as the page shows them: name, self value and total with their shares. */
function top(input, type, limit = 12) {
  const top = json("top", "--type", type, "--format", "json", "--limit", String(limit), input);
  if (!top.values) return top.rows.map((r) => [r.key, show(r.self, top.unit), show(r.total, top.unit), percent(r.self / top.total)]);
  const at = top.value;
  const unit = top.values[at].unit;
  return top.rows.map((r) => [r.name, show(r.self[at], unit), show(r.total[at], unit), percent(r.self[at] / top.totals[at])]);
}

/** The same rows, read from the page's table. */
async function rows(page, limit = 12) {
  await page.locator(".functions tbody tr").first().waitFor();
  const found = await page.locator(".functions tbody tr").evaluateAll((all) =>
    all.map((row) => {
      const cell = (i) => row.querySelectorAll(".bar-cell")[i]?.textContent ?? "";
      return [row.querySelector(".name button")?.getAttribute("title") ?? "", cell(0), cell(1)];
    }),
  );
  return found.slice(0, limit);
}

async function sameAsTop(page, input, type) {
  const expected = top(input, type);
  const found = await rows(page);
  const shared = Math.min(expected.length, found.length);
  assert.ok(shared > 2, "rows");
  for (let i = 0; i < shared; i++) {
    const [name, own, total, share] = expected[i];
    assert.equal(found[i][0].split("\n")[0], name);
    assert.ok(found[i][1].includes(own) && found[i][1].includes(share), `${found[i][1]} is not ${own} ${share}`);
    assert.ok(found[i][2].includes(total), `${found[i][2]} is not ${total}`);
  }
}

await test("the report of a recording shows what top, analyze, metrics and info print", {}, async ({ page, open }) => {
  const input = fixture("jdk17-full.jfr");
  const file = made("report.html", "report", input);
  await open(file);
  await page.getByRole("tab", { name: "Profiles" }).waitFor();
  await sameAsTop(page, input, "cpu");
  const total = json("top", "--type", "cpu", "--format", "json", input).totals[1];
  await until(async () => (await item(page))?.startsWith(`all, ${show(total, "nanoseconds")}, 100 %`), "the whole in the flame graph");
  await page.locator(".type", { hasText: "Allocation" }).click();
  await until(async () => (await rows(page, 1))[0][0] === top(input, "alloc", 1)[0][0], "the other type");
  await sameAsTop(page, input, "alloc");
  await page.keyboard.press("2");
  const report = json("analyze", "--format", "json", input);
  const titles = await until(async () => {
    const found = await page.locator(".finding").count();
    return found === report.findings.length && found;
  }, `${report.findings.length} findings`);
  assert.ok(titles > 2);
  const first = report.rules.find((r) => r.id === report.findings[0].id);
  assert.ok((await page.locator(".finding").first().textContent()).includes(first.title));
  await page.keyboard.press("3");
  await page.locator(".chart").first().waitFor();
  const metrics = JSON.parse(run("metrics", "--format", "json", input)).metrics;
  const shown = metrics.filter((m) => m.value !== null && m.value !== undefined);
  assert.equal(await page.locator(".chart").count(), shown.length);
  const cpu = shown.find((m) => m.name === "cpu.cores");
  const last = cpu.points.at(-1)[2];
  await page.locator(".chart", { hasText: "CPU cores" }).getByText(show(last, "cores"), { exact: true }).waitFor();
  assert.ok((await page.locator(".facts").textContent()).includes(`${cpu.value.toFixed(2)} cores`));
  await page.keyboard.press("4");
  await page.getByText("Main class").waitFor();
  assert.ok((await page.locator(".runtime-text").textContent()).includes("OpenJDK 64-Bit Server VM (17.0.15"));
  assert.ok(run("info", input).includes("17.0.15"));
});

await test("a report of several files lists them", {}, async ({ page, open }) => {
  const inputs = [fixture("jdk17-full.jfr"), fixture("jdk21-full.jfr.gz")];
  await open(made("two.html", "report", ...inputs));
  await page.locator(".row-link").nth(1).waitFor();
  assert.deepEqual((await page.locator("td.c-service").allTextContents()).sort(), ["jdk17-full.jfr", "jdk21-full.jfr.gz"]);
  await page.getByText("2 profiles", { exact: true }).first().waitFor();
  await page.locator("tr", { hasText: "jdk21-full" }).locator(".row-link").click();
  await sameAsTop(page, inputs[1], "cpu");
  await page.keyboard.press("3");
  await page.locator(".key", { hasText: "jdk17-full.jfr" }).waitFor();
});

for (const [file, type, title] of [["python.pprof.zst", "wall", "Wall"], ["go-cpu.pprof.gz", "cpu", "CPU"]]) {
  await test(`the report of ${file}`, {}, async ({ page, open }) => {
    const input = join(root, "server/demo", file);
    await open(made(`${file}.html`, "report", input));
    await page.locator(".type", { hasText: title }).first().click();
    await until(async () => (await rows(page, 1))[0][0].split("\n")[0] === top(input, type, 1)[0][0], "rows of the type");
    await sameAsTop(page, input, type);
    await page.keyboard.press("2");
    const { findings, rules } = json("analyze", "--format", "json", input);
    assert.ok(findings.length > 0);
    await until(async () => (await page.locator(".finding").count()) === findings.length, `${findings.length} findings`);
    const { summary } = rules.find((rule) => rule.id === findings[0].id);
    assert.ok((await page.locator(".finding").first().textContent()).includes(summary), summary);
    await page.keyboard.press("3");
    await page.locator(".chart").first().waitFor();
    await page.keyboard.press("4");
    await page.getByText("Sample types").waitFor();
  });
}


for (const [input, type, title, other] of [
  [fixture("jdk17-full.jfr"), "cpu", "CPU in Java Code", ["alloc", "Allocation"]],
  [join(root, "server/demo/python.pprof.zst"), "cpu", "CPU", ["wall", "Wall"]],
]) {
  await test(`the flame graph of ${input.split("/").at(-1)}: zoom, search, types, sandwich, callers`, {}, async ({ page, open }) => {
    const file = made("flame.html", "flame", input);
    await open(file);
    await sameAsTop(page, input, type);
    const all = await until(async () => ((await item(page)) ?? "").startsWith("all, ") && item(page), "the root");
    // Zoom by keyboard; the zoom is part of the URL, so it survives a reload.
    await page.locator(".flame-canvas").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByText(/^zoomed to /).waitFor();
    const zoomed = await page.getByText(/^zoomed to /).textContent();
    await page.reload();
    await page.getByText(zoomed).waitFor();
    await page.keyboard.press("0");
    await until(async () => (await item(page)) === all, "the whole again");
    // The share that matches a function is the function's total.
    const rows = json("top", "--type", type, "--sort", "total", "--format", "json", "--limit", "40", input);
    const totals = rows.values ? rows.rows.map((r) => [r.name, r.total[rows.value] / rows.totals[rows.value]]) : rows.rows.map((r) => [r.key, r.total / rows.total]);
    const [name, share] = totals.find(([name, share]) => share > 0.01 && share < 0.99 && !/[<$]/.test(name) && totals.filter(([n]) => n.includes(name)).length === 1);
    await page.getByLabel(/Search frames/).fill(`/^${name.replace(/[.()[\]*+?^|\\]/g, "\\$&")}$/`);
    await page.locator(".matches", { hasText: `${percent(share)} match` }).waitFor();
    await page.getByLabel(/Search frames/).fill("");
    // The sandwich of a function has its total.
    await page.locator(".functions tbody .name button").first().focus();
    await page.keyboard.press("Enter");
    await page.locator(".sandwich").waitFor();
    const first = top(input, type, 1)[0];
    assert.ok((await page.locator(".sandwich-name").textContent()).includes(first[2]), `${await page.locator(".sandwich-name").textContent()} has not ${first[2]}`);
    await page.locator(".type", { hasText: other[1] }).first().click();
    await until(async () => page.url().includes(`type=${other[0]}`), "the type is in the address");
    await open(file, `#/?type=${other[0]}`);
    await sameAsTop(page, input, other[0]);
    await page.getByRole("button", { name: "Callers" }).click();
    await until(async () => (await page.locator(".flame-canvas").getAttribute("aria-label")).startsWith("Callers"), "callers");
    assert.equal(((await item(page)) ?? "").split(",")[0], "all");
    void title;
  });
}

await test("the comparison of two recordings has the totals and changes that diff prints", {}, async ({ page, open }) => {
  const [a, b] = [fixture("jdk17-full.jfr"), fixture("jdk21-full.jfr.gz")];
  const diff = json("diff", "--format", "json", "-n", "1000", a, b);
  await open(made("diff.html", "diff", "--format", "html", a, b));
  await page.locator(".flame-canvas").waitFor();
  const cores = (side) => (side.total / side.seconds / 1e9).toFixed(2);
  const versus = await page.locator(".versus").textContent();
  assert.ok(versus.includes(cores(diff.a)) && versus.includes(cores(diff.b)), `${versus} has not ${cores(diff.a)} and ${cores(diff.b)}`);
  await page.getByRole("button", { name: "Table" }).click();
  await page.locator(".functions tbody tr").first().waitFor();
  const only = diff.rows.find((row) => row.a === 0 && !row.noise);
  if (only) await page.locator(".functions tbody tr", { hasText: "only in B" }).first().waitFor();
});

await test("a directory and a pattern are one profile", {}, async ({ page, open }) => {
  const folder = join(scratch, "set");
  run("convert", "--types", "cpu", "-o", folder, fixture("jdk17-full.jfr"), fixture("jdk21-full.jfr.gz"));
  const sum = (...inputs) => json("top", "--type", "cpu", "--format", "json", ...inputs).totals[1];
  const total = sum(folder);
  assert.equal(total, sum(join(folder, "*.pb.gz")));
  const one = (file) => json("top", "--type", "cpu", "--format", "json", file).totals[1];
  assert.equal(total, one(fixture("jdk17-full.jfr")) + one(fixture("jdk21-full.jfr.gz")));
  await open(made("set.html", "flame", folder));
  await until(async () => (await item(page))?.startsWith(`all, ${show(total, "nanoseconds")}, 100 %`), "the sum of both");
});

await test("a heat map: all samples, and those of a range", {}, async ({ page, open }) => {
  const input = fixture("jdk17-full.jfr");
  await open(made("heat.html", "heatmap", input));
  const total = json("top", "--type", "cpu", "--format", "json", input).totals[1];
  await until(async () => (await item(page))?.startsWith(`all, ${show(total, "nanoseconds")}, 100 %`), "all samples");
  await page.locator(".heat-line").getByText(/2,099 samples/).waitFor();
  const box = await page.locator(".heat canvas").boundingBox();
  await page.mouse.move(box.x + 2, box.y + 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.4, box.y + box.height - 3, { steps: 5 });
  await page.mouse.up();
  const some = await until(async () => {
    const found = /([\d,]+) samples/.exec(await page.locator(".heat-line").textContent());
    const n = Number(found?.[1].replace(/,/g, ""));
    return n > 0 && n < 2099 && n;
  }, "a part of them");
  await until(async () => (await item(page))?.startsWith(`all, ${show((some * total) / 2099, "nanoseconds")}, 100 %`), "the flame graph of the range");
});

void count;
await browser.close();
await rm(scratch, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
