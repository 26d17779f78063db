// Takes a picture of every page and state, in both themes, 1440 and 390 px wide: node test/shots.mjs DIRECTORY [NAME-PART]
//
// The pages come from `jfrkit serve --demo`, from a server with recordings and profiles of every language, from an empty one, and from files that the program
// wrote. Add recordings of your own with RECORDINGS=a.jfr,b.jfr. A scene that does not come to its state, or is wider than the window, is reported.
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { chromiumPath, freshPage, freshServer, program, root, run, serve } from "./program.mjs";

const [out, only] = process.argv.slice(2);
if (!out || !chromiumPath || !program) {
  console.log(out ? `skipped: there is no ${chromiumPath ? "jfrkit that was built (cargo build)" : "Chromium"}` : "usage: node test/shots.mjs DIRECTORY [NAME-PART]");
  process.exit(out ? 0 : 2);
}
await mkdir(out, { recursive: true });
const scratch = await mkdtemp(join(tmpdir(), "jfrkit-shots-"));
const fixture = (name) => join(root, "fixtures", name);
const INPUTS = { java: fixture("jdk21-full.jfr.gz"), python: join(root, "server/demo/python.pprof.zst"), go: join(root, "server/demo/go-cpu.pprof.gz"), node: join(root, "web/test/node-wall.pprof.gz") };

const demo = await serve("--demo");
const empty = await serve();
const real = await serve();
const locked = await serve("--page-token", await token());
async function token() {
  const file = join(scratch, "tokens.txt");
  const { writeFile } = await import("node:fs/promises");
  await writeFile(file, "a-token-for-the-pictures\n");
  return file;
}
await demo.idle();
const rows = async (server, q) => (await server.json(`profiles?${new URLSearchParams({ q, from: "0", sort: "-start" })}`)).rows;
const [shop, older] = await rows(demo, "service:shop host:web-1");
const [python] = await rows(demo, "service:recommender");
const [go] = await rows(demo, "service:gateway");
const ids = {};
for (const [name, file] of Object.entries(INPUTS)) ids[name] = await real.upload(await readFile(file), { service: `${name}-service`, env: "prod", version: "1.0", host: "host-1" });
for (const file of (process.env.RECORDINGS ?? "").split(",").filter(Boolean)) ids[basename(file)] = await real.upload(await readFile(file), { service: basename(file).replace(/\.jfr.*/, ""), env: "ci", version: "2026.11.27-abcdef0", host: "build-agent-17" });
ids.failed = await real.upload(Buffer.concat([Buffer.from("FLR\0"), Buffer.alloc(64, 255)]), { service: "broken", env: "prod" });
const page = async (name, ...args) => {
  const file = join(scratch, name);
  run(...args, "-o", file);
  await freshPage(file);
  return pathToFileURL(file).href;
};
const wait = (selector) => (p) => p.locator(selector).first().waitFor();
const flame = async (p) => {
  await wait(".flame-canvas")(p);
  await p.waitForFunction(() => document.querySelector(".flame-canvas [role=treeitem]")?.getAttribute("aria-label"));
};
const both = async (p) => {
  await flame(p);
  if (p.viewportSize().width > 1100) await wait(".functions tbody tr")(p);
};
const table = wait(".functions tbody tr");
const search = async (p) => {
  await wait(".row-link")(p);
  await wait(".histogram-bars rect")(p);
};
const click = (role, name) => (p) => p.getByRole(role, { name }).first().click();
const frame = (n) => async (p) => {
  await flame(p);
  await p.locator(".flame-canvas").focus();
  for (let i = 0; i < n; i++) await p.keyboard.press("ArrowDown");
};
const problem = (status, title, detail) => ({ status, contentType: "application/problem+json", body: JSON.stringify({ title, status, detail }) });
const answer = (pattern, with_) => (context) => context.route(pattern, with_ === "never" ? () => {} : with_ === "none" ? (r) => r.abort() : (r) => r.fulfill(with_));

