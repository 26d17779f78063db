// Tests the page in Chromium: each story, key and state, malicious names, accessibility, frame times. Skips, and says so, without a browser.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { load } from "./bundle.mjs";
import { chromiumPath, dist } from "./program.mjs";
import { axe, count, fits, item, until } from "./shown.mjs";
import { twice } from "./twice.mjs";

if (!chromiumPath) {
  console.log("skipped: Chromium is not installed");
  process.exit(0);
}
const only = process.argv[2];
const { start, HOSTILE, large, collapsed, shared } = await load("mock.ts");
const { toJson, callers, sandwich, table, addressOf, joinDiff } = await load("exports.ts");
const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
const scratch = await mkdtemp(join(tmpdir(), "jfrkit-page-"));
let failed = 0;
let passed = 0;

/** Runs one test with its own server and page; any script error or console error fails it. */
async function test(name, options, run) {
  if (only && !name.includes(only)) return;
  const ok = await twice(name, async () => {
    const server = await start(dist, options.behavior ?? {});
    const context = await browser.newContext({ viewport: { width: options.width ?? 1440, height: 900 }, colorScheme: options.theme ?? "light", deviceScaleFactor: options.zoom ?? 1, javaScriptEnabled: options.script ?? true, reducedMotion: options.motion ?? "reduce" });
    try {
      context.setDefaultTimeout(20000);
      await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.url });
      const page = await context.newPage();
      const errors = [];
      page.on("pageerror", (e) => errors.push(`page: ${e.message}`));
      page.on("console", (m) => m.type() === "error" && !(options.allow ?? /$^/).test(m.text()) && errors.push(`console: ${m.text()}`));
      await run({ page, server, context, go: (to) => page.goto(server.url + to) });
      assert.deepEqual(errors, []);
    } finally {
      await context.close();
      server.close();
    }
  });
  if (ok) passed++;
  else failed++;
}

const params = (page) => new URL(page.url()).searchParams;

/** Opens an address and waits until its content is loaded. */
async function visit(page, url, selector) {
  await page.goto(url);
  await page.locator(selector).first().waitFor();
  await page.waitForFunction(() => !document.querySelector(".bar"));
}

/** All addresses to check, each with a selector of its content. */
const places = (server, id) => [
  ["/profiles", ".row-link"],
  [`/profiles/${id}`, ".flame-canvas"],
  [`/profiles/${id}?view=both`, ".functions tbody tr"],
  [`/profiles/${id}?view=callers`, ".flame-canvas"],
  [`/profiles/${id}?fn=java.util.HashMap.get`, ".sandwich .flame-canvas"],
  [`/profiles/${id}?view=table&by=thread`, ".functions tbody tr"],
  [`/profiles/${id}?tab=analysis`, ".finding"],
  [`/profiles/${id}?tab=metrics`, ".chart .u-over"],
  [`/profiles/${id}?tab=runtime`, ".runtime-text section"],
  [`/compare?a.profile=${server.rows[1].id}&b.profile=${id}`, ".flame-canvas"],
  [`/compare?a.profile=${server.rows[1].id}&b.profile=${id}&view=sides`, ".flame-canvas"],
  [`/compare?a.profile=${server.rows[1].id}&b.profile=${id}&view=table`, ".functions tbody tr"],
  ["/compare", ".offers li"],
  ["/flame?from=now-1h", ".flame-canvas"],
  ["/setup", ".setup-text pre"],
  ["/status", ".card"],
];

/** Assembles a page from disk as `jfrkit_web::write_page` does. */
async function disk(name, bundle, page, blocks) {
  const template = await readFile(join(dist, "page.html"), "utf8");
  const hashes = JSON.parse(await readFile(join(dist, "hashes.json"), "utf8"));
  const escape = (json) => json.replace(/</g, "\\u003c").replace(/\u2028/g, "\\u2028").replace(/\u2029/g, "\\u2029");
  const block = (id, value) =>
    Buffer.isBuffer(value)
      ? `<script type="application/gzip" id="${id}">${value.toString("base64")}</script>\n`
      : `<script type="application/json" id="${id}">${escape(JSON.stringify(value))}</script>\n`;
  const data = block("jfrkit-page", page) + Object.entries(blocks).map(([id, value]) => block(id, value)).join("");
  const parts = { "SCRIPT-HASH": hashes[`${bundle}.js`], "STYLE-HASH": hashes[`${bundle}.css`], TITLE: "test", STYLE: await readFile(join(dist, `${bundle}.css`), "utf8"), SCRIPT: await readFile(join(dist, `${bundle}.js`), "utf8"), DATA: data };
  const file = join(scratch, name);
  await writeFile(file, template.split("@@").map((piece, i) => (i % 2 ? parts[piece] : piece)).join(""));
  return pathToFileURL(file).href;
}

// Stories

await test("a developer sees the first profile appear by itself", { behavior: { empty: true } }, async ({ page, server, go }) => {
  await go("/profiles");
  await page.getByText("Waiting for the first upload").waitFor();
  assert.ok((await page.locator(".setup-text pre").textContent()).includes(server.url));
  const source = await start(dist);
  server.emit({ ...source.rows[0], id: "01KBNEW0000000000000000000" });
  source.close();
  await page.locator("tr .row-link").first().waitFor();
});

await test("a new row slides in while at the top", {}, async ({ page, server, go }) => {
  await go("/profiles");
  await page.locator(".row-link").first().waitFor();
  server.emit({ ...server.rows[0], id: "01KBNEW0000000000000000000", service: "brand-new", start: new Date().toISOString() });
  await page.locator("tbody tr:first-child").getByText("brand-new").waitFor();
});

await test("on call: facet, sort by CPU, open the worst, see the method", {}, async ({ page, go }) => {
  await go("/profiles");
  await page.locator(".facet-value button", { hasText: "shop" }).click();
  await until(() => params(page).get("q") === "service:shop", "the query has the facet");
  await page.getByText("96 profiles", { exact: true }).waitFor();
  await page.getByLabel("Env prod").click();
  await until(() => params(page).get("q") === "service:shop env:prod", "the checkbox adds a term");
  await page.locator(".facet-value button", { hasText: "web-2" }).click({ modifiers: ["Alt"] });
  await until(() => params(page).get("q")?.includes("-host:web-2"), "Alt-click excludes");
  await page.getByRole("button", { name: "CPU cores" }).click();
  await until(() => params(page).get("sort") === "-cpu_cores", "sorted");
  const values = await until(async () => {
    const texts = await page.locator("tbody .c-cpu").allTextContents();
    const numbers = texts.map(Number).filter((n) => n > 0);
    return numbers.length > 5 && numbers.every((n, i) => i === 0 || numbers[i - 1] >= n) && numbers;
  }, "rows by CPU");
  assert.ok(values[0] > 3);
  await page.locator(".row-link").first().click();
  await page.getByRole("tab", { name: "Profiles" }).waitFor();
  await page.locator(".functions tbody tr").first().waitFor();
  assert.match(await page.locator(".functions tbody tr").first().textContent(), /HashMap\.get/);
  await page.goBack();
  await page.locator(".row-link").first().waitFor();
  assert.equal(params(page).get("sort"), "-cpu_cores");
});

