// Loads a TypeScript module of the tests in Node: bundles it into a temporary file.
import { build } from "esbuild";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));

export async function load(name) {
  const out = await mkdtemp(join(tmpdir(), "jfrkit-web-"));
  try {
    const file = join(out, "module.mjs");
    await build({ entryPoints: [join(here, name)], outfile: file, bundle: true, platform: "node", format: "esm", target: "node20", logLevel: "warning" });
    return await import(pathToFileURL(file).href);
  } finally {
    await rm(out, { recursive: true });
  }
}
