// The program and the browser, for the tests that need both. JFRKIT names the program; otherwise it is the one that `cargo test` built.
//
// A program that was built before the last change to the page contains an old page. With FRESH=1 its pages get the scripts and styles of `dist/` instead, so
// that a change can be tried before the program is built again.
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const dist = fileURLToPath(new URL("../dist", import.meta.url));
export const chromiumPath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((p) => p && existsSync(p));
export const program = [process.env.JFRKIT, join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug/jfrkit")].find((p) => p && existsSync(p));
const fresh = process.env.FRESH === "1";

export const run = (...args) => execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 28 });
export const json = (...args) => JSON.parse(run(...args));

/** Waits until something holds, two minutes at most. */
async function waitFor(what, message) {
  const end = Date.now() + 120_000;
  while (!(await what())) {
    if (Date.now() > end) throw new Error(message);
    await new Promise((r) => setTimeout(r, 100));
  }
}

/** Starts `jfrkit serve` on a free port with a store of its own. */
export async function serve(...options) {
  const dir = await mkdtemp(join(tmpdir(), "jfrkit-serve-"));
  const child = spawn(program, ["serve", "--dir", dir, "--listen", "127.0.0.1:0", "--min-free", "1MiB", ...options], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const url = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        said = `${said}${line}\n`.slice(-4000);
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
        if (found) resolve(found[0]);
      });
    }
    void exited.then(() => reject(new Error(`jfrkit serve ended:\n${said}`)));
  });
  const ask = async (path, options) => {
    const answer = await fetch(`${url}/api/v1/${path}`, options);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  return {
    url,
    json: async (path) => (await ask(path)).json(),
    text: async (path) => (await ask(path)).text(),
    /** Uploads bytes and returns the id once they are processed. */
    upload: async (bytes, query) => {
      const { id } = await (await ask(`recordings?${new URLSearchParams(query)}`, { method: "POST", body: bytes })).json();
      await waitFor(async () => ["ready", "failed"].includes((await (await ask(`profiles/${id}`)).json()).status), `${id} is not processed`);
      return id;
    },
    /** Waits until nothing is being processed. */
    idle: () => waitFor(async () => (await (await ask("status")).json()).profiles.waiting === 0, "the server is still busy"),
    close: async () => {
      child.kill("SIGTERM");
      await exited;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Lets a page of the server load the scripts and styles of `dist/`, with FRESH=1. */
export async function freshServer(context) {
  if (!fresh) return;
  for (const [name, type] of [["app.js", "text/javascript"], ["app.css", "text/css"]]) {
    await context.route(`**/${name}`, async (route) => route.fulfill({ contentType: `${type}; charset=utf-8`, body: await readFile(join(dist, name), "utf8") }));
  }
}

/** Puts the script and style of `dist/` into a page from disk, with FRESH=1. */
export async function freshPage(file) {
  if (!fresh) return;
  const page = await readFile(file, "utf8");
  const data = page.slice(page.indexOf('<script type="application/', page.indexOf("</style>")), page.lastIndexOf("<script>"));
  const { kind } = JSON.parse(/id="jfrkit-page">(.*?)<\/script>/s.exec(data)[1]);
  const bundle = kind === "report" ? "app" : "flame";
  const hashes = JSON.parse(await readFile(join(dist, "hashes.json"), "utf8"));
  const parts = {
    "SCRIPT-HASH": hashes[`${bundle}.js`],
    "STYLE-HASH": hashes[`${bundle}.css`],
    TITLE: /<title>(.*?)<\/title>/s.exec(page)[1],
    STYLE: await readFile(join(dist, `${bundle}.css`), "utf8"),
    SCRIPT: await readFile(join(dist, `${bundle}.js`), "utf8"),
    DATA: data,
  };
  const template = await readFile(join(dist, "page.html"), "utf8");
  await writeFile(file, template.split("@@").map((piece, i) => (i % 2 ? parts[piece] : piece)).join(""));
}

/** A profile in the pprof format, as far as tests need it: stacks of names, innermost first, with a file name and values. */
export function pprof({ sampleTypes, period, stacks, file = "app.js", seconds = 60, at = Date.now() }) {
  const strings = [""];
  const text = (s) => {
    const known = strings.indexOf(s);
    return known >= 0 ? known : strings.push(s) - 1;
  };
  const varint = (n) => {
    const bytes = [];
    let rest = BigInt(n);
    do {
      bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
      rest >>= 7n;
    } while (rest > 0n);
    return Buffer.from(bytes);
  };
  const number = (field, n) => Buffer.concat([varint(field << 3), varint(n)]);
  const block = (field, ...parts) => {
    const body = Buffer.concat(parts);
    return Buffer.concat([varint((field << 3) | 2), varint(body.length), body]);
  };
  const functions = new Map();
  const place = (name) => functions.get(name) ?? functions.set(name, functions.size + 1).get(name);
  const samples = stacks.map(([names, ...values]) => block(2, block(1, ...names.map((n) => varint(place(n)))), block(2, ...values.map(varint))));
  const path = text(file);
  const defined = [...functions].flatMap(([name, id]) => [
    block(4, number(1, id), block(4, number(1, id), number(2, 10 + id))),
    block(5, number(1, id), number(2, text(name)), number(3, text(name)), number(4, path)),
  ]);
  const types = sampleTypes.map(([type, unit]) => block(1, number(1, text(type)), number(2, text(unit))));
  const periodType = period ? [block(11, number(1, text(period[0])), number(2, text(period[1]))), number(12, period[2])] : [];
  const head = [number(9, BigInt(at) * 1_000_000n), number(10, BigInt(seconds) * 1_000_000_000n)];
  return Buffer.concat([...types, ...samples, ...defined, ...strings.map((s) => block(6, Buffer.from(s, "utf8"))), ...head, ...periodType]);
}