const at = (server, path) => server.url + path;
const profile = (id, query = "") => at(demo, `/profiles/${id}${query && `?${query}`}`);
const mine = (id, query = "") => at(real, `/profiles/${id}${query && `?${query}`}`);
/** Name, address, what to wait for or do, what the network does. */
const SCENES = [
  ["search", at(demo, "/profiles"), search],
  ["search-query", at(demo, "/profiles?q=service:shop+env:demo&sort=-cpu_cores"), search],
  ["search-suggestions", at(demo, "/profiles"), async (p) => { await search(p); await p.getByRole("combobox", { name: "Query" }).fill("service:"); await wait("[role=option]")(p); await p.keyboard.press("ArrowDown"); }],
  ["search-mistake", at(demo, "/profiles?q=service:shop"), async (p) => { await search(p); await p.getByRole("combobox", { name: "Query" }).fill("service:shop cpu:>abc"); await p.keyboard.press("Enter"); await wait(".mistake.danger")(p); }],
  ["search-nothing", at(demo, "/profiles?q=service:shop+host:nowhere"), wait(".chips.center .chip")],
  ["search-other-time", at(demo, "/profiles?from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z"), wait(".results .note")],
  ["search-selected", at(demo, "/profiles"), async (p) => { await search(p); for (const i of [0, 3]) await p.locator("tbody input[type=checkbox]").nth(i).check(); await wait("a.button")(p); }],
  ["search-columns", at(demo, "/profiles"), async (p) => { await search(p); await click("button", "Columns")(p); }],
  ["search-range", at(demo, "/profiles"), async (p) => { await search(p); await p.getByLabel("Time", { exact: true }).selectOption("custom"); await wait(".custom-time")(p); }],
  ["search-facets", at(demo, "/profiles?q=service:shop+-host:web-2"), async (p) => { await search(p); const toggle = p.getByRole("button", { name: "Facets" }); if (await toggle.isVisible()) await toggle.click(); }],
  ["search-empty", at(empty, "/profiles"), wait(".setup-text pre")],
  ["search-failed-row", at(real, "/profiles"), search],
  ["search-error", at(demo, "/profiles"), wait(".problem"), answer("**/api/v1/profiles?*", problem(500, "Internal Server Error", "the index cannot be read: disk I/O error"))],
  ["search-offline", at(demo, "/profiles"), wait(".banner"), answer("**/api/v1/profiles?*", "none")],
  ["search-loading", at(demo, "/profiles"), async (p) => { await p.getByRole("button", { name: "Cancel" }).waitFor(); }, answer("**/api/v1/profiles?*", "never")],
  ["search-canceled", at(demo, "/profiles"), async (p) => { await p.getByRole("button", { name: "Cancel" }).click(); await wait(".problem")(p); }, answer("**/api/v1/profiles?*", "never")],
  ["search-more-failed", at(demo, "/profiles"), async (p) => { await search(p); for (let i = 0; i < 20; i++) { await p.mouse.wheel(0, 2000); await p.waitForTimeout(50); } await wait(".problem")(p); }, answer(/profiles\?.*cursor=/, problem(500, "Internal Server Error", "the index cannot be read: disk I/O error"))],
  ["help", at(demo, "/profiles"), async (p) => { await search(p); await click("button", "Keys")(p); await p.getByRole("dialog").waitFor(); }],
  ["unknown-page", at(demo, "/nowhere"), () => {}],

  ["profile", profile(shop.id), both],
  ["profile-flame", profile(shop.id, "view=flame"), flame],
  ["profile-callers", profile(shop.id, "view=callers"), flame],
  ["profile-table", profile(shop.id, "view=table"), table],
  ["profile-sandwich", profile(shop.id), async (p) => { await frame(6)(p); await p.keyboard.press("s"); await wait(".sandwich .flame-canvas")(p); }],
  ["profile-full-screen", profile(shop.id), async (p) => { await both(p); await p.keyboard.press("f"); await wait(".panel.full")(p); }],
  ["profile-search", profile(shop.id, "search=java.util"), async (p) => { await both(p); await wait(".matches")(p); }],
  ["profile-zoom", profile(shop.id), async (p) => { await frame(4)(p); await p.keyboard.press("Enter"); await p.getByText(/^zoomed to/).waitFor(); }],
  ["profile-filters", profile(shop.id), async (p) => { await frame(5)(p); await p.keyboard.press("h"); await wait(".chip")(p); await flame(p); }],
  ["profile-menu", profile(shop.id), async (p) => { await frame(5)(p); await p.keyboard.press("Shift+F10"); await wait(".frame-menu")(p); }],
  ["profile-tip", profile(shop.id), async (p) => { await frame(5)(p); const b = await p.locator(".flame-canvas").boundingBox(); await p.mouse.move(b.x + 60, b.y + 18 * 5 + 8); await wait(".tip")(p); }],
  ["profile-settings", profile(shop.id), async (p) => { await both(p); await click("button", "Settings of the graph")(p); await wait(".menu")(p); }],
  ["profile-download", profile(shop.id), async (p) => { await both(p); await click("button", /^Download/)(p); await wait(".menu")(p); }],
  ["profile-compare-menu", profile(shop.id), async (p) => { await both(p); await click("button", /^Compare/)(p); await wait(".menu")(p); }],
  ["profile-more", profile(shop.id), async (p) => { await both(p); await p.getByRole("button", { name: "More", exact: true }).click(); await wait(".menu")(p); }],
  ["profile-absolute", profile(shop.id, "numbers=value&view=flame"), flame],
  ["profile-one-thread", profile(shop.id, "by=thread&view=both"), async (p) => { await table(p); await p.locator(".functions tbody tr").first().click(); await wait(".chip")(p); await flame(p); }],
  ["profile-group", profile(shop.id, "group=thread"), both],
  ["profile-by-thread", profile(shop.id, "view=table&by=thread"), table],
  ["profile-kind", profile(shop.id, "color=kind"), both],
  ["profile-self", profile(shop.id, "color=self"), both],
  ["profile-alloc", profile(shop.id, "type=alloc"), both],
  ["profile-nothing-left", profile(shop.id, "include=%5Enothing%5C.matches%24"), wait(".work .note")],
  ["profile-python", profile(python.id), both],
  ["profile-go", profile(go.id), both],
  ["profile-node", mine(ids.node), both],
  ["analysis", profile(shop.id, "tab=analysis"), wait(".finding")],
  ["analysis-open", profile(shop.id, "tab=analysis"), async (p) => { await wait(".finding")(p); await p.locator(".finding:not([open]) summary").evaluateAll((all) => all.forEach((s) => s.click())); }],
  ["analysis-fine", profile(shop.id, "tab=analysis"), async (p) => { await wait(".finding")(p); await click("button", /fine|without/)(p); await wait(".others tr")(p); }],
  ["analysis-not", profile(shop.id, "tab=analysis"), async (p) => { await wait(".finding")(p); await click("button", /not appl/)(p); await wait(".others tr")(p); }],
  ["analysis-filter", profile(shop.id, "tab=analysis&find=zzz"), wait(".note")],
  ["analysis-python", profile(python.id, "tab=analysis"), wait(".analysis")],
  ["analysis-node", mine(ids.node, "tab=analysis"), wait(".analysis, .note")],
  ["metrics", profile(shop.id, "tab=metrics"), wait(".chart .u-over")],
  ["metrics-cursor", profile(shop.id, "tab=metrics&by=version"), async (p) => { await wait(".chart .u-over")(p); const b = await p.locator(".chart .u-over").first().boundingBox(); await p.mouse.move(b.x + b.width / 2, b.y + 40, { steps: 3 }); }],
  ["metrics-python", profile(python.id, "tab=metrics"), wait(".chart .u-over")],
  ["metrics-go", profile(go.id, "tab=metrics"), wait(".chart .u-over")],
  ["runtime", profile(shop.id, "tab=runtime"), wait(".runtime-text section")],
  ["runtime-filter", profile(shop.id, "tab=runtime&find=heap"), wait(".runtime-text section")],
  ["runtime-nothing", profile(shop.id, "tab=runtime&find=zzzz"), wait(".note")],
  ["runtime-python", profile(python.id, "tab=runtime"), wait(".runtime-text section")],
  ["profile-missing", profile("01KB0000000000000000000000"), wait(".note h2")],
  ["profile-failed", mine(ids.failed), wait(".problem")],
  ["profile-processing", profile(shop.id), wait(".note[role=status]"), (context) => context.route(`**/api/v1/profiles/${shop.id}`, async (r) => { const a = await r.fetch(); const json = await a.json(); await r.fulfill({ json: { ...json, status: "processing", types: [], cpu_cores: null, alloc_rate: null, findings: null } }); })],
  ["profile-error", profile(shop.id), wait(".problem"), answer("**/api/v1/flame?*", problem(500, "Internal Server Error", "cpu.pb.gz cannot be read: unexpected end of file"))],
  ["profile-offline", profile(shop.id), wait(".problem"), answer("**/api/v1/profiles/*", "none")],
  ["profile-expired", profile(shop.id), async (p) => { await both(p); await click("button", /^Download/)(p); await wait(".menu")(p); }, (context) => context.route(`**/api/v1/profiles/${shop.id}`, async (r) => { const a = await r.fetch(); const json = await a.json(); await r.fulfill({ json: { ...json, files: json.files.filter((f) => f.kind === "derived"), received_removed: new Date(Date.now() - 2 * 86_400_000).toISOString() } }); })],

  ["compare-start", at(demo, "/compare"), wait(".offers li")],
  ["compare-menu", at(demo, `/compare?a.profile=${older.id}&b.profile=${shop.id}`), async (p) => { await frame(4)(p); await p.keyboard.press("Shift+F10"); await wait(".frame-menu")(p); }],
  ["compare-filters", at(demo, `/compare?a.profile=${older.id}&b.profile=${shop.id}&hide=%5Ejava%5C.lang%5C.Thread%5C.run%24&search=shop`), async (p) => { await flame(p); await wait(".chip")(p); }],
  ["compare-self", at(demo, `/compare?a.profile=${older.id}&b.profile=${shop.id}&view=table&of=self`), table],
  ["compare", at(demo, `/compare?a.profile=${older.id}&b.profile=${shop.id}`), flame],
  ["compare-queries", at(demo, "/compare?a.q=service:shop+version:1.2.0&a.from=now-2h&b.q=service:shop+version:1.3.0&b.from=now-2h"), flame],
  ["compare-sides", at(demo, `/compare?a.profile=${older.id}&b.profile=${shop.id}&view=sides`), flame],
  ["compare-table", at(demo, `/compare?a.profile=${older.id}&b.profile=${shop.id}&view=table`), table],
  ["compare-edit", at(demo, "/compare?a.q=service:shop&a.from=now-2h&b.q=service:shop&b.from=now-1h"), async (p) => { await flame(p); await click("button", "Change A and B")(p); await wait(".sides-edit")(p); }],
  ["compare-presets", at(demo, `/compare?a.profile=${older.id}&b.profile=${shop.id}`), async (p) => { await flame(p); await click("button", /^Presets/)(p); await wait(".menu")(p); }],
  ["merged", at(demo, "/flame?q=service:shop&from=now-2h"), both],
  ["merged-all", at(demo, "/flame?from=now-2h"), both],
  ["merged-live", at(demo, "/flame?q=service:shop&live=1"), wait("h1")],
  ["setup", at(demo, "/setup"), wait(".setup-text pre")],
  ...["Python", "Go", "Node.js", "Pyroscope", "curl"].map((client) => [`setup-${client.toLowerCase()}`, at(demo, "/setup"), async (p) => { await wait(".setup-text pre")(p); await p.getByRole("tab", { name: client, exact: true }).click(); }]),
  ["status", at(demo, "/status"), wait(".card")],
  ["status-failures", at(real, "/status"), wait(".card")],
  ["login", at(locked, "/login"), wait("form")],
  ["upload-drop", at(demo, "/profiles"), async (p) => { await search(p); await p.evaluate(() => { const data = new DataTransfer(); data.items.add(new File(["x"], "app.jfr")); dispatchEvent(new DragEvent("dragenter", { dataTransfer: data, bubbles: true })); }); await wait(".drop")(p); }],
  ["upload-refused", at(demo, "/profiles"), async (p) => { await search(p); await p.locator("input[type=file]").setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("") }); await wait(".upload .danger")(p); }],

  ["real-search", at(real, "/profiles"), search],
  ...Object.entries(ids).filter(([name]) => name.includes(".jfr")).flatMap(([name, id]) => ["profiles", "analysis", "metrics", "runtime"].map((tab) => [`real-${name}-${tab}`, mine(id, tab === "profiles" ? "" : `tab=${tab}`), { profiles: both, analysis: wait(".finding"), metrics: wait(".chart"), runtime: wait(".runtime-text section") }[tab]])),

  ["page-flame", await page("flame.html", "flame", INPUTS.java), both],
  ["page-diff", await page("diff.html", "diff", "--format", "html", fixture("jdk17-full.jfr"), INPUTS.java), flame],
  ["page-heatmap", await page("heat.html", "heatmap", INPUTS.java), async (p) => { await wait(".heat canvas")(p); await flame(p); }],
  ["page-heatmap-range", await page("heat2.html", "heatmap", INPUTS.java), async (p) => { await flame(p); const b = await p.locator(".heat canvas").boundingBox(); await p.mouse.move(b.x + 20, b.y + 20); await p.mouse.down(); await p.mouse.move(b.x + b.width * 0.5, b.y + 60, { steps: 4 }); await p.mouse.up(); await p.getByRole("button", { name: "Show all" }).waitFor(); }],
  ...(await Promise.all(Object.entries(INPUTS).map(async ([name, file]) => [name, await page(`report-${name}.html`, "report", file)]))).flatMap(([name, url]) => ["profiles", "analysis", "metrics", "runtime"].map((tab, i) => [`report-${name}-${tab}`, url, async (p) => { await wait(".tabs [role=tab]")(p); await p.keyboard.press(String(i + 1)); await { profiles: both, analysis: wait(".analysis, .note"), metrics: wait(".chart"), runtime: wait(".runtime-text section") }[tab](p); }])),
  ["report-several", await page("several.html", "report", fixture("jdk17-full.jfr"), INPUTS.java, INPUTS.python), wait(".row-link")],
];