await test("the query completes, marks a mistake and keeps the last result", { allow: /400/ }, async ({ page, go }) => {
  await go("/profiles");
  const query = page.getByRole("combobox", { name: "Query" });
  await query.fill("serv");
  await page.getByRole("option", { name: /service:$|service: / }).first().waitFor();
  await query.press("ArrowDown");
  await query.press("Tab");
  assert.equal(await query.inputValue(), "service:");
  await page.getByRole("option", { name: /service:shop/ }).waitFor();
  await query.press("ArrowDown");
  await query.press("Enter");
  await until(() => params(page).get("q") === "service:shop", "the completion is asked");
  await query.fill("service:shop cpu:>abc");
  await query.press("Enter");
  await page.getByText("expected a number").waitFor();
  assert.equal(await page.locator(".query-mark u").textContent(), "cpu:>abc");
  assert.ok((await page.locator(".row-link").count()) > 5, "the last good result stays");
  assert.equal(await query.getAttribute("aria-invalid"), "true");
});

await test("nothing matches: terms to drop and the nearest time", {}, async ({ page, go }) => {
  await go("/profiles?q=service:shop+host:nowhere");
  await page.locator("button.chip", { hasText: "host:nowhere" }).click();
  await until(() => params(page).get("q") === "service:shop", "the term is gone");
  await page.getByText("96 profiles", { exact: true }).waitFor();
});

await test("all rows are reached by scrolling, and few are in the page", {}, async ({ page, go }) => {
  await go("/profiles");
  await page.locator(".row-link").first().waitFor();
  await until(async () => {
    await page.mouse.wheel(0, 3000);
    return page.evaluate(() => scrollY + innerHeight >= document.documentElement.scrollHeight - 5 && document.documentElement.scrollHeight > 7000);
  }, "the end of 240 rows");
  assert.ok((await page.locator("tbody .row-link").count()) < 90);
});

await test("rows that cannot be loaded are not left out silently", { allow: /500/ }, async ({ page, context, go }) => {
  await context.route(/profiles\?.*cursor=/, (route) => route.fulfill({ status: 500, contentType: "application/problem+json", body: JSON.stringify({ title: "Internal Server Error", status: 500, detail: "disk I/O error" }) }));
  await go("/profiles");
  await page.locator(".row-link").first().waitFor();
  await until(async () => {
    await page.mouse.wheel(0, 3000);
    return (await page.locator(".problem", { hasText: "disk I/O error" }).count()) === 1;
  }, "the error shows");
  const before = await page.evaluate(() => document.documentElement.scrollHeight);
  await context.unroute(/profiles\?.*cursor=/);
  await page.getByRole("button", { name: "Try again" }).click();
  await until(() => page.evaluate((h) => document.documentElement.scrollHeight > h + 500, before), "more rows");
  assert.equal(await page.locator(".problem").count(), 0);
});

await test("a failed row says why, and has the download", {}, async ({ page, server, go }) => {
  await go(`/profiles?cols=${["start", "service", "cpu", "alloc", "findings", "size", "language"]}`);
  const row = page.locator("tr.failed");
  await row.getByText("failed: the recording ends in the middle of chunk 1").waitFor();
  assert.match(await row.getByRole("link", { name: "Download" }).getAttribute("href"), /\/files\/main\.jfr$/);
  assert.equal(server.requests.filter((r) => r.endsWith(`/profiles/${server.rows[5].id}`)).length, 1, "the row is loaded once");
  // Its other values stay in their columns.
  const left = (place) => place.evaluate((e) => e.getBoundingClientRect().left);
  assert.equal(await left(row.locator(".c-language")), await left(page.locator("th.c-language")));
  assert.equal(await row.locator(".c-language").textContent(), server.rows[5].language);
  await page.setViewportSize({ width: 390, height: 844 });
  await row.getByRole("link", { name: "Download" }).waitFor();
  await fits(page, "narrow");
});

await test("the sliders show the range of the query", {}, async ({ page, go }) => {
  await go(`/profiles?${new URLSearchParams({ q: "cpu:[1 TO 2.2]" })}`);
  const at = (end) => page.getByLabel(`CPU cores, ${end}`).evaluate((e) => Number(e.value));
  await page.getByLabel("CPU cores, at least").waitFor();
  await until(async () => Math.abs((await at("at least")) - 20) <= 1 && Math.abs((await at("at most")) - 50) <= 1, "20 and 50 of 100");
  await page.getByRole("combobox", { name: "Query" }).fill("");
  await page.keyboard.press("Enter");
  await until(async () => (await at("at least")) === 0 && (await at("at most")) === 100, "the whole range");
  await page.getByLabel("CPU cores, at least").focus();
  for (let i = 0; i < 5; i++) await page.keyboard.press("ArrowRight");
  await until(() => /^cpu:>=0\.\d/.test(params(page).get("q") ?? ""), "keys write the query");
});

await test("a deleted profile leaves the list, and the counts follow", {}, async ({ page, server, go }) => {
  await go("/profiles");
  await page.getByText("240 profiles", { exact: true }).waitFor();
  const link = page.locator(`a.row-link[href="/profiles/${server.rows[1].id}"]`);
  await link.waitFor();
  server.remove(server.rows[1].id);
  await until(async () => (await link.count()) === 0, "the row is gone");
  await page.getByText("239 profiles", { exact: true }).waitFor();
});

await test("the counts follow while rows keep coming, and when a row changes", {}, async ({ page, server, go }) => {
  await go("/profiles");
  await page.locator(".row-link").first().waitFor();
  const asked = () => server.requests.filter((r) => r.includes("/facets?")).length;
  const service = page.locator(".facet-value", { hasText: "busy" }).locator(".quiet");
  let sent = 0;
  await until(async () => {
    server.emit({ ...server.rows[0], id: `01KBNEW${String(sent++).padStart(19, "0")}`, service: "busy" });
    return (await service.count()) === 1;
  }, "a count of the new service, without a pause between its rows");
  await until(async () => (await service.textContent()) === count(sent), "the count of all of them");
  const before = asked();
  server.emit({ ...server.rows.shift(), pinned: true });
  await until(() => asked() > before, "a changed row counts as well");
});

await test("one service: its versions are compared by one click", {}, async ({ page, server, go }) => {
  const [newest, other] = server.rows.filter((r) => r.service === "shop");
  // In another environment an older version runs at the same time.
  Object.assign(other, { env: "stage", version: "1.1.0" });
  const before = server.rows.find((r) => r.service === "shop" && r.env === newest.env && r.version !== newest.version);
  await go("/profiles?q=service:shop");
  await page.getByRole("link", { name: `Compare ${before.version} → ${newest.version}` }).click();
  await page.locator(".flame-canvas").waitFor();
  const sides = () => [params(page).get("a.q"), params(page).get("b.q")];
  const expected = [before, newest].map((row) => `service:shop env:${row.env} version:${row.version}`);
  assert.deepEqual(sides(), expected);
  // The same from a profile.
  await go(`/profiles/${newest.id}`);
  await page.getByRole("button", { name: /^Compare/ }).click();
  await page.getByRole("button", { name: "with the previous version" }).click();
  await until(() => page.url().includes("/compare?"), "compare");
  await page.locator(".flame-canvas").waitFor();
  assert.deepEqual(sides(), expected);
  // And in a comparison, whose view stays.
  await go(`/compare?a.profile=${server.rows[10].id}&b.profile=${newest.id}&view=sides&zoom=1`);
  await page.getByRole("button", { name: /^Presets/ }).click();
  await page.getByRole("button", { name: "with the previous version" }).click();
  await until(() => params(page).get("a.q"), "other sides");
  assert.deepEqual(sides(), expected);
  assert.deepEqual([params(page).get("view"), params(page).get("zoom"), params(page).get("a.profile")], ["sides", null, null]);
});

