import test from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CLIENTS } from "../../src/app/clients.ts";

const URL = "http://127.0.0.1:8126";
const docs = readFileSync(join(import.meta.dirname, "../../../docs/serve.md"), "utf8");
const words = (text: string): Set<string> => new Set(text.split(/[\s`“”]+/).filter(Boolean));

test("commands are those of docs/serve.md", () => {
  // Options of the page's own: which server to upload to, and how to get the packages.
  const known = words(`${docs} --url ${URL}`);
  for (const { name, lines } of CLIENTS) {
    const missing = [...words(lines(URL, "").replace(/^(pip|npm) install .*$/m, "").replaceAll("\\\n", " "))].filter((word) => !known.has(word));
    assert.deepEqual(missing.filter((word) => !/^(exporters:|otlphttp:)$/.test(word)), [], name);
  }
});

test("notes are those of docs/serve.md", () => {
  const plain = (text: string): string => text.replace(/[`“”]/g, "").replace(/\s+/g, " ");
  for (const { name, note } of CLIENTS.filter((client) => client.name !== "Pyroscope"))
    for (const sentence of plain(note).match(/\S.*?\.(?= |$)/g)!) assert.ok(plain(docs).includes(sentence), `${name}: ${sentence}`);
});

test("a key is in every command that can send one", () => {
  for (const { name, lines, key } of CLIENTS) assert.equal(lines(URL, "KEY").includes("KEY"), key === undefined, name);
  assert.ok(CLIENTS.every(({ lines }) => !/KEY|undefined|false/.test(lines(URL, ""))));
});
