/** The findings: what to fix, with evidence and remedy. */
import { useMemo, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { Source } from "../data/source.ts";
import type { AnalysisJson, Evidence, Frame, Rule, TypeInfo } from "../data/types.ts";
import { bytes, count, duration, percent, plain } from "../flame/format.ts";
import { exactly } from "../flame/search.ts";
import { clip, visible } from "../flame/text.ts";
import { Bar, Show, useLoad } from "../ui/load.tsx";
import { copy, Prose, Text, toast } from "../ui/parts.tsx";
import { patch, usePlace } from "../ui/state.ts";
import { clock } from "./time.ts";

/** A finding with its place and its cost. */
interface Found {
  rule: Rule;
  section: string;
  share: number | null;
  of: string;
}

const SECTIONS: [string, string][] = [
  ["program", "Program"],
  ["environment", "Environment"],
  ["recording", "Recording"],
];

const COSTS: Record<string, string> = { "cpu-time": "of CPU time", "elapsed-time": "of elapsed time", memory: "of memory", allocation: "of allocation" };

/** The findings in the order of the report. */
function findings(report: AnalysisJson): { found: Found[]; ok: Rule[]; not: Rule[] } {
  const rules = report.rules ?? [];
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  const listed = (report.findings ?? []) as { id?: string; section?: string; severity?: string; cost?: { share?: number; of?: string } | null }[];
  const found = listed.flatMap((f): Found[] => {
    const rule = byId.get(f.id ?? "");
    return rule ? [{ rule: f.severity ? { ...rule, severity: f.severity as Rule["severity"] } : rule, section: f.section ?? "program", share: f.cost?.share ?? null, of: f.cost?.of ?? "" }] : [];
  });
  return { found, ok: rules.filter((r) => r.severity === "ok"), not: rules.filter((r) => r.severity === "not-applicable") };
}

export function Analysis({ id, source, types }: { id: string; source: Source; types: TypeInfo[] }) {
  const loaded = useLoad(`analysis ${id}`, (signal) => source.analysis(id, signal));
  if (loaded.failure?.status === 404) {
    return (
      <p class="note" role="status">
        There is no analysis: {clip(visible(loaded.failure.detail), 300)}
      </p>
    );
  }
  return (
    <>
      <Bar of={loaded} />
      <Show of={loaded}>{(report) => <Report report={report} types={types} />}</Show>
    </>
  );
}

function Report({ report, types }: { report: AnalysisJson; types: TypeInfo[] }) {
  const { params } = usePlace();
  const severity = params.get("severity") ?? "";
  const category = params.get("category") ?? "";
  const text = (params.get("find") ?? "").toLowerCase();
  const { found, ok, not } = useMemo(() => findings(report), [report]);
  const [more, setMore] = useState<"" | "ok" | "not">("");
  const categories = [...new Set((report.rules ?? []).map((r) => r.category))].sort();
  const fits = (rule: Rule): boolean =>
    (!severity || rule.severity === severity) &&
    (!category || rule.category === category) &&
    (!text || `${rule.id} ${rule.title} ${rule.summary} ${rule.category}`.toLowerCase().includes(text));
  const shown = found.filter((f) => fits(f.rule));
  const act = found.filter((f) => f.rule.severity === "warning").length;
  const rest = (rule: Rule): boolean => (!category || rule.category === category) && (!text || `${rule.id} ${rule.title} ${rule.summary}`.toLowerCase().includes(text));
  return (
    <div class="analysis">
      <div class="row analysis-head">
        <p class="summary">
          <strong>{count(act)} to act on</strong>, {count(found.length - act)} to look at,{" "}
          <button class="plain link" aria-expanded={more === "ok"} onClick={() => setMore(more === "ok" ? "" : "ok")}>
            {count(ok.length)} fine
          </button>
          ,{" "}
          <button class="plain link" aria-expanded={more === "not"} onClick={() => setMore(more === "not" ? "" : "not")}>
            {count(not.length)} do not apply
          </button>
        </p>
        <span class="grow" />
        <select aria-label="Severity" value={severity} onChange={(e) => patch({ severity: e.currentTarget.value }, true)}>
          <option value="">any severity</option>
          <option value="warning">to act on</option>
          <option value="info">to look at</option>
        </select>
        <select aria-label="Category" value={category} onChange={(e) => patch({ category: e.currentTarget.value }, true)}>
          <option value="">any category</option>
          {categories.map((c) => (
            <option key={c} value={c}>
              {c}
            </option>
          ))}
        </select>
        <input type="search" placeholder="filter" aria-label="Filter findings" value={params.get("find") ?? ""} onInput={(e) => patch({ find: e.currentTarget.value }, true)} />
        <button onClick={() => void copy(markdown(shown)).then((done) => toast(done ? "Copied as Markdown" : "The browser does not allow copying here"))}>Copy as Markdown</button>
      </div>
      {more !== "" && (
        <section class="others" aria-label={more === "ok" ? "Rules that found nothing" : "Rules that do not apply"}>
          <table class="data">
            <tbody>
              {(more === "ok" ? ok : not).filter(rest).map((rule) => (
                <tr key={rule.id}>
                  <td class="quiet">{rule.category}</td>
                  <td>{rule.title}</td>
                  <td class="wrap">{clip(visible(more === "ok" ? rule.summary : (rule.not_applicable_because ?? rule.summary)), 400)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {found.length === 0 && <p class="note">The rules found no problems in this profile.</p>}
      {found.length > 0 && shown.length === 0 && <p class="note">No findings match the filter.</p>}
      {SECTIONS.map(([section, title]) => {
        const list = shown.filter((f) => f.section === section);
        return (
          list.length > 0 && (
            <section key={section} aria-label={title}>
              <h2 class="section-title">{title}</h2>
              {list.map((f) => (
                <Finding key={f.rule.id} of={f} open={f === shown[0]} types={types} />
              ))}
            </section>
          )
        );
      })}
    </div>
  );
}

/** The profile type that shows what a finding is about. */
const TYPE_OF: Record<string, string> = { gc: "alloc", heap: "alloc", cpu: "cpu", locks: "lock", exceptions: "error", classes: "class-load", io: "file-io", threads: "cpu" };

/** A function that a finding names, to search for in the graph. */
function nameOf(rule: Rule): string | null {
  for (const value of Object.values(rule.evidence)) {
    if (value.type === "methods") {
      const row = value.rows[0];
      if (row) return (row.application_frame ?? row.method).method;
    }
    if (value.type === "stack" && value.frames[0]) return value.frames[0].method;
  }
  return null;
}

function Finding({ of, open, types }: { of: Found; open: boolean; types: TypeInfo[] }) {
  const { rule } = of;
  const type = /socket/i.test(rule.id) ? "socket-io" : TYPE_OF[rule.category];
  const has = types.find((t) => t.type === type && t.values.length > 0 && !t.absent);
  const name = nameOf(rule);
  return (
    <details class={`finding ${rule.severity}`} open={open} id={`finding-${rule.id}`}>
      <summary>
        <span class="mark" title={rule.severity === "warning" ? "to act on" : "to look at"}>
          <span aria-hidden="true">{rule.severity === "warning" ? "▲" : "●"}</span>
          <span class="hidden">{rule.severity === "warning" ? "to act on" : "to look at"}</span>
        </span>
        <span class="cost" title={of.share === null ? undefined : `${percent(of.share)} ${COSTS[of.of] ?? of.of}`}>
          {of.share !== null && percent(of.share)}
        </span>
        <span class="category">{rule.category}</span>
        <span class="what">
          <strong>{clip(visible(rule.title), 200)}</strong> <span><Prose of={rule.summary} most={500} /></span>
        </span>
      </summary>
      <div class="finding-body">
        {of.share !== null && (
          <p class="quiet">
            Costs {percent(of.share)} {COSTS[of.of] ?? of.of}.
          </p>
        )}
        {rule.explanation && <p><Prose of={rule.explanation} /></p>}
        {Object.keys(rule.evidence).length > 0 && <EvidenceList of={rule.evidence} />}
        {rule.remedy && (
          <div class="remedy">
            <h3>What to do</h3>
            <p><Prose of={rule.remedy} /></p>
          </div>
        )}
        <p class="row">
          {has && (
            <button
              class="small"
              onClick={() => patch({ tab: null, type: has.type, value: null, zoom: null, fn: null, search: name ? `/${exactly(name)}/` : null, severity: null, category: null, find: null })}
            >
              Show in Profiles: {has.name}
            </button>
          )}
          <span class="quiet">rule {rule.id}</span>
        </p>
      </div>
    </details>
  );
}

function EvidenceList({ of }: { of: Record<string, Evidence> }) {
  const small = Object.entries(of).filter(([, v]) => !wide(v));
  const large = Object.entries(of).filter(([, v]) => wide(v));
  return (
    <div class="evidence">
      {small.length > 0 && (
        <dl class="facts-list">
          {small.map(([name, value]) => (
            <div key={name}>
              <dt>{clip(visible(name), 80)}</dt>
              <dd>
                <Value of={value} />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {large.map(([name, value]) => (
        <div key={name} class="evidence-block">
          <h3>{clip(visible(name), 80)}</h3>
          <Value of={value} />
        </div>
      ))}
    </div>
  );
}

function wide(value: Evidence): boolean {
  return value.type === "stack" || value.type === "methods" || value.type === "table" || value.type === "list" || value.type === "series" || (value.type === "text" && value.value.length > 120);
}

function frame(f: Frame): string {
  return visible(f.method) + (f.line === null || f.line === undefined ? "" : `:${f.line}`);
}

/** A time in a finding: nanoseconds since 1970, beyond what a number holds exactly, which a clock does not show. */
function instant(nanos: number): string {
  const ms = nanos / 1e6;
  return `${clock(ms)}.${String(Math.floor(ms % 1000)).padStart(3, "0")}`;
}

export function textOf(value: Evidence): string {
  switch (value.type) {
    case "number":
      return `${plain(value.value)}${value.unit ? ` ${visible(value.unit)}` : ""}`;
    case "text":
      return visible(value.value);
    case "flag":
      return value.value ? "yes" : "no";
    case "duration":
      return duration(value.nanos);
    case "bytes":
      return bytes(value.value);
    case "percent":
      return percent(value.value / 100);
    case "instant":
      return instant(value.epoch_nanos);
    case "window":
      return `${instant(value.from_nanos)} – ${instant(value.to_nanos)} (${duration(value.to_nanos - value.from_nanos)})`;
    case "stack":
      return value.frames.map(frame).join("\n");
    case "list":
      return value.items.map(visible).join(", ");
    case "methods":
      return value.rows.map((row) => `${percent(row.percent / 100)} ${frame(row.method)}`).join("\n");
    case "table":
      return value.rows.map((row) => row.map(textOf).join("  ")).join("\n");
    case "series":
      return value.values.map(plain).join(" ");
    default:
      return clip(visible(JSON.stringify(value)), 400);
  }
}

function Value({ of }: { of: Evidence }): ComponentChildren {
  const numeric = (v: Evidence | undefined): boolean => v !== undefined && ["number", "duration", "bytes", "percent"].includes(v.type);
  switch (of.type) {
    case "stack":
      return (
        <ol class="stack">
          {of.frames.slice(0, 40).map((f, i) => (
            <li key={i}>{clip(frame(f), 300)}</li>
          ))}
          {of.frames.length > 40 && <li class="quiet">{count(of.frames.length - 40)} more</li>}
        </ol>
      );
    case "methods":
      return (
        <div class="scroll-x" tabIndex={0}>
          <table class="data">
            <thead>
              <tr>
                <th scope="col" class="number">Share</th>
                <th scope="col" class="number">Value</th>
                <th scope="col">Method</th>
                <th scope="col">Called from</th>
              </tr>
            </thead>
            <tbody>
              {of.rows.map((row, i) => (
                <tr key={i}>
                  <td class="number">{percent(row.percent / 100)}</td>
                  <td class="number">{textOf(row.value)}</td>
                  <td>
                    <code>{clip(frame(row.method), 200)}</code>
                  </td>
                  <td>{row.application_frame && row.application_frame.method !== row.method.method ? <code>{clip(frame(row.application_frame), 200)}</code> : <span class="none">–</span>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      );
    case "table":
      return (
        <div class="scroll-x" tabIndex={0}>
          <table class="data">
            <thead>
              <tr>
                {of.columns.map((c, i) => (
                  <th key={c} scope="col" class={numeric(of.rows[0]?.[i]) ? "number" : ""}>
                    {clip(visible(c), 80)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {of.rows.slice(0, 50).map((row, i) => (
                <tr key={i}>
                  {row.map((cell, k) => (
                    <td key={k} class={numeric(cell) ? "number" : ""}>
                      {clip(textOf(cell), 300)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          {of.rows.length > 50 && <p class="quiet">{count(of.rows.length - 50)} more rows</p>}
        </div>
      );
    case "list":
      return (
        <ul class="items">
          {of.items.slice(0, 50).map((item, i) => (
            <li key={i}>
              <Text of={item} most={300} />
            </li>
          ))}
          {of.items.length > 50 && <li class="quiet">{count(of.items.length - 50)} more</li>}
        </ul>
      );
    case "series": {
      const most = Math.max(...of.values, 1e-12);
      return (
        <svg class="spark" viewBox={`0 0 ${of.values.length} 24`} preserveAspectRatio="none" role="img" aria-label={`Over time, at most ${plain(most)}`}>
          {of.values.map((v, i) => v > 0 && <rect key={i} x={i + 0.1} width={0.8} y={24 - (v / most) * 23} height={(v / most) * 23} />)}
        </svg>
      );
    }
    default:
      return <Prose of={textOf(of)} />;
  }
}

/** The findings as Markdown, for an issue or a chat. */
function markdown(found: Found[]): string {
  const escape = (text: string): string => text.replace(/[\\`*_[\]<>|#]/g, "\\$&");
  return found
    .map(({ rule, share, of }) => {
      const cost = share === null ? "" : ` (${percent(share)} ${COSTS[of] ?? of})`;
      const lines = [`### ${rule.severity === "warning" ? "▲" : "●"} ${escape(visible(rule.title))}${cost}`, "", escape(visible(rule.summary))];
      if (rule.explanation) lines.push("", escape(visible(rule.explanation)));
      for (const [name, value] of Object.entries(rule.evidence)) {
        if (wide(value)) lines.push("", `${escape(visible(name))}:`, "", "```", textOf(value).replace(/```/g, "'''"), "```");
        else lines.push(`- ${escape(visible(name))}: ${escape(textOf(value))}`);
      }
      if (rule.remedy) lines.push("", `**What to do:** ${escape(visible(rule.remedy))}`);
      return lines.join("\n");
    })
    .join("\n\n");
}
