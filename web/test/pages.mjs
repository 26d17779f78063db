// Opens pages that the program wrote in Chromium, from disk and with the network off, and compares their numbers to those that the program prints.
// Skips, and says so, without a browser or the program (see program.mjs).
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { chromiumPath, freshPage, json, program, root, run } from "./program.mjs";
import { axe, fits, item, percent, rows, sameAsTop, show, top, until } from "./shown.mjs";
import { finish, test as runTest } from "./tests.mjs";

if (!chromiumPath || !program) {
  console.log(`skipped: there is no ${chromiumPath ? "jfrkit that was built (cargo build)" : "Chromium"}`);
  process.exit(0);
}
const scratch = await mkdtemp(join(tmpdir(), "jfrkit-pages-"));
const fixture = (name) => join(root, "fixtures", name);
const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });

/** Opens a page from disk, with the network off. */
const test = (name, { width = 1440, theme = "light", zoom = 1 }, body) =>
  runTest(name, { browser, context: { viewport: { width, height: 900 }, colorScheme: theme, deviceScaleFactor: zoom, offline: true } }, ({ page }) =>
    body({ page, open: (file, hash = "") => page.goto(pathToFileURL(file).href + hash) }),
  );

/** A page that the program writes. */
async function made(name, ...args) {
  const file = join(scratch, name);
  run(...args, "-o", file);
  await freshPage(file);
  return file;
}

await test("the report of a recording shows what top, analyze, metrics and info print", {}, async ({ page, open }) => {
  const input = fixture("jdk17-full.jfr");
  const file = await made("report.html", "report", input);
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
  await page.locator(".chart", { hasText: "CPU cores" }).getByText(show(cpu.value, "cores"), { exact: true }).waitFor();
  for (const { title, value, unit, lower_bound, points } of shown) {
    const chart = page.locator(".chart").filter({ has: page.getByText(title, { exact: true }) });
    assert.equal(await chart.locator(".chart-now").textContent(), (lower_bound ? "≥ " : "") + show(value, unit), title);
    assert.equal(await chart.locator(".u-over").count(), points.length > 1 ? 1 : 0, `${title}: a chart only if there is a course`);
  }
  assert.ok((await page.locator(".facts").textContent()).includes(`${cpu.value.toFixed(2)} cores`));
  await page.keyboard.press("4");
  await page.getByText("Main class").waitFor();
  assert.ok((await page.locator(".runtime-text").textContent()).includes("OpenJDK 64-Bit Server VM (17.0.15"));
  assert.ok(run("info", input).includes("17.0.15"));
});

await test("a report of several files lists them", {}, async ({ page, open }) => {
  const inputs = [fixture("jdk17-full.jfr"), fixture("jdk21-full.jfr.gz")];
  await open(await made("two.html", "report", ...inputs));
  await page.locator(".row-link").nth(1).waitFor();
  assert.deepEqual((await page.locator("td.c-service").allTextContents()).sort(), ["jdk17-full.jfr", "jdk21-full.jfr.gz"]);
  await page.getByText("2 profiles", { exact: true }).first().waitFor();
  for (const [order, first] of [["ascending", "jdk17-full.jfr"], ["descending", "jdk21-full.jfr.gz"]]) {
    await page.getByRole("button", { name: "File" }).click();
    await page.locator(`th.c-service[aria-sort=${order}]`).waitFor();
    await until(async () => (await page.locator("td.c-service").first().textContent()) === first, `${order}: ${first} first`);
  }
  await page.locator("tr", { hasText: "jdk21-full" }).locator(".row-link").click();
  await sameAsTop(page, inputs[1], "cpu");
  await page.keyboard.press("3");
  await page.locator(".key", { hasText: "jdk17-full.jfr" }).waitFor();
});

for (const [file, type, title] of [["server/demo/python.pprof.zst", "wall", "Wall"], ["server/demo/go-cpu.pprof.gz", "cpu", "CPU"], ["web/test/node-wall.pprof.gz", "wall", "Wall"]]) {
  await test(`the report of ${file}`, {}, async ({ page, open }) => {
    const input = join(root, file);
    await open(await made(`${basename(file)}.html`, "report", input));
    await page.locator(".type", { hasText: title }).first().click();
    await until(async () => (await rows(page, 1))[0][0].split("\n")[0] === top(input, type, 1)[0][0], "rows of the type");
    await sameAsTop(page, input, type);
    await page.keyboard.press("2");
    const { findings, rules } = json("analyze", "--format", "json", input);
    await page.locator(".finding, .note").first().waitFor();
    assert.equal(await page.locator(".finding").count(), findings.length);
    for (const [i, { id }] of findings.entries()) {
      const { summary } = rules.find((rule) => rule.id === id);
      assert.ok((await page.locator(".finding").nth(i).textContent()).includes(summary), summary);
    }
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
    const file = await made("flame.html", "flame", input);
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
  await open(await made("diff.html", "diff", "--format", "html", a, b));
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
  await open(await made("set.html", "flame", folder));
  await until(async () => (await item(page))?.startsWith(`all, ${show(total, "nanoseconds")}, 100 %`), "the sum of both");
});

await test("a heat map: all samples, and those of a range", {}, async ({ page, open }) => {
  const input = fixture("jdk17-full.jfr");
  await open(await made("heat.html", "heatmap", input));
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

// Accessibility and width of what the program writes

const JFR = fixture("jdk17-full.jfr");
const FILES = [
  ["flame", await made("a11y-flame.html", "flame", JFR), ".flame-canvas"],
  ["diff", await made("a11y-diff.html", "diff", "--format", "html", JFR, fixture("jdk21-full.jfr.gz")), ".flame-canvas"],
  ["heatmap", await made("a11y-heat.html", "heatmap", JFR), ".flame-canvas"],
  ["report", await made("a11y-report.html", "report", JFR), ".flame-canvas"],
  ["report of several", await made("a11y-several.html", "report", JFR, join(root, "server/demo/python.pprof.zst")), ".row-link"],
];
const TABS = [["2", ".finding"], ["3", ".chart .u-over"], ["4", ".runtime-text section"]];

/** Goes through all files and their tabs. */
async function through(page, open, check) {
  for (const [name, file, selector] of FILES) {
    await open(file);
    await page.locator(selector).first().waitFor();
    await check(name);
    if (name !== "report") continue;
    for (const [key, shown] of TABS) {
      await page.keyboard.press(key);
      await page.locator(shown).first().waitFor();
      await check(`${name}, tab ${key}`);
    }
  }
}

for (const theme of ["light", "dark"]) {
  await test(`axe finds nothing serious in pages from disk, ${theme}`, { theme }, async ({ page, open }) => {
    await through(page, open, (where) => axe(page, where));
  });
}

for (const [what, width, zoom] of [["360 px", 360, 1], ["2560 px", 2560, 1], ["200 % zoom of 1440 px", 720, 2]]) {
  await test(`no page from disk is wider than ${what}`, { width, zoom }, async ({ page, open }) => {
    await through(page, open, (where) => fits(page, where));
  });
}

await browser.close();
await rm(scratch, { recursive: true });
finish();
