// Forbids everything that could turn names into markup or code. Untrusted data is written as text nodes only.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const FORBIDDEN = [
  [/\b(inner|outer)HTML\b/, "markup from text"],
  [/\binsertAdjacentHTML\b/, "markup from text"],
  [/\bdangerouslySetInnerHTML\b/, "markup from text"],
  [/\bdocument\s*\.\s*write/, "markup from text"],
  [/\bsrcdoc\b/, "markup from text"],
  [/\bcreateContextualFragment\b|\bDOMParser\b|\bsetHTMLUnsafe\b/, "markup from text"],
  [/\beval\s*\(|\bnew\s+Function\b|\bset(Timeout|Interval)\s*\(\s*["'`]/, "code from text"],
  [/\bjavascript:/i, "code from an address"],
  [/https?:\/\/(?!www\.w3\.org\/2000\/svg|127\.0\.0\.1|localhost)/, "an address of elsewhere"],
];
let bad = 0;
for (const entry of await readdir(join(here, "src"), { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(tsx?|html|css|svg)$/.test(entry.name)) continue;
  const path = join(entry.parentPath, entry.name);
  const lines = (await readFile(path, "utf8")).split("\n");
  lines.forEach((line, i) => {
    for (const [pattern, why] of FORBIDDEN) {
      if (pattern.test(line) && !line.includes("lint-allow:")) {
        console.error(`${path.slice(here.length)}:${i + 1}: ${why}: ${line.trim()}`);
        bad++;
      }
    }
  });
}
if (bad > 0) process.exit(1);