await test("dragging over the histogram selects a time", {}, async ({ page, go }) => {
  await go("/profiles");
  const bars = page.locator(".histogram-bars");
  await page.locator(".histogram-bars rect").first().waitFor();
  const box = await bars.boundingBox();
  await page.mouse.move(box.x + box.width / 4, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + 10, { steps: 4 });
  await page.mouse.up();
  const [from, to] = await until(() => params(page).get("to") && [params(page).get("from"), params(page).get("to")], "a range");
  const minutes = (Date.parse(to) - Date.parse(from)) / 60000;
  assert.ok(minutes > 12 && minutes < 18, `${minutes} min`);
});

await test("the flame graph: zoom, back, keys, menu, filters, sandwich", {}, async ({ page, server, go }) => {
  const id = server.rows[10].id;
  await go(`/profiles/${id}?view=flame`);
  const canvas = page.locator(".flame-canvas");
  await canvas.waitFor();
  await until(async () => /^all, /.test((await item(page)) ?? ""), "the root is described");
  await canvas.focus();
  await page.keyboard.press("ArrowDown");
  assert.match(await item(page), /^java\.lang\.Thread\.run, .* s, .* %, self /);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  const at = await item(page);
  assert.match(at, /Shop\.order/);
  await page.keyboard.press("ArrowRight");
  assert.match(await item(page), /Shop\.price/);
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  const zoom = await until(() => params(page).get("zoom"), "the zoom is in the address");
  await page.getByText("zoomed to com.acme.shop.Shop.order").waitFor();
  await page.reload();
  await page.getByText("zoomed to com.acme.shop.Shop.order").waitFor();
  assert.equal(params(page).get("zoom"), zoom, "the same view after a reload");
  await canvas.focus();
  await page.keyboard.press("Backspace");
  await page.getByText("zoomed to com.acme.shop.Worker.run").waitFor();
  await page.keyboard.press("0");
  await until(() => !params(page).get("zoom"), "0 shows everything");
  await page.goBack();
  await page.getByText("zoomed to com.acme.shop.Worker.run").waitFor();
  await page.keyboard.press("0");
  // The root takes the whole width; a click zooms.
  const box = await canvas.boundingBox();
  assert.ok(box.y + box.height <= 900, "the canvas is never taller than the window");
  await page.mouse.click(box.x + 20, box.y + 2 * 18 + 9);
  await page.getByText("zoomed to com.acme.shop.Worker.run").waitFor();
  await page.mouse.move(box.x + 30, box.y + 3 * 18 + 9);
  await page.locator(".tip").getByText("com.acme.shop.Shop.order").waitFor();
  // Menu by keyboard: Shift+F10, then hide.
  await canvas.focus();
  for (const key of ["0", "ArrowDown", "ArrowDown", "ArrowDown"]) await page.keyboard.press(key);
  await page.keyboard.press("Shift+F10");
  await page.getByRole("menuitem", { name: "Hide this function" }).waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".frame-menu").count(), 0);
  await page.keyboard.press("h");
  await page.locator(".chip", { hasText: "com.acme.shop.Shop.order" }).waitFor();
  assert.equal(params(page).get("hide"), "^com\\.acme\\.shop\\.Shop\\.order$");
  await page.locator(".chip button").first().click();
  await until(() => !params(page).get("hide"), "the chip removes the filter");
  await canvas.focus();
  for (const key of ["ArrowDown", "ArrowDown", "ArrowDown"]) await page.keyboard.press(key);
  await page.keyboard.press("s");
  await page.locator(".sandwich").waitFor();
  assert.equal(await page.locator(".sandwich .flame-canvas").count(), 2);
  await page.keyboard.press("Escape");
  await until(() => !params(page).get("fn"), "Escape closes the sandwich");
});

await test("keys of the panel: types, table, recursion, group, full screen, copy, help", {}, async ({ page, server, go }) => {
  await go(`/profiles/${server.rows[10].id}`);
  await page.locator(".flame-canvas").waitFor();
  await until(() => item(page), "drawn");
  await page.keyboard.press("]");
  await until(() => params(page).get("type") === "alloc", "] is the next type");
  await page.locator(".type[aria-current]", { hasText: "Allocation" }).waitFor();
  await until(async () => /^all/.test((await item(page)) ?? ""), "drawn");
  await page.keyboard.press("[");
  await until(() => params(page).get("type") === "cpu", "[ is the one before");
  await until(async () => /^all/.test((await item(page)) ?? ""), "drawn");
  await page.keyboard.press("t");
  await until(() => params(page).get("view") === "table", "t");
  await page.keyboard.press("t");
  await until(() => params(page).get("view") === "flame", "t again");
  await page.keyboard.press("r");
  await until(() => params(page).get("recursion") === "collapse", "r");
  await page.keyboard.press("r");
  await until(() => !params(page).get("recursion"), "r again");
  await page.waitForLoadState("networkidle");
  await page.keyboard.press("g");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "SELECT");
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("ArrowDown");
  await until(async () => /Thread\.run/.test(await item(page)), "arrows reach the graph from the page");
  await page.keyboard.press("c");
  await page.locator("#toast").getByText("Name copied").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "java.lang.Thread.run");
  await page.keyboard.press("f");
  await page.locator(".panel.full").waitFor();
  await page.keyboard.press("f");
  await until(async () => (await page.locator(".panel.full").count()) === 0, "f leaves full screen");
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await until(async () => (await page.locator("dialog[open]").count()) === 0, "Escape closes the help");
  for (const [key, tab] of [["2", "analysis"], ["3", "metrics"], ["4", "runtime"]]) {
    await page.keyboard.press(key);
    await until(() => params(page).get("tab") === tab, key);
  }
  await page.keyboard.press("1");
  const before = page.url();
  await page.keyboard.press("p");
  await until(() => page.url() !== before && page.url().includes("/profiles/"), "p is the older profile");
});

