// Tries the page on a real server: the stories of users from upload to finding, names from strangers in every field, and that a server, a page from disk and
// the command line show the same numbers. Skips, and says so, where there is no browser or no program (see program.mjs).
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { load } from "./bundle.mjs";
import { chromiumPath, freshPage, freshServer, json, pprof, program, root, run, serve } from "./program.mjs";
import { axe, fits, item, rows, sameAsTop, show, until } from "./shown.mjs";
import { finish, test as runTest } from "./tests.mjs";

if (!chromiumPath || !program) {
  console.log(`skipped: there is no ${chromiumPath ? "jfrkit that was built (cargo build)" : "Chromium"}`);
  process.exit(0);
}
const { HOSTILE } = await load("mock.ts");
const scratch = await mkdtemp(join(tmpdir(), "jfrkit-live-"));
const INPUTS = {
  Java: [join(root, "fixtures/jdk17-full.jfr"), "cpu"],
  Python: [join(root, "server/demo/python.pprof.zst"), "wall"],
  Go: [join(root, "server/demo/go-cpu.pprof.gz"), "cpu"],
  "Node.js": [join(root, "web/test/node-wall.pprof.gz"), "wall"],
};
const OTHER = join(root, "fixtures/jdk21-full.jfr.gz");
const server = await serve();
const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });

/** Opens a page that may ask our server, or `anywhere`. */
const test = (name, { width = 1440, theme = "light", allow, anywhere = false }, body) => {
  const context = { viewport: { width, height: 900 }, colorScheme: theme };
  const asks = { test: (url) => anywhere || url.startsWith(server.url) || /^(file|data|blob):/.test(url) };
  return runTest(name, { browser, context, ready: freshServer, allow, asks }, ({ page, context }) => body({ page, context, go: (to) => page.goto(server.url + to) }));
};

const params = (page) => new URL(page.url()).searchParams;
const ready = async (page) => {
  await page.locator(".flame-canvas").first().waitFor();
  await until(() => item(page), "the flame graph is drawn");
};

// One upload of each language, with the times of now; of the second recording the version is a newer one.
const ids = {};
for (const [language, [file]] of Object.entries(INPUTS)) ids[language] = await server.upload(await readFile(file), { service: `${language} service`, env: "prod", version: "1.0", host: "host-1" });
ids.newer = await server.upload(await readFile(OTHER), { service: "Java service", env: "prod", version: "1.1", host: "host-2" });

// The same numbers from a server, from a page on disk and on the command line

/** All that a page shows of a profile, apart from what only a server can know. */
async function everything(page, address, type) {
  await page.goto(address("profiles", type));
  await ready(page);
  const table = await rows(page, 50);
  const whole = await item(page);
  const facts = (await page.locator(".facts > span").allInnerTexts()).slice(0, 2);
  // What is absent has other reasons on a server: a client may send it next time.
  const types = await page.locator(".type:not([aria-disabled=true])").evaluateAll((all) => all.map((t) => t.textContent));
  await page.goto(address("analysis"));
  await page.locator(".finding, .note").first().waitFor();
  const findings = await page.locator(".finding .what").allTextContents();
  await page.goto(address("runtime"));
  await page.locator(".runtime-text section").first().waitFor();
  const runtime = await page.locator(".runtime-text section").evaluateAll((all) => all.map((s) => s.textContent));
  return { table, whole, facts, types, findings, runtime };
}

