/**
 * A server for tests and for working on the page: the API with made-up data, and switches for every state. Trees come from the same code as in a
 * page from disk. `node test/serve.mjs` starts it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { applyFilters, diffRows, joinDiff } from "../src/data/embedded.ts";
import type { ProfileRow, TypeInfo, View } from "../src/data/types.ts";
import { chosen } from "../src/app/query.ts";
import { addressOf } from "../src/flame/address.ts";
import { parse } from "../src/flame/search.ts";
import { matched, table } from "../src/flame/table.ts";
import { callers, nameSet, sandwich } from "../src/flame/transform.ts";
import { Builder, toJson, type Tree } from "../src/flame/tree.ts";

/** Switches of the server. */
export interface Behavior {
  /** There are no profiles. */
  empty?: boolean;
  /** Malicious names in every field. */
  hostile?: boolean;
  /** For how many responses profiles are still being processed. */
  processing?: number;
  /** All endpoints respond with 500. */
  broken?: boolean;
  /** Recordings have expired, but not their profiles. */
  expired?: boolean;
  /** The disk is full. */
  full?: boolean;
  /** Milliseconds before each response. */
  slow?: number;
  /** Nodes of the CPU tree; by default, the tree is small. */
  nodes?: number;
}

export const HOSTILE = [
  "<img src=x onerror=window.hacked=1>",
  "</script><script>window.hacked=2</script>",
  "<!--\u2028\u2029-->",
  "evil\u202Egpj.exe\u202C",
  "nul\u0000and\u0007bell",
  "lone\ud800surrogate",
  "x".repeat(8192),
  "javascript:window.hacked=3",
];

const STACKS: [string, number][] = [
  ["java.lang.Thread.run;com.acme.shop.Worker.run;com.acme.shop.Shop.order;com.acme.shop.Cart.total;java.util.HashMap.get", 1810],
  ["java.lang.Thread.run;com.acme.shop.Worker.run;com.acme.shop.Shop.order;com.acme.shop.Cart.total;java.util.HashMap.get;java.util.HashMap.getNode", 920],
  ["java.lang.Thread.run;com.acme.shop.Worker.run;com.acme.shop.Shop.order;com.acme.json.Json.write;com.acme.json.Json.writeObject;com.acme.json.Json.writeString", 1530],
  ["java.lang.Thread.run;com.acme.shop.Worker.run;com.acme.shop.Shop.order;com.acme.json.Json.write;com.acme.json.Json.writeObject;com.acme.json.Json.write;com.acme.json.Json.writeNumber", 610],
  ["java.lang.Thread.run;com.acme.shop.Worker.run;com.acme.shop.Shop.price;java.math.BigDecimal.multiply;java.math.BigInteger.multiply", 1220],
  ["java.lang.Thread.run;com.acme.shop.Worker.run;com.acme.shop.Shop.price;java.math.BigDecimal.setScale", 430],
  ["java.lang.Thread.run;com.acme.shop.Worker.run;com.acme.shop.Search.find;java.util.regex.Pattern.matcher;java.util.regex.Matcher.find", 980],
  ["java.lang.Thread.run;com.acme.shop.Worker.run;com.acme.shop.Search.find;java.lang.String.split", 350],
  ["java.lang.Thread.run;java.util.concurrent.ThreadPoolExecutor$Worker.run;org.postgresql.jdbc.PgStatement.executeQuery;org.postgresql.core.v3.QueryExecutorImpl.receive", 760],
  ["java.lang.Thread.run;java.util.concurrent.ThreadPoolExecutor$Worker.run;org.postgresql.jdbc.PgStatement.executeQuery;sun.nio.ch.SocketChannelImpl.read", 420],
  ["java.lang.Thread.run;java.util.concurrent.ThreadPoolExecutor$Worker.run;com.acme.cache.Cache.load;com.acme.cache.Cache.evict", 510],
  ["GC;G1 Young Collection;G1ParScanThreadState::copy_to_survivor_space", 640],
  ["GC;G1 Concurrent Mark", 210],
  ["Compiler;C2Compiler::compile_method;PhaseIdealLoop::build_and_optimize", 330],
];

function kindOf(name: string): string {
  return name.includes("::") || name.startsWith("G1") ? "v" : name === "GC" || name === "Compiler" ? "x" : "j";
}