await test("keys of the search, of lists and of tabs", { allow: /404/ }, async ({ page, server, go }) => {
  await go("/profiles");
  await page.locator(".row-link").first().waitFor();
  const query = page.getByRole("combobox", { name: "Query" });
  await query.fill("service");
  const list = page.getByRole("listbox", { name: "Completions" }).getByRole("option");
  await until(async () => (await list.count()) > 1 && (await list.allTextContents()).every((text) => text.startsWith("service")), "completions of what is typed");
  const options = await list.count();
  await query.press("ArrowUp");
  assert.equal(await query.getAttribute("aria-activedescendant"), `query-${options - 1}`);
  await query.press("ArrowDown");
  assert.equal(await query.getAttribute("aria-activedescendant"), "query-0");
  await query.press("Escape");
  assert.equal(await list.count(), 0);
  assert.equal(await query.inputValue(), "service", "Escape keeps what was typed");
  await query.press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "BODY");
  // A row opens by Enter on its link.
  await page.locator(".row-link").nth(3).focus();
  await page.keyboard.press("Enter");
  await page.locator(".flame-canvas").waitFor();
  // The list of types by arrows, the tabs by arrows.
  await page.locator(".type").first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await until(() => params(page).get("type") === "alloc", "the second type");
  await page.getByRole("tab", { name: /^Profiles/ }).focus();
  await page.keyboard.press("ArrowRight");
  await until(() => params(page).get("tab") === "analysis", "the next tab");
  await page.keyboard.press("ArrowLeft");
  await until(() => !params(page).get("tab"), "the tab before");
  await page.keyboard.press("2");
  await page.keyboard.press("1");
  await until(() => !params(page).get("tab"), "1 is the first tab");
  // p and n go to the older and the newer profile of the process.
  await go(`/profiles/${server.rows[10].id}?view=flame`);
  await page.locator(".flame-canvas").waitFor();
  await page.keyboard.press("p");
  await until(() => page.url().includes(server.rows[15].id), "the older one");
  await page.locator(".flame-canvas").waitFor();
  await page.keyboard.press("n");
  await until(() => page.url().includes(server.rows[10].id), "the newer one");
  await page.locator(".flame-canvas").waitFor();
  // Ends of a row, pages of the graph, the menu key.
  await until(() => item(page), "drawn");
  await page.locator(".flame-canvas").focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("End");
  const last = await item(page);
  await page.keyboard.press("Home");
  assert.notEqual(await item(page), last);
  assert.match(await item(page), /^java\.lang\.Thread\.run/);
  await page.keyboard.press("ContextMenu");
  await until(() => page.evaluate(() => document.activeElement?.closest(".frame-menu") !== null), "the menu has the focus");
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.locator("#toast", { hasText: "copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "java.lang.Thread.run");
});

await test("rows by thread and by line lead to the graph of them; library prefixes are in the address", {}, async ({ page, server, go }) => {
  await go(`/profiles/${server.rows[10].id}?view=both&by=thread`);
  await page.locator(".functions tbody tr").first().waitFor();
  const name = await page.locator(".functions tbody .name button").first().getAttribute("title");
  await page.locator(".functions tbody tr").first().click();
  await until(() => params(page).get("thread"), "only this thread");
  await page.locator(".chip", { hasText: `thread ${name}` }).waitFor();
  await until(() => server.requests.some((r) => r.includes("/flame?") && r.includes("thread=")), "asked");
  await go(`/profiles/${server.rows[10].id}?view=flame&lib=java.,com.acme.`);
  await page.locator(".flame-canvas").waitFor();
  assert.ok(server.requests.some((r) => r.includes("library=java.&library=com.acme.")), "the prefixes of the address");
  await page.getByRole("button", { name: "Settings of the graph" }).click();
  assert.equal(await page.locator(".menu textarea").inputValue(), "java.\ncom.acme.");
  await page.getByLabel("Numbers in frames").selectOption("absolute");
  await until(() => params(page).get("numbers") === "value", "in the address");
  // One more prefix comes to those that are shown, not to those of this browser.
  await page.keyboard.press("Escape");
  await page.locator(".flame-canvas").focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Shift+F10");
  await page.getByRole("menuitem", { name: "Collapse library frames under it" }).click();
  await until(() => /^java\.,com\.acme\.,.+\.$/.test(params(page).get("lib") ?? ""), "one more prefix");
  const prefixes = params(page).get("lib").split(",").join("\n");
  await page.getByRole("button", { name: "Settings of the graph" }).click();
  assert.equal(await page.locator(".menu textarea").inputValue(), prefixes);
  // Switched off and on again, they are those of this browser.
  await page.getByLabel("Collapse library frames").uncheck();
  assert.equal(params(page).get("lib"), null);
  assert.equal(await page.locator(".menu textarea").inputValue(), prefixes);
  await page.locator(".menu textarea").fill("");
  await page.locator(".menu textarea").blur();
  await page.getByLabel("Collapse library frames").check();
  await until(() => params(page).get("lib") === "1", "the usual list");
});

await test("search counts each stack once and steps through matches", {}, async ({ page, server, go }) => {
  await go(`/profiles/${server.rows[10].id}?view=flame`);
  await page.locator(".flame-canvas").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("json");
  await page.locator(".matches", { hasText: "match" }).waitFor();
  const tree = await (await fetch(`${server.url}/api/v1/flame?profile=${server.rows[10].id}&type=cpu&search=json`)).json();
  const share = (tree.matches.value / tree.total) * 100;
  assert.ok((await page.locator(".matches").textContent()).startsWith(`${share.toFixed(1)} %`), await page.locator(".matches").textContent());
  await page.keyboard.press("Enter");
  await page.locator(".matches", { hasText: "1 of" }).waitFor();
  assert.match(await item(page), /Json/);
  await page.keyboard.press("Shift+Enter");
  const [, n, of] = /(\d+) of (\d+)/.exec(await page.locator(".matches").textContent());
  assert.equal(n, of);
  await page.getByLabel(/Search frames/).fill("/(/");
  await until(async () => (await page.getByLabel(/Search frames/).getAttribute("aria-invalid")) === "true", "a bad expression is marked");
});

await test("the table equals the API and opens the sandwich", {}, async ({ page, server, go }) => {
  const id = server.rows[10].id;
  await go(`/profiles/${id}?view=table`);
  await page.locator(".functions tbody tr").first().waitFor();
  const answer = await (await fetch(`${server.url}/api/v1/table?profile=${id}&type=cpu&by=function&sort=-self`)).json();
  const names = await page.locator(".functions tbody .name button").evaluateAll((all) => all.map((b) => b.title));
  assert.deepEqual(names, answer.rows.map((r) => r.key));
  await page.locator(".functions tbody .name button").first().focus();
  await page.keyboard.press("Enter");
  await page.locator(".sandwich").waitFor();
  assert.equal(params(page).get("fn"), answer.rows[0].key);
});

await test("findings: filter, evidence, link into the graph, copy", {}, async ({ page, server, go }) => {
  await go(`/profiles/${server.rows[10].id}?tab=analysis`);
  await page.getByText("2 to act on").waitFor();
  assert.equal(await page.locator(".finding").count(), 5);
  await page.getByLabel("Severity").selectOption("warning");
  await until(async () => (await page.locator(".finding").count()) === 2, "two to act on");
  await page.getByRole("button", { name: "Copy as Markdown" }).click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /### ▲ Threads wait for com\.acme\.cache\.Cache \(31 % of elapsed time\)/);
  await page.getByRole("button", { name: /Show in Profiles: Lock/ }).click();
  await until(() => params(page).get("type") === "lock" && params(page).get("search") === "/^com\\.acme\\.cache\\.Cache\\.load$/", "the graph with the function");
});

await test("metrics: a click opens the profile, lines by version", {}, async ({ page, server, go }) => {
  await go(`/profiles/${server.rows[10].id}?tab=metrics`);
  await page.locator(".chart .u-over").first().waitFor();
  assert.equal(await page.locator(".chart").count(), 6);
  await page.getByLabel("lines by").selectOption("version");
  await until(() => params(page).get("by") === "version", "by version");
  await page.waitForLoadState("networkidle");
  const box = await until(() => page.locator(".chart .u-over").first().boundingBox(), "a chart");
  await page.mouse.move(box.x + box.width / 2, box.y + 30, { steps: 3 });
  await page.mouse.click(box.x + box.width / 2, box.y + 30);
  await until(() => !page.url().includes(server.rows[10].id), "another profile");
});

await test("metrics: the value of this profile, and last ones are named so", {}, async ({ page, server, go }) => {
  const { id } = server.rows[10];
  await page.route("**/api/v1/metrics?*", async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    answer.metrics.splice(3);
    for (const [m, metric] of answer.metrics.entries()) {
      metric.series.splice(1);
      metric.series[0].points = metric.series[0].points.slice(-4).map(([at], i) => [at, 0, i, 2 * i, m === 0 && i === 2 ? id : "other"]);
    }
    answer.metrics[2].series[0].points.splice(1);
    answer.metrics[2].series[0].points[0] = [answer.metrics[2].series[0].points[0][0], 0.25, 0.25, 0.25, id];
    await route.fulfill({ response, json: answer });
  });
  await go(`/profiles/${id}?tab=metrics`);
  await page.locator(".chart .u-over").first().waitFor();
  assert.deepEqual(await page.locator(".chart-now").allTextContents(), ["this profile 4.00 cores", "last 3 B/s", "this profile 25 %"]);
  assert.equal(await page.locator(".chart .u-over").count(), 2, "a metric with one value has no chart");
  assert.match(await page.locator(".chart").last().textContent(), /mean of the profiles of a minute/);
});