for (const [language, [input, type]] of Object.entries(INPUTS)) {
  await test(`${language}: server, report and command line show the same`, {}, async ({ page }) => {
    const id = ids[language];
    const file = join(scratch, `${language}.html`);
    run("report", input, "-o", file);
    await freshPage(file);
    const query = (tab, type) => `?view=both${tab === "profiles" ? "" : `&tab=${tab}`}${type ? `&type=${type}` : ""}`;
    const served = await everything(page, (tab, type) => `${server.url}/profiles/${id}${query(tab, type)}`, type);
    await page.goto(`${server.url}/profiles/${id}?view=both&type=${type}`);
    await sameAsTop(page, input, type);
    await page.goto(pathToFileURL(file).href);
    await page.getByRole("tab", { name: "Profiles" }).waitFor();
    const own = new URL(page.url()).hash.replace(/^#/, "").split("?")[0];
    const stored = await everything(page, (tab, type) => `${pathToFileURL(file).href}#${own}${query(tab, type)}`, type);
    assert.deepEqual(stored.table, served.table);
    assert.equal(stored.whole, served.whole);
    assert.deepEqual(stored.facts, served.facts);
    assert.deepEqual(stored.types, served.types);
    assert.deepEqual(stored.findings, served.findings);
    const { findings, rules } = json("analyze", "--format", "json", input);
    assert.deepEqual(served.findings.map((text) => rules.find((r) => text.startsWith(r.title))?.id), findings.map((f) => f.id));
    // Tags, what they say about the process, and the request are the server's; all else is the same.
    const same = (s) => !/^(Tags|Upload|Process  runtime)/.test(s.replace(/\s+/g, "  "));
    assert.deepEqual(served.runtime.filter(same), stored.runtime.filter(same));
    // Metrics: a server has one value for each profile, the command line prints it.
    const { metrics } = json("metrics", "--format", "json", input);
    await page.goto(`${server.url}/profiles/${id}?tab=metrics&by=version`);
    await page.locator(".chart").first().waitFor();
    let compared = 0;
    for (const metric of metrics.filter((m) => typeof m.value === "number")) {
      const chart = page.locator(".chart").filter({ has: page.getByText(metric.title, { exact: true }) });
      if ((await chart.count()) === 0) continue;
      const shown = await chart.locator(".chart-now").textContent();
      assert.ok(shown.includes(show(metric.value, metric.unit)), `${metric.title}: ${shown} is not ${show(metric.value, metric.unit)}`);
      compared++;
    }
    assert.ok(compared > 0, "metrics");
  });
}

await test("runtime information is what info prints", {}, async ({ page, go }) => {
  const info = run("info", "--verbose", INPUTS.Java[0]);
  await go(`/profiles/${ids.Java}?tab=runtime`);
  await page.locator(".runtime-text section").first().waitFor();
  const shown = await page.locator(".runtime-text").innerText();
  const main = /main[^\S\n]+([\w.$]+)/i.exec(shown)?.[1];
  assert.ok(main && info.includes(main), `main class ${main}`);
  const version = /17\.0\.\d+[\w+.-]*/.exec(info)?.[0];
  assert.ok(version && shown.includes(version), `version ${version}`);
});

// Stories

await test("a developer: an empty server shows how to send, and the first profile appears by itself", { anywhere: true }, async ({ page }) => {
  const mine = await serve();
  try {
    await page.goto(`${mine.url}/profiles`);
    await page.getByText(/waiting for the first upload/i).waitFor();
    assert.ok((await page.locator(".setup-text pre").textContent()).includes(mine.url));
    // The line for curl, as it is on the page, with a file of our own.
    await page.getByRole("tab", { name: "curl" }).click();
    const file = join(scratch, "now.pprof");
    await writeFile(file, pprof({ sampleTypes: [["cpu", "nanoseconds"]], stacks: [[["work", "main"], 3_000_000_000]], file: "app.py", at: Date.now() - 70_000 }));
    const line = (await page.locator(".setup-text pre").textContent()).split("\n\n")[0].replace("rec.jfr", file);
    assert.match(execFileSync("sh", ["-c", line], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }), /"id"/);
    await page.locator(".row-link").first().waitFor();
    // A file that is chosen opens as a profile.
    await page.locator("input[type=file]").setInputFiles(INPUTS.Go[0]);
    await until(() => /\/profiles\/\w{26}$/.test(page.url()), "the profile opens");
    await ready(page);
    await page.goBack();
    await page.locator(".row-link").first().waitFor();
  } finally {
    await mine.close();
  }
});

await test("on call: a time range, the most CPU first, the method and its thread", {}, async ({ page, go }) => {
  const to = new Date(Date.now() + 60_000).toISOString();
  await go(`/profiles?${new URLSearchParams({ q: "env:prod runtime:JVM", from: "0", to, sort: "-cpu_cores" })}`);
  await page.locator(".row-link").nth(1).waitFor();
  const cores = (await page.locator("td.c-cpu").allTextContents()).map((text) => Number(text.replace(/[^\d.]/g, "")));
  assert.ok(cores.length === 2 && cores[0] >= cores[1], String(cores));
  await page.locator(".row-link").first().click();
  await ready(page);
  const whole = await item(page);
  await page.getByLabel("Group").selectOption("thread");
  await until(() => params(page).get("group") === "thread", "grouped");
  await until(async () => (await page.locator(".flame-canvas [role=treeitem]").getAttribute("aria-label")) === whole, "the whole is the same");
  const { rows: threads } = await server.json(`table?profile=${page.url().split("/profiles/")[1].split("?")[0]}&type=cpu&by=thread&sort=-self`);
  await page.locator(".flame-canvas").focus();
  await page.keyboard.press("ArrowDown");
  assert.ok((await item(page)).startsWith(`${threads[0].key},`), `${await item(page)} is not ${threads[0].key}`);
});