/** A tree from collapsed stacks. */
export function collapsed(stacks: [string, number][]): Tree {
  const names = ["all", ...new Set(stacks.flatMap(([s]) => s.split(";")))];
  const place = new Map(names.map((n, i) => [n, i]));
  const builder = new Builder(names, names.map((n, i) => (i === 0 ? "x" : kindOf(n))).join(""), 0);
  for (const [stack, value] of stacks) {
    let at = 0;
    for (const name of stack.split(";")) at = builder.child(at, place.get(name)!);
    builder.add(at, value);
  }
  return builder.finish();
}

function scaled(seed: number, factor: number): [string, number][] {
  return STACKS.map(([s, v], i) => [s, Math.round(v * factor * (0.75 + ((seed * 31 + i * 17) % 50) / 100)) * 10_000_000]);
}

/** A tree of many nodes, up to 500 deep, with realistic names. */
export function large(nodes: number): Tree {
  const names = Array.from({ length: 6000 }, (_, i) => (i === 0 ? "all" : `com.acme.p${i % 23}.service${i % 7}.Class${i % 900}.method${i % 60}`));
  const builder = new Builder(names, "x" + "j".repeat(5999), 0);
  let state = 7;
  const next = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 4) % n;
  };
  let made = 1;
  while (made < nodes) {
    let at = 0;
    const depth = next(20) === 0 ? 500 : 20 + next(80);
    for (let d = 0; d < depth && made < nodes; d++) {
      at = builder.child(at, 1 + ((d * 37 + (next(8) < 6 ? 0 : next(6))) % 5999));
      if (at >= made) made = at + 1;
    }
    builder.add(at, (1 + next(50)) * 1_000_000);
  }
  return builder.finish();
}

const NAMES: [string, string, string, string][] = [
  ["cpu", "CPU in Java Code", "time each method spent running on the CPU; bytecode, not native code called from it", "nanoseconds"],
  ["alloc", "Allocation", "heap memory allocated by each method, also what was freed since", "bytes"],
  ["native", "Wall Time in Native Code", "elapsed time in native code: on CPU, waiting for I/O, anything; not bytecode", "nanoseconds"],
  ["class-load", "Class load", "number of classes loaded by each method", "count"],
  ["error", "Error", "number of errors and exceptions thrown by each method", "count"],
  ["file-io", "File I/O", "time each method spent reading and writing files", "nanoseconds"],
  ["lock", "Lock", "time each method spent waiting for a lock", "nanoseconds"],
  ["socket-io", "Socket I/O", "time each method spent handling socket I/O", "nanoseconds"],
];

const RUNTIME = `Process
  main              com.acme.shop.Shop
  pid               4711
  started           2026-11-26 13:02:11 UTC

JVM
  name              OpenJDK 64-Bit Server VM
  version           21.0.4+7-LTS
  vendor            Eclipse Adoptium

OS, CPU, container
  os                Linux 6.8.0 x86_64
  CPUs              8
  container memory  2 GiB

Collector
  young             G1New
  heap max          1.5 GiB

Flags that differ from the defaults
  -XX:MaxGCPauseMillis      100  (Command line)
  -XX:+UseStringDeduplication  true  (Command line)

System properties
  java.io.tmpdir    /tmp
  db.password       ••••
`;