await test("metrics by keyboard: from point to point, and Enter opens the profile", {}, async ({ page, server, go }) => {
  const { id } = server.rows[10];
  await go(`/profiles/${id}?tab=metrics&by=version`);
  const chart = page.locator(".chart-box").first();
  await chart.waitFor();
  await chart.focus();
  const said = page.locator(".chart [role=status]").first();
  await page.keyboard.press("ArrowLeft");
  const first = await until(() => said.textContent(), "a point");
  await page.keyboard.press("ArrowLeft");
  await until(async () => (await said.textContent()) !== first, "the point before");
  await page.keyboard.press("Enter");
  await until(() => !page.url().includes(id) && params(page).get("tab") === "metrics", "another profile");
});

await test("runtime information: filter keeps the section", {}, async ({ page, server, go }) => {
  await go(`/profiles/${server.rows[10].id}?tab=runtime`);
  await page.getByText("container memory").waitFor();
  await page.getByLabel("Filter lines").fill("pause");
  await until(async () => (await page.locator(".runtime-text section").count()) === 1, "one section");
  assert.match(await page.locator(".runtime-text").textContent(), /Flags that differ.*MaxGCPauseMillis/s);
  assert.ok(!(await page.content()).includes("hunter2"));
});

await test("compare: both sides, swap, table, noise, address", {}, async ({ page, server, go }) => {
  await go(`/compare?a.profile=${server.rows[1].id}&b.profile=${server.rows[10].id}`);
  await page.locator(".flame-canvas").waitFor();
  // Of 9,000 and 9,100 samples: 2 · (b / a) · √(1/9,000 + 1/9,100).
  const change = await page.locator(".versus > strong").textContent();
  const [, percent, spread] = /\(([+−][\d.]+) % ± ([\d.]+)\)/.exec(change) ?? assert.fail(change);
  const ratio = 1 + Number(percent.replace("−", "-")) / 100;
  assert.ok(Math.abs(Number(spread) - 200 * ratio * Math.sqrt(1 / 9000 + 1 / 9100)) < 0.06, change);
  await page.getByRole("button", { name: "Side by side" }).click();
  await until(async () => (await page.locator(".flame-canvas").count()) === 2, "two graphs");
  await page.getByRole("button", { name: "Table" }).click();
  await page.locator(".functions tbody tr").first().waitFor();
  assert.ok((await page.locator(".functions tbody", { hasText: "only in B" }).count()) > 0);
  await page.getByLabel("Filter rows").fill("json");
  await page.getByRole("button", { name: "B", exact: true }).click();
  await until(() => params(page).get("filter") === "json" && params(page).get("sort") === "b", "filter and order are in the address");
  await page.reload();
  await page.locator(".functions tbody tr").first().waitFor();
  assert.ok((await page.locator(".functions tbody .name button").evaluateAll((all) => all.map((e) => e.title))).every((name) => /json/i.test(name)), "only rows that match");
  await page.getByLabel("Filter rows").fill("");
  await page.getByRole("button", { name: "Self", exact: true }).click();
  await until(() => params(page).get("of") === "self", "what functions do themselves");
  await until(async () => !(await page.locator(".functions tbody").textContent()).includes("Thread.run"), "callers do nothing themselves");
  await page.getByRole("button", { name: "Swap" }).click();
  await until(() => params(page).get("a.profile") === server.rows[10].id, "swapped");
  await go("/compare?a.q=service:shop&a.from=now-1d&b.q=service:shop&b.from=now-1h");
  await page.locator(".flame-canvas").waitFor();
  assert.match(await page.locator(".versus").textContent(), /A service:shop, 2 versions, past 1 day, 96 profiles.*B service:shop, 2 versions, past 1 h, 96 profiles/);
});

await test("compare: a start for each service, filters from the menu", {}, async ({ page, go }) => {
  await go("/compare");
  await page.locator(".offers li", { hasText: "shop" }).first().getByRole("link", { name: "the last two profiles" }).click();
  await page.locator(".flame-canvas").waitFor();
  await until(() => item(page), "drawn");
  await page.locator(".flame-canvas").focus();
  for (const key of ["ArrowDown", "ArrowDown", "Shift+F10"]) await page.keyboard.press(key);
  const menu = page.locator(".frame-menu");
  await menu.waitFor();
  assert.deepEqual((await menu.getByRole("menuitem").allTextContents()).map((text) => text.replace(/Enter$/, "")), ["Zoom", "Hide this function", "Only stacks with it", "Without it", "Find same", "Copy name", "Copy stack"]);
  await menu.getByRole("menuitem", { name: "Hide this function" }).click();
  await until(() => params(page).get("hide"), "the filter is in the address");
  await page.locator(".chip", { hasText: "hidden:" }).waitFor();
  await until(() => item(page), "drawn");
  await page.locator(".chip button").first().click();
  await until(() => !params(page).get("hide"), "the chip takes it away");
  await page.keyboard.press("/");
  await page.keyboard.type("json");
  await page.locator(".matches", { hasText: "frame" }).waitFor();
});

await test("compare two selected rows, flame graph of a search", {}, async ({ page, go }) => {
  await go("/profiles");
  await page.locator("tbody input[type=checkbox]").nth(0).check();
  await page.locator("tbody input[type=checkbox]").nth(3).check();
  await page.getByRole("link", { name: "Compare 2 selected" }).click();
  await until(() => page.url().includes("/compare?"), "compare");
  await go("/flame?q=service:shop");
  await page.getByText("Flame graph of 96 profiles").waitFor();
  await page.locator(".flame-canvas").waitFor();
  assert.match(await page.locator(".functions tbody tr").first().textContent(), /s|%/);
});

await test("setup and status", {}, async ({ page, server, go }) => {
  await go("/setup");
  for (const client of ["Java", "Python", "Go", "Node.js", "Pyroscope", "OpenTelemetry", "curl"]) {
    await page.getByRole("tab", { name: client, exact: true }).click();
    assert.ok((await page.locator(".setup-text pre").textContent()).includes(client === "Go" ? new URL(server.url).host : server.url), client);
  }
  server.emit({ ...server.rows[0], id: "01KBNEW0000000000000000000" });
  await page.getByRole("link", { name: "open it" }).waitFor();
  await go("/status");
  await page.getByText("waiting in the spool").waitFor();
  await page.getByText("the recording ends in the middle of chunk 1").waitFor();
});

await test("a dropped file is uploaded and opens", {}, async ({ page, server, go }) => {
  await go("/profiles");
  await page.locator(".row-link").first().waitFor();
  await page.locator("input[type=file]").setInputFiles({ name: "app.jfr", mimeType: "application/octet-stream", buffer: Buffer.from("FLR\0rest") });
  await until(() => page.url().endsWith(server.rows[0].id), "the profile opens");
  assert.ok(server.requests.some((r) => r.startsWith("POST /api/v1/recordings")));
});

// States

await test("processing fills in by itself", { behavior: { processing: 2 } }, async ({ page, server, go }) => {
  await go(`/profiles/${server.rows[10].id}?view=flame`);
  await page.getByText("being processed").waitFor();
  await page.locator(".flame-canvas").waitFor();
});