await test("a performance engineer: two versions against each other, as diff prints them", {}, async ({ page, go }) => {
  const diff = json("diff", "--format", "json", "-n", "1000", INPUTS.Java[0], OTHER);
  await go(`/compare?${new URLSearchParams({ "a.q": 'service:"Java service" version:1.0', "a.from": "0", "b.q": 'service:"Java service" version:1.1', "b.from": "0", type: "cpu" })}`);
  await ready(page);
  const versus = await page.locator(".versus").innerText();
  for (const side of [diff.a, diff.b]) {
    const cores = (side.total / side.seconds / 1e9).toFixed(2);
    assert.ok(versus.includes(`${cores} cores`), `${versus} has not ${cores} cores`);
  }
  await page.getByRole("button", { name: "Table", exact: true }).click();
  await page.locator(".functions tbody tr").first().waitFor();
  const known = new Map(diff.rows.map((r) => [r.name ?? r.key, r]));
  const shown = await page.locator(".functions tbody tr").evaluateAll((all) => all.slice(0, 10).map((r) => [r.querySelector("button").title, r.cells[4].textContent]));
  assert.ok(shown.length > 3);
  for (const [name, change] of shown) {
    const row = known.get(name);
    assert.ok(row, `diff does not print ${name}`);
    if (row.noise) assert.equal(change, "noise");
    else if (row.a === 0) assert.equal(change, "only in B");
    else if (row.b === 0) assert.equal(change, "only in A");
  }
  await go(`/compare?a.profile=${ids.Java}&b.profile=${ids.newer}`);
  await ready(page);
  assert.equal((await page.locator(".versus strong").first().textContent()), /[\d.]+ cores/.exec(versus)[0]);
});

await test("a team lead: a finding leads to the frames it is about", {}, async ({ page, go }) => {
  await go(`/profiles/${ids.Java}?tab=analysis`);
  await page.locator(".finding").first().waitFor();
  await page.locator(".finding:not([open]) summary").evaluateAll((all) => all.forEach((s) => s.click()));
  await page.getByText("What to do").first().waitFor();
  const link = page.locator(".finding", { has: page.locator(".evidence code") }).getByRole("button", { name: /^Show in Profiles/ }).first();
  await link.click();
  await ready(page);
  assert.ok(params(page).get("search"), "the graph searches for the function");
  await page.locator(".matches", { hasText: "match" }).waitFor();
  assert.ok(!/^0 %/.test(await page.locator(".matches").textContent()), "the function is in the graph");
  await page.goBack();
  await page.locator(".finding").first().waitFor();
  await page.goForward();
  await ready(page);
});