const ANALYSIS = {
  recording: { file: "main.jfr", start_nanos: 1795433684457701795, duration_nanos: 60020000000, chunks: 1, events: 70443, jvm: "OpenJDK 21.0.4", main: "com.acme.shop.Shop", warnings: [], notes: [] },
  findings: [
    { id: "LockContention", severity: "warning", section: "program", cost: { share: 0.31, of: "elapsed-time" }, because_of: null, also: [] },
    { id: "LongGcPause", severity: "warning", section: "program", cost: { share: 0.14, of: "elapsed-time" }, because_of: null, also: [] },
    { id: "SmallReads", severity: "info", section: "program", cost: { share: 0.021, of: "elapsed-time" }, because_of: null, also: [] },
    { id: "HeapLimit", severity: "info", section: "environment", cost: null, because_of: null, also: [] },
    { id: "TruncatedStacks", severity: "info", section: "recording", cost: null, because_of: null, also: [] },
  ],
  rules: [
    rule("LockContention", "Threads wait for com.acme.cache.Cache", "locks", "warning", "12 threads wait for one monitor, 31 % of their time, mostly in Cache.load", {
      "time waiting": { type: "duration", nanos: 18_600_000_000 },
      threads: { type: "number", value: 12, unit: "threads" },
      "waits at": { type: "methods", rows: [{ method: { method: "com.acme.cache.Cache.load", line: 88 }, application_frame: { method: "com.acme.cache.Cache.load", line: 88 }, value: { type: "duration", nanos: 17_000_000_000 }, percent: 91.4 }] },
    }),
    rule("LongGcPause", "Collections pause the program for 1.8 s of 60 s", "gc", "warning", "The longest pause took 640 ms, caused by a humongous allocation", {
      "longest pause": { type: "duration", nanos: 640_000_000 },
      window: { type: "window", from_nanos: 1795433684481280685, to_nanos: 1795433685121280685 },
      pauses: { type: "table", columns: ["cause", "count", "total"], rows: [[{ type: "text", value: "G1 Humongous Allocation" }, { type: "number", value: 3, unit: "" }, { type: "duration", nanos: 1_100_000_000 }], [{ type: "text", value: "G1 Evacuation Pause" }, { type: "number", value: 41, unit: "" }, { type: "duration", nanos: 700_000_000 }]] },
    }),
    rule("SmallReads", "File reads of 8 bytes on average from counters.bin", "io", "info", "1,501 reads of counters.bin returned 8 bytes each", { reads: { type: "number", value: 1501, unit: "reads" }, share: { type: "percent", value: 2.1 } }),
    rule("HeapLimit", "The heap may grow to 75 % of the container's memory", "environment", "info", "Heap limit 1.5 GiB in a container of 2 GiB", { "heap limit": { type: "bytes", value: 1.5 * 2 ** 30 } }),
    rule("TruncatedStacks", "3 stacks are truncated", "recording", "info", "Stacks deeper than 64 frames were cut", { stacks: { type: "number", value: 3, unit: "stacks" } }),
    rule("GcPauseRatio", "Garbage collection pauses", "gc", "ok", "Pauses took 0.38 % of the recording", {}),
    { ...rule("DirectMemory", "Direct memory", "heap", "not-applicable", "No data", {}), not_applicable_because: "jdk.DirectBufferStatistics is not in the recording" },
  ],
};

function rule(id: string, title: string, category: string, severity: string, summary: string, evidence: object) {
  return { id, title, category, severity, score: 60, summary, explanation: severity === "ok" ? "" : "While threads wait, no work is done and requests take longer.", remedy: severity === "warning" ? "Hold the lock for less code, split it, or use a concurrent map." : "", evidence, not_applicable_because: null as string | null, jmc_severity: null };
}

