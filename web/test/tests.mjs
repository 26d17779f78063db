// Runs browser tests: each with a page of its own, retried once, and failing on any error that the page reports.
import assert from "node:assert/strict";
import { twice } from "./twice.mjs";

/** What the program named on the command line to run alone: a part of the names of tests. */
const only = process.argv[2];
let passed = 0;
let failed = 0;

/**
 * Runs one test. `browser` makes the context, with `context` as its options; `ready` is called before there is a page. An error of a script, of the policy or of
 * the console that `allow` does not match fails the test, and so does a request to an address that does not match `asks`.
 */
export async function test(name, { browser, context: options = {}, timeout = 30000, ready, allow = /$^/, asks = /^(file|data|blob):/ }, body) {
  if (only && !name.includes(only)) return;
  const ok = await twice(name, async () => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "light", reducedMotion: "reduce", ...options });
    try {
      context.setDefaultTimeout(timeout);
      await ready?.(context);
      const page = await context.newPage();
      const errors = [];
      page.on("pageerror", (e) => errors.push(`page: ${e.message}`));
      page.on("console", (m) => m.type() === "error" && !allow.test(m.text()) && errors.push(`console: ${m.text()}`));
      page.on("request", (r) => !asks.test(r.url()) && errors.push(`asked for ${r.url()}`));
      await body({ page, context });
      assert.deepEqual(errors, []);
    } finally {
      await context.close();
    }
  });
  if (ok) passed++;
  else failed++;
}

/** Prints how many tests passed and failed, and ends with a status that says so. */
export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}
