// Browser tests depend on real time, so they can fail on a busy machine: a test that fails is retried once, with a new page, and says so.

/** Runs `once`, which throws when it fails; prints the result and returns whether it passed. */
export async function twice(name, once) {
  for (const last of [false, true]) {
    const began = Date.now();
    try {
      await once();
      console.log(`ok   ${name} (${Date.now() - began} ms)${last ? ", at the second try" : ""}`);
      return true;
    } catch (error) {
      console.log(`${last ? "FAIL" : "again"} ${name}\n     ${String(error.stack ?? error).split("\n").slice(0, 14).join("\n     ")}`);
    }
  }
  return false;
}