/** Starts a server on a free port of the loopback interface. */
export async function start(dist: string, behavior: Behavior = {}, port = 0): Promise<{ url: string; close: () => void; behavior: Behavior; requests: string[]; emit: (row: ProfileRow) => void; remove: (id: string) => void; rows: ProfileRow[] }> {
  const now = Date.now();
  const rows: ProfileRow[] = [];
  const pick = <T>(list: T[], i: number): T => list[i % list.length]!;
  const total = behavior.empty ? 0 : 240;
  for (let i = 0; i < total; i++) {
    const start = now - 5000 - i * 14_000;
    const language = pick(["Java", "Java", "Java", "Python", "Go"], i);
    const hostile = behavior.hostile ? HOSTILE[i % HOSTILE.length]! : null;
    rows.push({
      id: `01KB${String(99999 - i).padStart(22, "0")}`,
      start: new Date(start - 60_000).toISOString(),
      end: new Date(start).toISOString(),
      service: hostile ?? pick(["shop", "shop", "cart", "search", "mail"], i),
      env: hostile ?? pick(["prod", "prod", "prod", "stage"], i),
      version: hostile ?? pick(["1.3.0", "1.3.0", "1.2.0"], i),
      host: hostile ?? pick(["web-1", "web-2", "web-3", "web-9"], i),
      runtime: { Java: "JVM", Python: "CPython", Go: "Go" }[language]!,
      language,
      types: NAMES.map(([t]) => t),
      cpu_cores: i % 23 === 7 ? null : Number((0.2 + ((i * 37) % 400) / 100).toFixed(2)),
      alloc_rate: 1e6 * (1 + ((i * 53) % 900)),
      bytes: 1_200_000 + i * 1000,
      status: i === 5 ? "failed" : i === 2 ? "processing" : "ready",
      findings: i % 4 === 0 ? { warning: 2, info: 5 } : i % 4 === 1 ? { warning: 0, info: 3 } : { warning: 0, info: 0 },
      warnings: i % 6 === 0 ? 1 : 0,
      pinned: i === 9,
    });
  }
  const trees = new Map<string, Tree>();
  const treeOf = (type: string, seed: number): Tree => {
    const key = `${type}${seed}`;
    let tree = trees.get(key);
    if (!tree) {
      if (type === "cpu" && behavior.nodes) tree = large(behavior.nodes);
      else {
        let stacks = scaled(seed + NAMES.findIndex(([t]) => t === type), type === "cpu" ? 1 : 0.3);
        if (seed > 1) stacks = stacks.filter(([s]) => !s.includes("Cache.evict")).concat([["java.lang.Thread.run;com.acme.shop.Worker.run;com.acme.shop.Shop.ship", 4_800_000_000]]);
        if (behavior.hostile) stacks = stacks.map(([s, v], i) => [s.split(";").map((f, k) => (k === 2 ? HOSTILE[i % HOSTILE.length]!.replaceAll(";", ",") : f)).join(";"), v]);
        tree = collapsed(stacks);
      }
      trees.set(key, tree);
    }
    return tree;
  };
  const typesOf = (seed: number): TypeInfo[] =>
    NAMES.map(([type, name, definition, unit]) => {
      if (type === "class-load") return { type, name, definition, core: true, values: [], absent: "no class was loaded in this time" };
      const t = treeOf(type, seed).total[0]!;
      return { type, name: behavior.hostile ? name + HOSTILE[0] : name, definition, core: true, absent: null, values: [{ name: "samples", unit: "count", total: Math.round(t / 1e7), samples: Math.round(t / 1e7) }, { name: `${type}-value`, unit, total: t, samples: Math.round(t / 1e7) }] };
    });
  const detail = (row: ProfileRow, i: number) => ({
    ...row,
    types: row.status === "ready" ? typesOf(1 + (i % 2)) : [],
    tags: [["team", "core"]],
    files: [...(behavior.expired ? [] : [{ name: "main.jfr", kind: "received", bytes: row.bytes, label: "main.jfr" }]), { name: "cpu.pb.gz", kind: "derived", bytes: 90_000, label: "cpu.pb.gz" }],
    process: { previous: rows[i + 5]?.id ?? null, next: rows[i - 5]?.id ?? null },
    warnings: row.warnings ? [behavior.hostile ? HOSTILE[1]! : "3 stacks are truncated at 64 frames"] : [],
    how: ["jdk.ExecutionSample", "period 20 ms (stated)", "0 lost"],
    profiler: "dd 1.40",
    main: behavior.hostile ? HOSTILE[0] : "com.acme.shop.Shop",
    runtime_version: row.language === "Java" ? "JVM 21.0.4" : row.runtime,
    reason: row.status === "failed" ? "the recording ends in the middle of chunk 1; nothing could be read" : null,
    received_removed: behavior.expired ? new Date(now - 2 * 86_400_000).toISOString() : null,
    received_until: new Date(now + 3 * 86_400_000).toISOString(),
    derived: 1,
  });
  const matching = (q: string): ProfileRow[] =>
    rows.filter((row) => {
      for (const facet of ["service", "env", "version", "host", "runtime", "language", "status"] as const) {
        const { only, not } = chosen(q, facet);
        if (only.length > 0 && !only.includes("*") && !only.includes(row[facet])) return false;
        if (not.includes(row[facet])) return false;
      }
      const cpu = /cpu:>(\d+)/.exec(q);
      return !cpu || (row.cpu_cores ?? 0) > Number(cpu[1]);
    });
  const listeners = new Set<ServerResponse>();
  const requests: string[] = [];
  let left = behavior.processing ?? 0;

  const answer = (path: string, params: URLSearchParams): { status: number; body: unknown; text?: boolean } => {
    const problem = (status: number, detail: string, more: object = {}) => ({ status, body: { title: "Bad Request", status, detail, ...more } });
    if (behavior.broken) return problem(500, "the index cannot be read; see the log");
    const q = params.get("q") ?? params.get("a.q") ?? "";
    const bad = /\b(cpu:>[a-z]+)/.exec(q);
    if (bad) return problem(400, `cpu: expected a number, not ${bad[1]!.slice(5)}`, { start: bad.index, end: bad.index + bad[1]!.length });
    const seedOf = (prefix: string): number => {
      const id = params.get(`${prefix}profile`);
      const at = id ? rows.findIndex((r) => r.id === id) : 0;
      return prefix === "b." ? 2 : 1 + (Math.max(at, 0) % 2);
    };
    const view = (): View => ({
      type: params.get("type") ?? "cpu",
      include: params.getAll("include"),
      exclude: params.getAll("exclude"),
      hide: params.getAll("hide"),
      recursion: params.get("recursion") === "collapse",
    });
    switch (path) {
      case "profiles": {
        const found = matching(q);
        const sort = params.get("sort") ?? "-start";
        const key = sort.replace("-", "") as keyof ProfileRow;
        found.sort((x, y) => ((x[key] ?? -1)! < (y[key] ?? -1)! ? -1 : 1) * (sort.startsWith("-") ? -1 : 1));
        const at = Number(params.get("cursor") ?? 0);
        const limit = Number(params.get("limit") ?? 50);
        return { status: 200, body: { total: found.length, rows: found.slice(at, at + limit), next: at + limit < found.length ? String(at + limit) : null, ...(found.length === 0 && rows[0] && { nearest: rows[0].start }) } };
      }
      case "facets": {
        const found = matching(q);
        const counts = new Array<number>(60).fill(0);
        for (const row of found) counts[Math.min(59, Math.max(0, 59 - Math.floor((now - Date.parse(row.start)) / 60_000)))]!++;
        const facets = Object.fromEntries(
          (["env", "service", "version", "host", "runtime", "language"] as const).map((name) => {
            const sums = new Map<string, number>();
            const own = chosen(q, name);
            const others = own.only.length + own.not.length > 0 ? rows : found;
            for (const row of others) sums.set(row[name], (sums.get(row[name]) ?? 0) + 1);
            return [name, { values: [...sums].map(([value, count]) => ({ value, count })).sort((x, y) => y.count - x.count), more: 0 }];
          }),
        );
        return { status: 200, body: { facets, histogram: { step_ms: 60_000, start: new Date(now - 3_600_000).toISOString(), counts }, measures: { cpu_cores: { min: 0.2, p50: 2.1, p95: 3.9, max: 4.19, count: 230 }, alloc_rate: { min: 1e6, p50: 4e8, p95: 8.6e8, max: 9e8, count: 240 } } } };
      }
      case "suggest": {
        const prefix = params.get("prefix") ?? "";
        const all = [["service:", "name", 240], ["service:shop", "value", 96], ["service:cart", "value", 48], ["env:", "name", 240], ["env:prod", "value", 180], ["cpu:>", "measure", 230]] as const;
        return { status: 200, body: { suggestions: all.filter(([text]) => text.startsWith(prefix) && text !== prefix).map(([text, kind, count]) => ({ text, kind, count })) } };
      }
      case "flame": {
        if (left > 0) {
          left--;
          return { status: 202, body: { status: "processing" } };
        }
        const v = view();
        const tree = applyFilters(treeOf(v.type, seedOf("")), v);
        const head = { type: v.type, value: params.get("value"), unit: NAMES.find(([t]) => t === v.type)?.[3], seconds: 60.02, profiles: { matched: params.get("profile") ? 1 : matching(q).length, merged: params.get("profile") ? 1 : Math.min(500, matching(q).length) }, total: tree.total[0], samples: Math.round(tree.total[0]! / 1e7), folded: { nodes: 0, value: 0 } };
        if (params.get("view") === "callers") return { status: 200, body: { ...toJson(callers(tree)), ...head } };
        if (params.get("view") === "sandwich") {
          const both = sandwich(tree, params.get("function") ?? "");
          return { status: 200, body: { ...head, callers: toJson(both.callers), callees: toJson(both.callees) } };
        }
        const search = parse(params.get("search") ?? "");
        const hits = search?.test ? matched(tree, nameSet(tree, search.test, false)) : null;
        return { status: 200, body: { ...toJson(tree), ...head, ...(hits && { matches: { value: hits.value, addresses: hits.nodes.slice(0, 100).map((n) => addressOf(tree, n)), more: 0 } }) } };
      }
      case "table": {
        const v = view();
        const tree = applyFilters(treeOf(v.type, seedOf("")), v);
        const filter = parse(params.get("filter") ?? "")?.test;
        const all = table(tree).filter((row) => !filter || filter(row.key)).map((row) => ({ ...row, samples: Math.round(row.total / 1e7) }));
        const sort = params.get("sort") ?? "-self";
        const key = sort.replace("-", "") as "self" | "total" | "key";
        all.sort((x, y) => (x[key] < y[key] ? -1 : x[key] > y[key] ? 1 : 0) * (sort.startsWith("-") ? -1 : 1));
        return { status: 200, body: { total: tree.total[0], unit: NAMES.find(([t]) => t === v.type)?.[3], rows: all, count: all.length, rest: null } };
      }
      case "diff":
      case "diff/table": {
        const v = view();
        const a = treeOf(v.type, 1);
        const b = treeOf(v.type, 2);
        // Trees can only be joined if they share one list of names.
        const [x, y] = shared(a, b);
        const json = joinDiff(applyFilters(x, v), applyFilters(y, v));
        json.noise = json.depth.map((_, i) => (i % 7 === 3 ? 1 : 0));
        const sides = { a: { total: a.total[0], samples: 9000, seconds: 60, profiles: { matched: 1, merged: 1 } }, b: { total: b.total[0], samples: 9100, seconds: 60, profiles: { matched: 1, merged: 1 } }, unit: NAMES.find(([t]) => t === v.type)?.[3], per: params.get("per") };
        if (path === "diff") return { status: 200, body: { ...json, ...sides } };
        const list = diffRows(json);
        return { status: 200, body: { ...sides, rows: list, count: list.length } };
      }
      case "metrics": {
        const from = Date.parse(params.get("from")!);
        const to = Date.parse(params.get("to")!);
        const hosts = behavior.hostile ? HOSTILE.slice(0, 3) : ["web-1", "web-2", "web-3", "web-9"];
        const list = [["cpu.cores", "CPU cores", "cores", 2.5], ["alloc.rate", "Memory Allocation", "bytes/s", 5e8], ["gc.pause.share", "GC pauses, share", "share", 0.02], ["heap.after_gc", "Heap after GC", "bytes", 6e8], ["threads", "Threads", "count", 48], ["exceptions", "Exceptions a second", "count/s", 12]] as const;
        return {
          status: 200,
          body: {
            step_ms: 60_000,
            metrics: list.map(([name, title, unit, base]) => ({
              name, title, unit, how: `mean of the profiles of a minute`,
              series: hosts.map((host, h) => ({
                key: { host },
                points: Array.from({ length: Math.floor((to - from) / 60_000) }, (_, i) => {
                  const value = base * (0.6 + 0.15 * h + 0.25 * Math.sin(i / 6 + h) + ((i * 7 + h) % 5) / 40);
                  return [new Date(from + i * 60_000).toISOString(), value * 0.9, value, value * 1.1, rows[(i * 4 + h) % rows.length]?.id];
                }),
              })),
            })),
          },
        };
      }
      case "status":
        return { status: 200, body: { version: "0.1.0", started: new Date(now - 7_200_000).toISOString(), listen: ["127.0.0.1:8126"], needs_key: false, profiles: { total: rows.length, ready: rows.length - 2, failed: 1, waiting: 1, oldest: rows.at(-1)?.start }, uploads: [{ protocol: "datadog", code: 200, count: 240 }, { protocol: "datadog", code: 400, count: 3 }], spool: { uploads: 1, bytes: 1_200_000, max: 4 * 2 ** 30 }, queue: { waiting: 0, working: 1 }, workers: 2, disk: { received: 12e9, derived: 6e9, max: 50 * 2 ** 30, free: 200e9, size: 500e9, full: behavior.full ?? false }, retention: { keep_ms: 30 * 86_400_000, keep_received_ms: 3 * 86_400_000 }, overload: null, renewals: behavior.full ? 12 : 0, forward: behavior.full ? { to: "http://agent:8126", queue: 3, bytes: 3_600_000, state: { sent: 120, failed: 4, dropped: 1, last_error: behavior.hostile ? HOSTILE[1] : "http://agent:8126 answered 503" } } : null, memory: 88e6, failures: [{ at: new Date(now - 300_000).toISOString(), kind: "derive", id: rows[5]?.id, reason: behavior.hostile ? HOSTILE[1] : "the recording ends in the middle of chunk 1" }] } };
    }
    const one = /^profiles\/([^/]+)(?:\/(\w+))?$/.exec(path);
    const at = one ? rows.findIndex((r) => r.id === one[1]) : -1;
    if (!one || at < 0) return problem(404, "there is no such profile; it may have been deleted");
    const row = rows[at]!;
    if (!one[2]) return { status: 200, body: detail(row, at) };
    if (one[2] === "analysis") {
      if (row.language !== "Java") return problem(404, `there are no rules for ${row.language} yet`);
      const text = JSON.stringify(ANALYSIS);
      return { status: 200, body: behavior.hostile ? JSON.parse(text.replaceAll("Cache.load", "<img src=x onerror=window.hacked=1>")) : ANALYSIS };
    }
    if (one[2] === "runtime") return { status: 200, body: behavior.hostile ? RUNTIME + HOSTILE.map((h, i) => `  hostile.${i}  ${h}`).join("\n") : RUNTIME, text: true };
    return problem(404, "there is nothing at this path");
  };

  const server: Server = createServer({ maxHeaderSize: 128 * 1024 }, (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    if (!url.pathname.startsWith("/api/")) {
      const name = url.pathname.slice(1);
      const files: Record<string, string> = { "app.js": "text/javascript; charset=utf-8", "app.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml" };
      const file = name in files ? name : "index.html";
      response.writeHead(200, { "Content-Type": files[name] ?? "text/html; charset=utf-8", "Content-Security-Policy": csp, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer" });
      response.end(readFileSync(join(dist, file)));
      return;
    }
    requests.push(`${request.method} ${url.pathname}${url.search}`);
    const path = url.pathname.replace("/api/v1/", "");
    if (path === "events") {
      response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
      response.write(": hello\n\n");
      listeners.add(response);
      request.on("close", () => listeners.delete(response));
      return;
    }
    if (path === "recordings" && request.method === "POST") {
      let size = 0;
      request.on("data", (chunk: Buffer) => (size += chunk.length));
      request.on("end", () => {
        const ok = size > 4;
        response.writeHead(ok ? 200 : 400, { "Content-Type": "application/json" });
        response.end(JSON.stringify(ok ? { id: rows[0]!.id } : { title: "Bad Request", detail: "the body is empty" }));
      });
      return;
    }
    if (request.method !== "GET") {
      request.resume();
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end("{}");
      return;
    }
    const { status, body, text } = answer(path, url.searchParams);
    const bytes = gzipSync(text ? String(body) : JSON.stringify(body), { level: 1 });
    setTimeout(() => {
      response.writeHead(status, { "Content-Type": text ? "text/plain; charset=utf-8" : status >= 400 ? "application/problem+json" : "application/json", "Content-Encoding": "gzip" });
      response.end(bytes);
    }, behavior.slow ?? 0);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${address.port}`,
    behavior,
    requests,
    rows,
    remove: (id) => {
      rows.splice(rows.findIndex((row) => row.id === id), 1);
      for (const listener of listeners) listener.write(`event: deleted\ndata: ${JSON.stringify({ id })}\n\n`);
    },
    emit: (row) => {
      rows.unshift(row);
      for (const listener of listeners) listener.write(`event: profile\ndata: ${JSON.stringify(row)}\n\n`);
    },
    close: () => {
      for (const listener of listeners) listener.end();
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Two trees that share one list of names. */
export function shared(a: Tree, b: Tree): [Tree, Tree] {
  const names = [...a.names];
  let kinds = a.kinds;
  const place = new Map(names.map((n, i) => [n, i]));
  const map = b.names.map((n, i) => {
    let at = place.get(n);
    if (at === undefined) {
      at = names.push(n) - 1;
      kinds += b.kinds[i];
      place.set(n, at);
    }
    return at;
  });
  return [{ ...a, names, kinds }, { ...b, names, kinds, name: b.name.map((n) => map[n]!) }];
}
