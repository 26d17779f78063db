// What a page shows, read the way a user reads it, and what the program prints for the same input.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { load } from "./bundle.mjs";
import { json } from "./program.mjs";

export const { value: show, percent, count, bytes } = await load("exports.ts");

/** Waits until something holds. */
export async function until(what, message) {
  const end = Date.now() + 20000;
  for (;;) {
    const value = await what();
    if (value) return value;
    if (Date.now() > end) assert.fail(message);
    await new Promise((r) => setTimeout(r, 50));
  }
}

/** The sentence of the focused frame for screen readers. */
export const item = (page, nth = 0) => page.locator(".flame-canvas [role=treeitem]").nth(nth).getAttribute("aria-label");

/** Rows of `jfrkit top` as the page shows them: name, own value and total with their shares. */
export function top(input, type, limit = 12) {
  const top = json("top", "--type", type, "--format", "json", "--limit", String(limit), input);
  if (!top.values) return top.rows.map((r) => [r.key, show(r.self, top.unit), show(r.total, top.unit), percent(r.self / top.total, true)]);
  const at = top.value;
  const unit = top.values[at].unit;
  return top.rows.map((r) => [r.name, show(r.self[at], unit), show(r.total[at], unit), percent(r.self[at] / top.totals[at], true)]);
}

/** The same rows, read from the page's table. */
export async function rows(page, limit = 12) {
  await page.locator(".functions tbody tr").first().waitFor();
  const found = await page.locator(".functions tbody tr").evaluateAll((all) =>
    all.map((row) => {
      const cell = (i) => row.querySelectorAll(".bar-cell")[i]?.textContent ?? "";
      return [row.querySelector(".name button")?.getAttribute("title") ?? "", cell(0), cell(1)];
    }),
  );
  return found.slice(0, limit);
}

/** The rows of the table are those of `jfrkit top`, with the same values. */
export async function sameAsTop(page, input, type) {
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

/** axe-core finds nothing serious. */
export async function axe(page, where) {
  await page.evaluate(await readFile(fileURLToPath(new URL("../node_modules/axe-core/axe.min.js", import.meta.url)), "utf8"));
  const result = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa"] }));
  const serious = result.violations.filter((v) => v.impact === "serious" || v.impact === "critical");
  assert.deepEqual(serious.map((v) => `${where}: ${v.id} ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120)).join(" | ")}`), []);
}

/** The page is not wider than its window. */
export async function fits(page, where) {
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, `${where} is wider than the window`);
}