await test("failed, missing, broken and slow say so", { behavior: {}, allow: /404|500|Failed to load/ }, async ({ page, server, go }) => {
  await go(`/profiles/${server.rows[5].id}`);
  await page.getByText("ends in the middle of chunk 1").waitFor();
  await page.getByRole("link", { name: /Download/ }).first().waitFor();
  await go("/profiles/01KBNOTHERE000000000000000");
  await page.getByText("Profile not found").waitFor();
  server.behavior.broken = true;
  await go("/profiles");
  await page.getByText("the index cannot be read").waitFor();
  assert.ok(await page.getByText("/api/v1/profiles").count(), "the error names its request");
  server.behavior.broken = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator(".row-link").first().waitFor();
  server.behavior.slow = 30000;
  await page.getByRole("button", { name: "CPU cores" }).click();
  await page.getByRole("progressbar").first().waitFor();
  assert.ok((await page.locator(".row-link").count()) > 5, "old content stays");
  await page.getByRole("button", { name: "Cancel" }).first().click();
  await page.getByText("Canceled before the response arrived").waitFor();
  assert.ok((await page.locator(".row-link").count()) > 5, "and after it was canceled");
  server.behavior.slow = 0;
  await page.getByRole("button", { name: "Try again" }).click();
  await until(async () => (await page.getByText("Canceled before the response arrived").count()) === 0, "again");
});

await test("offline is a banner, retried", { allow: /Failed to load|ERR_/ }, async ({ page, server, context, go }) => {
  await go("/profiles");
  await page.locator(".row-link").first().waitFor();
  await context.setOffline(true);
  await page.getByRole("button", { name: "CPU cores" }).click();
  await page.locator(".banner").waitFor();
  await context.setOffline(false);
  await until(async () => (await page.locator(".banner").count()) === 0, "it comes back by itself");
  // On a profile as well.
  await go(`/profiles/${server.rows[10].id}?tab=runtime`);
  await page.locator(".runtime-text section").first().waitFor();
  await context.setOffline(true);
  await page.getByRole("tab", { name: "Metrics" }).click();
  await page.locator(".banner").waitFor();
  await page.locator(".problem", { hasText: "/api/v1/metrics" }).waitFor();
  await context.setOffline(false);
  await page.locator(".chart").first().waitFor();
  assert.equal(await page.locator(".banner").count(), 0);
  // "Still being processed" is a response as well.
  await context.setOffline(true);
  await page.getByRole("tab", { name: "Profiles" }).click();
  await page.locator(".banner").waitFor();
  await page.route(/\/flame\?/, (route) => route.fulfill({ status: 202, contentType: "application/json", body: "{}" }));
  await context.setOffline(false);
  await page.getByText("being processed").waitFor();
  await until(async () => (await page.locator(".banner").count()) === 0, "no banner while it is processed");
});

await test("without JavaScript the page says what it needs", { script: false }, async ({ page, go }) => {
  await go("/profiles");
  await page.locator("noscript").waitFor();
  assert.match(await page.locator("noscript").innerText(), /This page needs JavaScript/);
});

await test("an expired recording: the profile stays, the download says when", { behavior: { expired: true } }, async ({ page, server, go }) => {
  await go(`/profiles/${server.rows[10].id}?view=flame`);
  await page.locator(".flame-canvas").waitFor();
  await page.getByRole("button", { name: /^Download/ }).click();
  await page.getByText(/The recording expired/).waitFor();
  assert.equal(await page.locator(".menu a", { hasText: "main.jfr" }).count(), 0);
  assert.ok((await page.locator(".menu a", { hasText: "cpu.pb.gz" }).count()) === 1);
});

await test("filters that leave nothing say so, and the chip takes them away", {}, async ({ page, server, go }) => {
  await go(`/profiles/${server.rows[10].id}?view=flame&include=%5Enothing%24`);
  await page.locator(".work .note").waitFor();
  await page.locator(".chip button").first().click();
  await page.locator(".flame-canvas").waitFor();
});

await test("filters of one kind add up, and each has a chip of its own", {}, async ({ page, server, go }) => {
  await go(`/profiles/${server.rows[10].id}?view=flame&hide=json&hide=math`);
  await page.locator(".flame-canvas").waitFor();
  const chips = page.locator(".chip", { hasText: "hidden:" });
  const names = async () => (await chips.locator("bdi").allTextContents()).map((text) => text.replace("hidden: ", ""));
  assert.deepEqual(await names(), ["json", "math"]);
  await until(() => item(page), "drawn");
  await page.locator(".flame-canvas").focus();
  for (const key of ["ArrowDown", "ArrowDown", "ArrowDown", "h"]) await page.keyboard.press(key);
  const order = "com.acme.shop.Shop.order";
  await until(async () => (await names()).join() === `json,math,${order}`, "one more");
  const { searchParams } = new URL(page.url());
  assert.deepEqual(searchParams.getAll("hide"), ["json", "math", "^com\\.acme\\.shop\\.Shop\\.order$"]);
  await until(() => server.requests.some((r) => r.includes("/flame?") && r.includes("hide=json&hide=math&hide=%5Ecom")), "all are asked for");
  await chips.nth(1).getByRole("button").click();
  await until(async () => (await names()).join() === `json,${order}`, "only its own filter is gone");
});

await test("a type without samples is listed with the reason and cannot be opened", {}, async ({ page, server, go }) => {
  await go(`/profiles/${server.rows[10].id}?view=flame&type=class-load`);
  await page.locator(".type[aria-current]", { hasText: "CPU in Java Code" }).waitFor();
  const off = page.locator(".type[aria-disabled=true]");
  assert.match(await off.textContent(), /Class load.*no class was loaded/s);
  await off.dispatchEvent("click");
  assert.equal(params(page).get("type"), "class-load", "a click changes nothing");
});

await test("a full disk is a red line on the status page", { behavior: { full: true } }, async ({ page, go }) => {
  await go("/status");
  await page.getByRole("alert").getByText(/disk is (nearly|almost) full/).waitFor();
  // What is forwarded is on the page as well, with the last error.
  const facts = await page.getByRole("region", { name: "Forwarding" }).locator("dl > div").evaluateAll((all) => all.map((fact) => [...fact.children].map((e) => e.textContent).join(": ")));
  assert.deepEqual(facts, ["to: http://agent:8126", "waiting: 3 uploads, 3.43 MiB", "sent: 120", "failed attempts: 4", "dropped: 1", "last error: http://agent:8126 answered 503"]);
  await page.getByText("12 profiles", { exact: true }).waitFor();
});

await test("an upload that is refused says why", { allow: /400/ }, async ({ page, go }) => {
  await go("/profiles");
  await page.locator(".row-link").first().waitFor();
  await page.locator("input[type=file]").setInputFiles({ name: "empty.jfr", mimeType: "application/octet-stream", buffer: Buffer.from("") });
  await page.locator(".upload").getByText("the body is empty").waitFor();
  await page.locator(".upload").getByRole("button", { name: "Close" }).click();
  await until(async () => (await page.locator(".upload").count()) === 0, "closed");
});

await test("no profile of the language has an analysis", { allow: /404/ }, async ({ page, server, go }) => {
  const python = server.rows.find((r) => r.language === "Python" && r.status === "ready");
  await go(`/profiles/${python.id}?tab=analysis`);
  await page.getByText("there are no rules for Python yet").waitFor();
});

// Malicious names

await test("hostile names are text in every page", { behavior: { hostile: true }, allow: /404/ }, async ({ page, server, go }) => {
  const java = server.rows.find((r, i) => r.language === "Java" && r.status === "ready" && i > 5 && i % 6 === 0) ?? server.rows[10];
  const id = java.id;
  for (const [place, selector] of [...places(server, id), [`/profiles/${id}?fn=${encodeURIComponent(HOSTILE[0])}`, ".sandwich"], [`/profiles?q=${encodeURIComponent(HOSTILE.slice(0, 4).join(" "))}`, ".row-link"]]) {
    await visit(page, server.url + place, selector);
    assert.equal(await page.evaluate(() => window.hacked), undefined, place);
    assert.equal(await page.locator("main img, main script, main iframe").count(), 0, place);
    await fits(page, place);
    const text = await page.locator("body").innerText();
    assert.ok(!/[\u202e\u0000\u2028]/.test(text), `${place} shows a character that hides or reorders`);
    const links = await page.locator("a[href]").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
    assert.ok(links.every((l) => l.startsWith("/") || l.startsWith("#")), place);
  }
  await go(`/profiles/${id}?view=flame`);
  await page.locator(".flame-canvas").waitFor();
  const box = await page.locator(".flame-canvas").boundingBox();
  for (let row = 0; row < 6; row++) await page.mouse.move(box.x + 40, box.y + row * 18 + 9);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
});