const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
let bad = 0;
for (const [name, url, act, network] of SCENES) {
  if (only && !name.includes(only)) continue;
  for (const width of [1440, 390]) {
    for (const theme of ["light", "dark"]) {
      const context = await browser.newContext({ viewport: { width, height: width > 1000 ? 900 : 844 }, colorScheme: theme, reducedMotion: "reduce", deviceScaleFactor: 1, hasTouch: width < 1000 });
      context.setDefaultTimeout(10000);
      const p = await context.newPage();
      const errors = [];
      p.on("pageerror", (e) => errors.push(e.message));
      try {
        await freshServer(context);
        await network?.(context);
        await p.goto(url);
        await act(p);
        // What was asked for has come; one frame more, and what fades or folds is there.
        await p.waitForFunction(() => !document.querySelector(".bar") || document.querySelector(".bar-cancel"));
        await p.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      } catch (error) {
        errors.push(String(error.message).split("\n")[0]);
      }
      const over = await p.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (over > 0) errors.push(`${over} px wider than the window`);
      await p.screenshot({ path: join(out, `${name}-${width}-${theme}.png`) });
      if (width === 390 && theme === "light") {
        await p.screenshot({ path: join(out, `${name}-${width}-whole.png`), fullPage: true });
      }
      for (const error of errors) console.log(`${name} ${width} ${theme}: ${error}`);
      bad += errors.length;
      await context.close();
    }
  }
}
await browser.close();
await Promise.all([demo, empty, real, locked].map((s) => s.close()));
await rm(scratch, { recursive: true });
console.log(`${SCENES.length} scenes, ${bad} complaints`);
process.exit(bad > 0 ? 1 : 0);
