// Bundles the page into dist/. The result depends only on the sources and the lock file, not on times, paths or random numbers.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile, copyFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { minify } from "terser";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = process.argv[2] ?? join(here, "dist");
await mkdir(out, { recursive: true });
// The parts of uPlot that this page does not use and that no bundler can drop: path builders and helpers on its default export, its legend, its time formats.
const UNUSED = [
  ["uPlot.join = join;", ""],
  ["(paths.stepped = stepped);", ""],
  ["(paths.bars    = bars);", ""],
  ["(paths.spline  = monotoneCubic);", ""],
  ["uPlot.fmtDate = fmtDate;", ""],
  ["uPlot.tzDate  = tzDate;", ""],
  ["uPlot.rangeAsinh = rangeAsinh;", ""],
  ["const showLegend = legend.show;", "const showLegend = false;"],
  ["if (legend.show && legend.live && shouldSetLegend)", "if (showLegend)"],
  ["if (i == 0 && (multiValLegend || !legend.live || mode == 2))", "return nullNullTuple; if (true)"],
  ["timeAxisVals(_tzDate, timeAxisStamps((ms == 1 ? _timeAxisStampsMs : _timeAxisStampsS), _fmtDate))", "null"],
  ["timeSeriesVal(_tzDate, timeSeriesStamp(_timeSeriesStamp, _fmtDate))", "numSeriesVal"],
  ["isStr(sv) ? timeSeriesVal(_tzDate, timeSeriesStamp(sv, _fmtDate)) : ", ""],
  ["isArr(av) ?\n\t\t\t\t\t\ttimeAxisVals(_tzDate, timeAxisStamps(av, _fmtDate)) :", ""],
  ["isStr(av) ?\n\t\t\t\t\t\ttimeAxisVal(_tzDate, av) :", ""],
  ["(opts.fmtDate || fmtDate)", "null"],
];
// Conditions of scatter plots, and of scales that are ordinal, logarithmic or custom.
const NEVER = [
  [/\bmode == 2\b/g, "false"],
  [/\bmode == 1\b/g, "true"],
  [/\b(?:\w+\.)?distr +(?:==|>=) +(?:2|3|4|100)\b/g, "false"],
];
const lean = {
  name: "lean-uplot",
  setup(to) {
    to.onLoad({ filter: /uPlot\.esm\.js$/ }, async ({ path }) => {
      let text = await readFile(path, "utf8");
      for (const [unused, instead] of UNUSED) {
        if (!text.includes(unused)) throw new Error(`uPlot changed: ${unused} is gone`);
        text = text.replace(unused, instead);
      }
      for (const [pattern, value] of NEVER) {
        if (!pattern.test(text)) throw new Error(`uPlot changed: nothing matches ${pattern}`);
        text = text.replaceAll(pattern, value);
      }
      return { contents: text, loader: "js" };
    });
  },
};
// Two selectors of which one stands in a media query cannot share a list of declarations in CSS.
const dark = {
  name: "dark",
  setup(to) {
    to.onLoad({ filter: /flame\.css$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const block = /:root\[data-theme="dark"\] (\{[^}]*\})\n/;
      if (!block.test(text)) throw new Error(`${path} has no dark colors`);
      return { contents: text.replace(block, "$&@media (prefers-color-scheme: dark) { :root:not([data-theme]) $1 }\n"), loader: "css" };
    });
  },
};
await build({
  plugins: [lean, dark],
  absWorkingDir: here,
  entryPoints: { app: "src/app/main.tsx", flame: "src/panel/main.tsx", "app.css": "src/app/app.css", "flame.css": "src/panel/flame.css" },
  entryNames: "[name]",
  outdir: out,
  outExtension: { ".js": ".js" },
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022", "chrome110", "firefox115", "safari16.4"],
  jsx: "automatic",
  jsxImportSource: "preact",
  charset: "ascii",
  legalComments: "none",
  loader: { ".css": "css" },
  logLevel: "warning",
});
const { rename } = await import("node:fs/promises");
for (const name of ["app", "flame"]) await rename(join(out, `${name}.css.css`), join(out, `${name}.css`)).catch(() => {});
for (const name of ["index.html", "page.html", "icon.svg"]) await copyFile(join(here, "src", name), join(out, name));
// Terser's output is 5 % smaller than that of esbuild's own minifier.
for (const name of ["app.js", "flame.js"]) {
  const file = join(out, name);
  const { code } = await minify(await readFile(file, "utf8"), { ecma: 2022, compress: { ecma: 2022 }, format: { ascii_only: true } });
  await writeFile(file, code + "\n");
}
const hashes = {};
for (const name of ["app.js", "app.css", "flame.js", "flame.css"]) {
  const bytes = await readFile(join(out, name));
  if (/<\/(script|style)/i.test(bytes.toString("latin1")) || bytes.includes("<!--")) throw new Error(`${name} cannot be put into a page as it is`);
  hashes[name] = "sha256-" + createHash("sha256").update(bytes).digest("base64");
}
await writeFile(join(out, "hashes.json"), JSON.stringify(hashes, null, 2) + "\n");
const rust = Object.entries(hashes)
  .map(([name, hash]) => `/// Source expression of \`${name}\` for a policy.\npub(crate) const ${name.replace(".", "_").toUpperCase()}: &str = "${hash}";\n`)
  .join("");
await writeFile(process.argv[3] ?? join(here, "crate/hashes.rs"), `//! Written by \`build.mjs\`: hashes of the bundles, for the policies of pages from disk.\n\n${rust}`);