// Pages from disk

const CPU = { type: "cpu", name: "CPU in Java Code", definition: "…", absent: null };
const stacks = [["main;a.B.run;a.B.run;c.D.leaf", 60e9], ["main;a.B.run;c.D.other", 30e9], [`main;${HOSTILE[1]}`, 9e9], [`main;${HOSTILE[2]}`, 1e9]];

await test("a page from disk: zoom, search, sandwich, types, without network", { allow: /$^/ }, async ({ page, context }) => {
  const tree = collapsed(stacks);
  const other = collapsed([["main;x.Y.alloc", 5e6]]);
  const value = (tree, block, name, unit) => ({ name, unit, total: tree.total[0], samples: 100, tree: block });
  const url = await disk("flame.html", "flame", { kind: "flame", title: HOSTILE[1], subtitle: HOSTILE[2], generator: "jfrkit", seconds: 60, types: [{ ...CPU, values: [value(tree, "t0", "cpu-time", "nanoseconds")] }, { type: "alloc", name: "Allocation", definition: "", absent: null, values: [value(other, "t1", "alloc-space", "bytes")] }] }, { t0: toJson(tree), t1: gzipSync(JSON.stringify(toJson(other))) });
  const asked = [];
  page.on("request", (r) => r.url() !== url && !r.url().startsWith("data:") && !r.url().startsWith(url) && asked.push(r.url()));
  await context.setOffline(true);
  await page.goto(url);
  await page.locator(".flame-canvas").waitFor();
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.match(await item(page), /all, 1 min 40 s, 100 %/);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByText("zoomed to a.B.run").waitFor();
  await page.reload();
  await page.getByText("zoomed to a.B.run").waitFor();
  await page.keyboard.press("0");
  await page.getByLabel(/Search frames/).fill("a.B.run");
  await page.locator(".matches", { hasText: "90 % match" }).waitFor();
  const rows = await page.locator(".functions tbody tr").allTextContents();
  const expected = table(tree);
  assert.equal(rows.length, expected.length);
  assert.equal(await page.locator(".functions tbody .name button").first().getAttribute("title"), "c.D.leaf");
  await page.locator(".functions tbody .name button", { hasText: "B.run" }).focus();
  await page.keyboard.press("Enter");
  await page.locator(".sandwich").waitFor();
  const both = sandwich(tree, "a.B.run");
  assert.match(await page.locator(".sandwich-name").textContent(), /1 min 30 s · 90 %/);
  assert.equal(both.callers.total[0], 90e9);
  await page.locator(".type", { hasText: "Allocation" }).click();
  await until(async () => /all, 4\.77 MiB/.test(await item(page)), "the other type");
  await page.getByRole("button", { name: "Callers" }).click();
  await until(async () => (await page.locator(".flame-canvas").getAttribute("aria-label")).startsWith("Callers"), "callers");
  assert.deepEqual(asked, []);
  void callers;
  void addressOf;
});

await test("a comparison from disk", {}, async ({ page }) => {
  const [x, y] = shared(collapsed(stacks), collapsed([["main;a.B.run;c.D.leaf", 80e9], ["main;n.New.code", 20e9]]));
  const json = { ...joinDiff(x, y) };
  json.noise = json.depth.map(() => 0);
  const sides = { a: { total: x.total[0], samples: 100, seconds: 60 }, b: { total: y.total[0], samples: 100, seconds: 30 } };
  const url = await disk("diff.html", "flame", { kind: "diff", title: "a against b", generator: "jfrkit", a: { label: "a.jfr" }, b: { label: "b.jfr" }, types: [{ ...CPU, values: [{ name: "cpu-time", unit: "nanoseconds", total: x.total[0], tree: "t0", ...sides }] }] }, { t0: json });
  await page.goto(url);
  await page.locator(".flame-canvas").waitFor();
  await page.locator(".versus").getByText("+1.67 cores (+100 % ± 57)").waitFor();
  await page.getByRole("button", { name: "Table" }).click();
  await page.locator(".functions tbody", { hasText: "only in B" }).waitFor();
  // Filtered, the page judges the noise itself: what has one sample in A is noise, what has nine is not.
  await page.goto(`${url}#/?view=table&exclude=nowhere`);
  await page.locator(".chip", { hasText: "nowhere" }).waitFor();
  await until(async () => (await page.locator(".functions tr.noise").count()) === 1, "one row of noise");
  assert.match(await page.locator(".functions tr.noise").textContent(), /^<!--.*noise$/s);
});

await test("a heat map from disk: a dragged range gives its flame graph", {}, async ({ page }) => {
  const tree = collapsed([["main;a.B.early", 50], ["main;a.B.late", 50]]);
  const at = (name) => [...tree.name].findIndex((n) => tree.names[n] === name);
  // 4 s of 50 cells: early in the first two seconds, late in the others.
  const ones = Buffer.alloc(200, 1);
  const ranks = Buffer.alloc(200, 0).fill(1, 100);
  const url = await disk("heat.html", "flame", { kind: "heatmap", title: "heat", generator: "jfrkit", heatmap: { start: 1795433684457, step_ms: 20, cells: 200, unit: "count", weight: 1, tree: "t0", stacks: "s0", data: ["c0", "c1", "c2"], base: "cell" } }, { t0: toJson(tree), s0: [at("a.B.early"), at("a.B.late")], c0: gzipSync(ones), c1: gzipSync(ranks), c2: gzipSync(ones) });
  await page.goto(url);
  const map = page.locator(".heat canvas");
  await map.waitFor();
  await until(async () => /all, 200, 100 %/.test((await item(page)) ?? ""), "all samples");
  const box = await map.boundingBox();
  await page.mouse.move(box.x + 2, box.y + 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.3, box.y + box.height - 3, { steps: 4 });
  await page.mouse.up();
  await page.locator(".heat-line").getByText(/100 samples/).waitFor();
  await until(async () => (await page.locator(".functions tbody").textContent()).includes("early") && !(await page.locator(".functions tbody").textContent()).includes("late"), "only early");
  await map.focus();
  await page.keyboard.press("Escape");
  await page.locator(".heat-line").getByText(/200 samples/).waitFor();
});