await test("a pipeline author: the address that upload prints opens, and findings fail the build", {}, async ({ page }) => {
  let status = 0;
  let printed = "";
  try {
    printed = execFileSync(program, ["upload", OTHER, "--service", "pipeline", "--url", server.url, "--wait", "--fail-on", "info"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch (error) {
    status = error.status;
    printed = error.stdout;
  }
  assert.notEqual(status, 0, "findings fail it");
  const address = /http:\/\/\S+\/profiles\/\w+/.exec(printed)?.[0];
  assert.ok(address, printed);
  await page.goto(address);
  await page.getByRole("heading", { name: /pipeline/ }).waitFor();
});

await test("the flame graph of a search is the sum of its profiles", {}, async ({ page, go }) => {
  const total = [INPUTS.Java[0], OTHER].map((file) => json("top", "--type", "cpu", "--format", "json", file)).reduce((n, t) => n + t.totals[t.value], 0);
  await go(`/flame?${new URLSearchParams({ q: 'service:"Java service"', from: "0", per: "total", type: "cpu" })}`);
  await page.getByText("Flame graph of 2 profiles").waitFor();
  await until(async () => (await item(page))?.startsWith(`all, ${show(total, "nanoseconds")}, 100 %`), "the sum of both");
});

await test("everything that can be downloaded comes, and the page of the view shows the view", { anywhere: true }, async ({ page, go }) => {
  await go(`/profiles/${ids.Java}?type=alloc&view=both`);
  await ready(page);
  const expected = await rows(page, 5);
  await page.getByRole("button", { name: /^Download/ }).click();
  const links = await page.locator(".menu a[href]").evaluateAll((all) => all.map((a) => a.href));
  assert.ok(links.length > 8, `${links.length} links`);
  for (const link of links) {
    const answer = await fetch(link);
    assert.equal(answer.status, 200, link);
    assert.match(answer.headers.get("content-disposition") ?? "", /^attachment/, link);
    const bytes = Buffer.from(await answer.arrayBuffer());
    assert.ok(bytes.length > 20, link);
    if (link.includes("format=html")) {
      const file = join(scratch, "view.html");
      await writeFile(file, bytes);
      await freshPage(file);
      await page.goto(pathToFileURL(file).href);
      await ready(page);
      assert.deepEqual(await rows(page, 5), expected);
    }
    if (link.includes("main.jfr") || /files\/00/.test(link)) assert.deepEqual(bytes, await readFile(INPUTS.Java[0]));
  }
});

await test("pin and delete", { allow: /404/ }, async ({ page, go }) => {
  const id = await server.upload(await readFile(INPUTS.Go[0]), { service: "short-lived", env: "test", version: "9" });
  await go(`/profiles/${id}`);
  await ready(page);
  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("button", { name: /^Pin/ }).click();
  await until(async () => (await server.json(`profiles/${id}`)).pinned, "pinned");
  page.on("dialog", (dialog) => void dialog.accept());
  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("button", { name: /^Delete/ }).click();
  await until(() => new URL(page.url()).pathname === "/profiles", "back at the search");
  await go(`/profiles/${id}`);
  await page.getByRole("link", { name: "All profiles" }).waitFor();
});

await test("a page token opens the page", { anywhere: true, allow: /401/ }, async ({ page }) => {
  const file = join(scratch, "tokens.txt");
  await writeFile(file, "a-token-of-this-test\n");
  const mine = await serve("--page-token", file);
  try {
    await page.goto(`${mine.url}/profiles`);
    await page.getByLabel("Page token").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByLabel("Page token").waitFor();
    await page.getByLabel("Page token").fill("a-token-of-this-test");
    await page.keyboard.press("Enter");
    await page.getByText(/waiting for the first upload/i).waitFor();
    // The page would try to connect to the server that is gone.
    await page.goto("about:blank");
  } finally {
    await mine.close();
  }
});

// The same view from its address

await test("back, forward and the address alone give the same view", {}, async ({ page, context, go }) => {
  /** What a view shows, apart from what moves with time. */
  const seen = async (p) => {
    await ready(p);
    return [await p.locator(".flame-canvas").first().getAttribute("aria-label"), await p.locator(".type[aria-current]").textContent(), await p.locator(".chips").first().innerText(), await p.locator(".matches").textContent(), await p.locator(".legend ul").innerText()];
  };
  await go(`/profiles/${ids.Java}?view=flame`);
  await ready(page);
  const views = [];
  const keep = async (what) => {
    await until(what, "the change is in the address");
    views.push([page.url(), await seen(page)]);
  };
  await keep(() => true);
  await page.locator(".flame-canvas").focus();
  for (const key of ["ArrowDown", "ArrowDown", "Enter"]) await page.keyboard.press(key);
  await keep(() => params(page).get("zoom"));
  await page.locator(".type", { hasText: "Allocation" }).click();
  await keep(() => params(page).get("type") === "alloc" && !params(page).get("zoom"));
  await page.getByRole("button", { name: "Callers", exact: true }).click();
  await keep(() => params(page).get("view") === "callers");
  for (const [address, expected] of views.slice(0, -1).reverse()) {
    await page.goBack();
    await until(() => page.url() === address, "back");
    await until(async () => JSON.stringify(await seen(page)) === JSON.stringify(expected), `the view of ${address}`);
  }
  for (const [address] of views.slice(1)) {
    await page.goForward();
    await until(() => page.url() === address, "forward");
  }
  for (const [address, expected] of views) {
    const other = await context.newPage();
    await other.goto(address);
    await until(async () => JSON.stringify(await seen(other)) === JSON.stringify(expected), `a colleague sees ${address}`);
    await other.close();
  }
});

// Names from strangers

await test("names from strangers are text on every page", { allow: /404/ }, async ({ page, go }) => {
  const names = HOSTILE.map((n) => n.replaceAll("\u0000", "\u0001").slice(0, 4000));
  const stacks = names.map((name, i) => [[name, names[(i + 1) % names.length], "main"], 10 + i, (10 + i) * 10_000_000]);
  const profile = pprof({ sampleTypes: [["sample", "count"], [names[0], "nanoseconds"]], stacks, file: names[1] });
  const short = names.map((n) => n.slice(0, 900));
  const id = await server.upload(profile, { service: short[0], env: short[1], version: short[3], host: short[5], tag: `team:${short[2]}` });
  const other = await server.upload(pprof({ sampleTypes: [["sample", "count"], [names[0], "nanoseconds"]], stacks: stacks.slice(2), file: names[2] }), { service: short[0], env: short[1], version: short[4], host: short[7] });
  await server.upload(Buffer.concat([Buffer.from("FLR\0"), Buffer.alloc(64, 255)]), { service: short[6], host: short[1], env: short[0] });
  const file = join(scratch, "hostile.pprof");
  await writeFile(file, profile);
  const report = join(scratch, "hostile.html");
  run("report", file, "-o", report);
  await freshPage(report);
  const at = (path) => server.url + path;
  const places = [
    [at("/profiles?from=0"), ".row-link"], [at(`/profiles?${new URLSearchParams({ q: `service:"${short[0]}"`, from: "0" })}`), ".row-link"],
    [at(`/profiles/${id}?view=both`), ".functions tbody tr"], [at(`/profiles/${id}?view=callers`), ".flame-canvas"], [at(`/profiles/${id}?view=table&by=line`), ".functions tbody tr"],
    [at(`/profiles/${id}?fn=${encodeURIComponent(names[0])}`), ".sandwich"], [at(`/profiles/${id}?search=${encodeURIComponent(names[1])}`), ".flame-canvas"],
    [at(`/profiles/${id}?tab=analysis`), ".analysis, .note"], [at(`/profiles/${id}?tab=metrics`), ".chart, .note"], [at(`/profiles/${id}?tab=runtime`), ".runtime-text section"],
    [at(`/compare?a.profile=${other}&b.profile=${id}&view=table`), ".functions tbody tr"], [at("/flame?from=0"), ".flame-canvas"], [at("/setup"), ".setup-text"], [at("/status"), ".card"],
    [pathToFileURL(report).href, ".flame-canvas"],
  ];
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 900 });
    for (const [place, selector] of places) {
      await page.goto(place);
      await page.locator(selector).first().waitFor();
      assert.equal(await page.evaluate(() => window.hacked), undefined, place);
      assert.equal(await page.locator("main img, main script, main iframe").count(), 0, place);
      await fits(page, place);
      assert.ok(!/[\u202e\u0000-\u0008\u2028]/.test(await page.locator("body").innerText()), `${place} shows a character that hides or reorders`);
      const links = await page.locator("a[href]").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
      assert.ok(links.every((l) => l.startsWith("/") || l.startsWith("#")), place);
    }
  }
});

// Accessibility, width and errors with real data

const PLACES = [
  ["/profiles?from=0", ".row-link"],
  ...Object.keys(INPUTS).flatMap((language) => [["", ".flame-canvas"], ["tab=analysis", ".analysis, .note"], ["tab=metrics", ".chart"], ["tab=runtime", ".runtime-text section"]].map(([query, selector]) => [`/profiles/${ids[language]}?${query}`, selector])),
  [`/compare?a.profile=${ids.Java}&b.profile=${ids.newer}&view=sides`, ".flame-canvas"],
  ["/flame?from=0", ".flame-canvas"],
  ["/setup", ".setup-text pre"],
  ["/status", ".card"],
];

await test("all tabs of all languages at 360 px, and what axe finds in them", { width: 360, theme: "dark" }, async ({ page, go }) => {
  for (const [place, selector] of PLACES) {
    await go(place);
    await page.locator(selector).first().waitFor();
    await fits(page, place);
    // The other pages are tried with made-up data in browser.mjs, in both themes.
    if (/tab=(analysis|runtime)|status/.test(place)) await axe(page, place);
  }
});

await browser.close();
await server.close();
await rm(scratch, { recursive: true });
finish();
