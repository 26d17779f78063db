// Opens pages of `flame --group`, of profiles of Node.js, of comparisons and heat maps in Chromium: zoom, search, sandwich and the numbers that the
// program prints. Skips with a message if there is no browser or no program. JFRKIT names the program; by default, it is the one built by `cargo test`.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { chromiumPath, json, program, root, run } from "./program.mjs";
import { percent, show, until } from "./shown.mjs";
import { finish, test as runTest } from "./tests.mjs";

if (!chromiumPath || !program) {
  console.log(`skipped: there is no ${chromiumPath ? "jfrkit that was built (cargo build)" : "Chromium"}`);
  process.exit(0);
}
const scratch = await mkdtemp(join(tmpdir(), "jfrkit-flame-"));
const fixture = (name) => join(root, "fixtures", name);
const node = (name) => join(root, "cli/tests/node", name);
const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
let written = 0;

/** Opens a page that `args` write, with the network off. */
async function test(name, args, body) {
  const file = join(scratch, `${++written}.html`);
  await runTest(name, { browser, context: { offline: true }, timeout: 15000 }, async ({ page }) => {
    run(...args, "-o", file);
    await page.goto(pathToFileURL(file).href);
    await page.locator(".flame-canvas").waitFor();
    await body(page);
  });
}

/** The frame with the keyboard focus; at first the root. */
const first = async (page) => (await page.locator(".flame-canvas [role=treeitem]").getAttribute("aria-label")) ?? "";

/** Rows of `top`: name, total and its share. */
function top(input, type, ...more) {
  const of = json("top", "--type", type, "--format", "json", "--limit", "40", ...more, input);
  const at = of.value;
  return { unit: of.values[at].unit, all: of.totals[at], rows: of.rows.map((row) => ({ name: row.name, total: row.total[at], share: row.total[at] / of.totals[at] })) };
}

/** The keyboard goes to the first child and zooms in; the zoom is in the address and survives a reload; 0 ends it. */
async function zoom(page) {
  const whole = await until(() => first(page), "the root");
  await page.locator(".flame-canvas").focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  const zoomed = page.getByText(/^zoomed to /);
  await zoomed.waitFor();
  const text = await zoomed.textContent();
  await page.reload();
  await page.getByText(text).waitFor();
  await page.locator(".flame-canvas").focus();
  await page.keyboard.press("0");
  await until(async () => (await first(page)) === whole, "the whole again");
  return text;
}

/** A search matches the share of a function's total; its sandwich has its total. */
async function searchAndSandwich(page, { rows, unit }) {
  const plain = ({ name, share }) => share > 0.02 && share < 0.98 && /^[\w.]+$/.test(name) && rows.filter((row) => row.name === name).length === 1;
  const { name, total, share } = rows.find(plain);
  await page.getByLabel(/Search frames/).fill(`/^${name.replaceAll(".", "\\.")}$/`);
  await page.locator(".matches", { hasText: `${percent(share)} match` }).waitFor();
  await page.getByLabel(/Search frames/).fill("");
  const button = page.locator(".functions tbody .name button");
  await until(async () => (await button.evaluateAll((all) => all.map((b) => b.getAttribute("title")?.split("\n")[0]))).includes(name), `${name} in the table`);
  const titles = await button.evaluateAll((all) => all.map((b) => b.getAttribute("title")?.split("\n")[0]));
  await button.nth(titles.indexOf(name)).focus();
  await page.keyboard.press("Enter");
  await page.locator(".sandwich").waitFor();
  await until(async () => (await page.locator(".sandwich-name").textContent()).includes(show(total, unit)), `the total of ${name}, ${show(total, unit)}`);
}

for (const [input, type, group, by] of [
  [fixture("jdk17-full.jfr"), "cpu", "thread", "thread"],
  [fixture("jdk17-full.jfr"), "alloc", "class", "class"],
  [node("wall.pprof.gz"), "wall", "label:route", "label:route"],
]) {
  await test(`flame --group ${group} of ${input.split("/").at(-1)}: the first level has the values of top`, ["flame", "--type", type, "--group", group, input], async (page) => {
    const { rows, unit, all } = top(input, type, "--by", by);
    await until(async () => (await first(page)).startsWith(`all, ${show(all, unit)}, 100 %`), "the whole");
    const wide = rows.filter((row) => row.share > 0.02);
    assert.ok(wide.length > 0);
    await page.locator(".flame-canvas").focus();
    await page.keyboard.press("ArrowDown");
    for (const { name, total, share } of wide) {
      const expected = `${name}, ${show(total, unit)}, ${percent(share)}`;
      await until(async () => (await first(page)).startsWith(expected), `${expected}, not ${await first(page)}`);
      await page.keyboard.press("ArrowRight");
    }
    await page.keyboard.press("0");
    // The first one is zoomed to by its name.
    const text = await zoom(page);
    assert.ok(text.includes(wide[0].name), `${text} is not ${wide[0].name}`);
  });
}

for (const [input, type] of [[node("wall.pprof.gz"), "wall"], [node("heap.pprof.gz"), "heap"]]) {
  await test(`a profile of Node.js, ${type}: zoom, search, sandwich`, ["flame", input], async (page) => {
    const functions = top(input, type);
    await until(async () => (await first(page)).startsWith(`all, ${show(functions.all, functions.unit)}, 100 %`), "the whole");
    await zoom(page);
    await searchAndSandwich(page, functions);
  });
}

await test("a profile with many types: each has the total of top", ["flame", fixture("jdk21-full.jfr.gz")], async (page) => {
  for (const [type, title] of [["alloc", "Allocation"], ["lock", "Lock"], ["error", "Error"], ["cpu", "CPU"]]) {
    const { all, unit } = top(fixture("jdk21-full.jfr.gz"), type);
    await page.locator(".type", { hasText: title }).first().click();
    await until(async () => (await first(page)).startsWith(`all, ${show(all, unit)}, 100 %`), `${type}: all, ${show(all, unit)}, not ${await first(page)}`);
  }
});

await test("a comparison: zoom and search", ["diff", "--format", "html", "--type", "wall", node("wall.pprof.gz"), node("wall-later.pprof.gz")], async (page) => {
  await zoom(page);
  await page.getByLabel(/Search frames/).fill("words");
  await until(() => page.url().includes("search=words"), "the search is in the address");
  // The table has the changes that the program prints.
  await page.getByRole("button", { name: "Table" }).click();
  const row = page.locator(".functions tbody tr", { hasText: "words" }).first();
  await row.waitFor();
  const { a, b, rows } = json("diff", "--format", "json", "-n", "100", "--type", "wall", node("wall.pprof.gz"), node("wall-later.pprof.gz"));
  const words = rows.find((row) => row.key === "words");
  const change = percent(Math.abs((words.b / b.seconds / (words.a / a.seconds) - 1))).replace(/[^\d.]/g, "");
  assert.ok((await row.textContent()).includes(change), `${await row.textContent()} has not ${change}`);
});

await test("a heat map: zoom, search and sandwich of all samples", ["heatmap", fixture("jdk17-full.jfr")], async (page) => {
  const functions = top(fixture("jdk17-full.jfr"), "cpu");
  await until(async () => (await first(page)).startsWith(`all, ${show(functions.all, functions.unit)}, 100 %`), "the whole");
  await zoom(page);
  await searchAndSandwich(page, functions);
});

await browser.close();
await rm(scratch, { recursive: true });
finish();