await test("a report from disk shows the four tabs with the server's numbers", {}, async ({ page, server, context }) => {
  const id = server.rows[10].id;
  const get = async (to) => (await fetch(`${server.url}/api/v1/${to}`)).json();
  const detail = await get(`profiles/${id}`);
  const flame = await get(`flame?profile=${id}&type=cpu`);
  const from = new Date(Date.parse(detail.start) - 60000).toISOString();
  const blocks = { t0: flame, an: await get(`profiles/${id}/analysis`), me: await get(`metrics?from=${from}&to=${detail.end}&service=shop`), ru: await (await fetch(`${server.url}/api/v1/profiles/${id}/runtime`)).text() };
  for (const metric of blocks.me.metrics) Object.assign(metric.series[0], { profile: id, value: 0.84, at_least: metric.name === "cpu.cores" });
  blocks.me.metrics.push({ name: "gc.pause.max", title: "Longest GC pause", unit: "nanoseconds", how: "the longest pause", series: [{ key: blocks.me.metrics[0].series[0].key, points: [[detail.start, 3e8, 3e8, 3e8, id]], profile: id, value: 3e8 }] });
  detail.types = [{ ...detail.types[0], values: [{ ...detail.types[0].values[1], tree: "t0" }] }];
  const url = await disk("report.html", "app", { kind: "report", title: "app.jfr", generator: "jfrkit", profiles: [{ row: server.rows[10], detail, analysis: "an", metrics: "me", runtime: "ru" }] }, blocks);
  await context.setOffline(true);
  await page.goto(url);
  await page.locator(".functions tbody tr").first().waitFor();
  const rows = await page.locator(".functions tbody .bar-cell").allTextContents();
  await context.setOffline(false);
  await page.goto(`${server.url}/profiles/${id}?value=cpu-value`);
  await page.locator(".functions tbody tr").first().waitFor();
  assert.deepEqual(await page.locator(".functions tbody .bar-cell").allTextContents(), rows, "the same numbers from both sources");
  await page.goto(url);
  await page.keyboard.press("2");
  await page.getByText("2 to act on").waitFor();
  await page.keyboard.press("3");
  await page.locator(".chart").first().waitFor();
  const chart = (title) => page.locator(".chart", { hasText: title });
  assert.equal(await chart("CPU cores").locator(".chart-now").textContent(), "this profile ≥ 0.84 cores");
  assert.equal(await chart("CPU cores").locator(".u-over").count(), 1);
  assert.equal(await chart("Longest GC pause").locator(".chart-now").textContent(), "this profile 300 ms");
  assert.equal(await chart("Longest GC pause").locator(".u-over").count(), 0);
  await chart("Longest GC pause").getByText("the longest pause").waitFor();
  await page.keyboard.press("4");
  await page.getByText("container memory").waitFor();
});

// Accessibility and layout

for (const theme of ["light", "dark"]) {
  await test(`axe finds nothing serious, ${theme}`, { theme }, async ({ page, server }) => {
    for (const [place, selector] of places(server, server.rows[10].id)) {
      await visit(page, server.url + place, selector);
      await axe(page, place);
    }
  });
  await test(`axe finds nothing serious in menus, dialogs and states, ${theme}`, { theme, allow: /404|500|Failed to load/ }, async ({ page, server, go }) => {
    const id = server.rows[10].id;
    await go(`/profiles/${id}?view=both`);
    await page.locator(".functions tbody tr").first().waitFor();
    for (const [open, selector] of [["Settings of the graph", ".menu"], [/^Download/, ".menu"], [/^Compare/, ".menu"], ["Keys", "dialog[open]"]]) {
      await page.getByRole("button", { name: open }).first().click();
      await page.locator(selector).waitFor();
      await axe(page, String(open));
      await page.keyboard.press("Escape");
      await until(async () => (await page.locator(selector).count()) === 0, `Escape closes ${open}`);
    }
    await page.locator(".flame-canvas").focus();
    for (const key of ["ArrowDown", "ArrowDown", "Shift+F10"]) await page.keyboard.press(key);
    await page.locator(".frame-menu").waitFor();
    await axe(page, "menu of a frame");
    await page.keyboard.press("Escape");
    await page.keyboard.press("f");
    await page.locator(".panel.full").waitFor();
    await axe(page, "full screen");
    await page.keyboard.press("f");
    await page.getByRole("tab", { name: /^Analysis/ }).click();
    await page.locator(".finding").first().waitFor();
    await page.locator(".finding:not([open]) summary").evaluateAll((all) => all.forEach((s) => s.click()));
    await page.getByRole("button", { name: /not apply/ }).click();
    await page.locator(".others tr").first().waitFor();
    await axe(page, "all findings open");
    await visit(page, `${server.url}/profiles?q=service:shop+host:nowhere`, ".chips.center .chip");
    await axe(page, "nothing matches");
    await visit(page, `${server.url}/profiles/${server.rows[5].id}`, ".problem");
    await axe(page, "a failed upload");
    await visit(page, `${server.url}/profiles/01KBNOTHERE000000000000000`, ".note");
    await axe(page, "a missing profile");
    await go("/profiles");
    await page.locator(".row-link").first().waitFor();
    await page.getByRole("combobox", { name: "Query" }).fill("serv");
    await page.locator("[role=option]").first().waitFor();
    await axe(page, "completions");
    server.behavior.broken = true;
    await visit(page, `${server.url}/profiles`, ".problem");
    await axe(page, "an error");
    server.behavior.broken = false;
    server.behavior.full = true;
    await visit(page, `${server.url}/status`, ".problem");
    await axe(page, "a full disk");
  });
}

// 200 % zoom is half as many pixels of twice the size.
for (const [what, width, zoom] of [["360 px", 360, 1], ["2560 px", 2560, 1], ["200 % zoom of 1440 px", 720, 2]]) {
  await test(`no page is wider than ${what}`, { width, zoom }, async ({ page, server }) => {
    for (const [place, selector] of places(server, server.rows[10].id)) {
      await visit(page, server.url + place, selector);
      await fits(page, place);
    }
  });
}

// Speed

await test("200,000 nodes: script time of a frame", { motion: "no-preference" }, async ({ page }) => {
  const tree = large(200_000);
  const url = await disk("large.html", "flame", { kind: "flame", title: "large", generator: "jfrkit", types: [{ ...CPU, values: [{ name: "cpu-time", unit: "nanoseconds", total: tree.total[0], tree: "t0" }] }] }, { t0: gzipSync(JSON.stringify(toJson(tree)), { level: 1 }) });
  await page.goto(url + "#/?view=flame");
  await page.locator(".flame-canvas").waitFor({ timeout: 15000 });
  await until(async () => /all,/.test((await item(page)) ?? ""), "drawn");
  // The time of the thread, not of the clock: other programs on the machine do not count.
  await browser.stopTracing().catch(() => {});
  await browser.startTracing(page, { categories: ["devtools.timeline"] });
  const box = await page.locator(".flame-canvas").boundingBox();
  for (let i = 0; i < 40; i++) {
    await page.mouse.move(box.x + 50 + i * 30, box.y + 20 + (i % 20) * 18);
    if (i % 5 === 0) await page.mouse.wheel(0, 120);
  }
  await page.keyboard.down("Control");
  for (let i = 0; i < 12; i++) await page.mouse.wheel(0, i < 6 ? -120 : 120);
  await page.keyboard.up("Control");
  await page.mouse.click(box.x + 100, box.y + 80);
  await page.getByText(/^zoomed to/).waitFor();
  await page.mouse.move(box.x + 300, box.y + 90);
  await page.mouse.down();
  for (let i = 0; i < 20; i++) await page.mouse.move(box.x + 300 + i * 10, box.y + 90);
  await page.mouse.up();
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  const times = traceEvents.filter((e) => e.name === "FireAnimationFrame" && (e.tdur ?? e.dur) !== undefined).map((e) => (e.tdur ?? e.dur) / 1000).sort((a, b) => a - b);
  const p95 = times[Math.floor(times.length * 0.95)];
  const memory = await page.evaluate(() => performance.memory?.usedJSHeapSize ?? 0);
  console.log(`     ${tree.size} nodes, ${times.length} frames, script of a frame: median ${times[times.length >> 1].toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, heap ${(memory / 2 ** 20).toFixed(0)} MiB`);
  assert.ok(times.length >= 30);
  // The bar is 8 ms; other machines may be slower.
  assert.ok(p95 <= (process.env.STRICT ? 8 : 40), `p95 ${p95.toFixed(1)} ms`);
  assert.ok(memory < 250 * 2 ** 20, `${memory} bytes`);
});

await browser.close();
await rm(scratch, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
