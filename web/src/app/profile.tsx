/** One profile: header and four tabs. */
import { useEffect, useRef } from "preact/hooks";
import type { Source } from "../data/source.ts";
import type { ProfileDetail, Selection, View } from "../data/types.ts";
import { bytes, duration, plural } from "../flame/format.ts";
import { clip, visible } from "../flame/text.ts";
import { Panel, typeOf, viewOf } from "../panel/panel.tsx";
import { Bar, Show, useLoad } from "../ui/load.tsx";
import { copy, Menu, Text, toast, typing } from "../ui/parts.tsx";
import { go, href, patch, usePlace } from "../ui/state.ts";
import { Analysis } from "./analysis.tsx";
import { compareHref, queryOf, withVersionBefore } from "./comparisons.ts";
import { atLeast } from "./measured.ts";
import { Metrics } from "./metrics.tsx";
import { Runtime } from "./runtime.tsx";
import { FindingCounts } from "./search.tsx";
import { clock, dayOf, millis, span, utc } from "./time.ts";

const TABS = [
  ["profiles", "Profiles"],
  ["analysis", "Analysis"],
  ["metrics", "Metrics"],
  ["runtime", "Runtime Info"],
] as const;

export function Profile({ id, source }: { id: string; source: Source }) {
  const { params } = usePlace();
  const loaded = useLoad(`profile ${id}`, (signal) => source.profile(id, signal));
  const profile = loaded.value;
  const tab = TABS.some(([key]) => key === params.get("tab")) ? params.get("tab")! : "profiles";
  // While it is being processed the rest fills in by itself. Most are ready within a second.
  const tries = useRef(0);
  useEffect(() => {
    if (profile?.status !== "received" && profile?.status !== "processing") return;
    const timer = setTimeout(loaded.again, tries.current++ < 15 ? 100 : 1000);
    return () => clearTimeout(timer);
  }, [profile]);
  useEffect(() => {
    if (profile) document.title = `${clip(visible(profile.service || "profile"), 60)} ${clock(profile.start)} · jfrkit`;
  }, [profile]);
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      if (typing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      const to = TABS[Number(event.key) - 1];
      if (to) patch({ tab: to[0] === "profiles" ? null : to[0] });
      else if (event.key === "p" && profile?.process?.previous) go(neighbour(profile.process.previous));
      else if (event.key === "n" && profile?.process?.next) go(neighbour(profile.process.next));
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", listener);
    return () => removeEventListener("keydown", listener);
  }, [profile]);
  const selection: Selection = { profile: [id] };
  if (loaded.failure?.status === 404) {
    return (
      <div class="note">
        <h2>Profile not found</h2>
        <p>It may have been deleted to free disk space, or the address is wrong.</p>
        <p>
          <a href={href("/profiles")}>All profiles</a>
        </p>
      </div>
    );
  }
  return (
    <div class="profile">
      <Bar of={loaded} />
      <Show of={loaded}>
        {(p) => (
          <>
            <Header p={p} source={source} />
            <div class="tabs" role="tablist" aria-label="Parts of the profile" onKeyDown={(event) => {
              const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
              if (step === 0) return;
              const at = TABS.findIndex(([key]) => key === tab);
              const next = TABS[(at + step + TABS.length) % TABS.length]![0];
              patch({ tab: next === "profiles" ? null : next });
              document.getElementById(`tab-${next}`)?.focus();
              event.preventDefault();
              event.stopPropagation();
            }}>
              {TABS.map(([key, text], i) => (
                <button
                  key={key}
                  id={`tab-${key}`}
                  role="tab"
                  aria-selected={tab === key}
                  aria-controls="tab-panel"
                  tabIndex={tab === key ? 0 : -1}
                  title={`${text} (${i + 1})`}
                  onClick={() => patch({ tab: key === "profiles" ? null : key })}
                >
                  {text}
                  {key === "analysis" && p.findings && (p.findings.warning > 0 || p.findings.info > 0) && <FindingCounts of={p.findings} />}
                </button>
              ))}
            </div>
            <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${tab}`} class="tab-panel">
              {p.status === "failed" ? (
                <Failed p={p} source={source} />
              ) : p.status === "received" || p.status === "processing" ? (
                <p class="note" role="status">
                  Received, being processed. This page updates by itself.
                </p>
              ) : tab === "analysis" ? (
                <Analysis id={id} source={source} types={p.types} />
              ) : tab === "metrics" ? (
                <Metrics source={source} profile={p} />
              ) : tab === "runtime" ? (
                <Runtime id={id} source={source} profile={p} />
              ) : (
                <Profiles p={p} source={source} selection={selection} />
              )}
            </div>
          </>
        )}
      </Show>
    </div>
  );
}

function neighbour(id: string): string {
  const { search } = location;
  const kept = new URLSearchParams(search);
  kept.delete("zoom");
  return href(`/profiles/${id}`, kept);
}

function Header({ p, source }: { p: ProfileDetail; source: Source }) {
  const length = millis(p.end) - millis(p.start);
  const extra = p as ProfileDetail & { runtime_version?: string; cpu_cores_how?: string; alloc_rate_how?: string };
  const names = [p.service, p.env, p.version, p.host, extra.runtime_version || p.runtime].filter(Boolean);
  const { previous, next } = p.process ?? {};
  const warnings = p.warnings ?? [];
  return (
    <header class="profile-head">
      <div class="row">
        {source.server && (
          <a class="button" aria-disabled={!previous} href={previous ? neighbour(previous) : undefined} title="Older profile of the process (p)">
            ‹ older
          </a>
        )}
        <h1>
          {names.map((name, i) => (
            <span key={i}>
              {i > 0 && <span class="dot"> · </span>}
              <Text of={name} most={80} title />
            </span>
          ))}
        </h1>
        <span class="span" title={`${utc(p.start)} – ${utc(p.end)}`}>
          {dayOf(p.start)} {clock(p.start)} – {clock(p.end)} <span class="quiet">({duration(Math.round(length / 100) * 1e8)})</span>
        </span>
        {source.server && (
          <a class="button" aria-disabled={!next} href={next ? neighbour(next) : undefined} title="Newer profile of the process (n)">
            newer ›
          </a>
        )}
        <span class="grow" />
        {source.server && <CompareMenu p={p} source={source} />}
        {source.server && (
          <Menu label="⋯" title="More">
            <button
              onClick={() =>
                void source.change(p.id, { pinned: !p.pinned }).then(
                  () => toast(p.pinned ? "Unpinned" : "Pinned: it is never deleted automatically"),
                  (e: Error) => toast(e.message),
                )
              }
            >
              {p.pinned ? "Unpin" : "Pin (keep forever)"}
            </button>
            <button onClick={() => void copy(location.href).then(() => toast("Address copied"))}>Copy address</button>
            <button
              class="danger"
              onClick={() => {
                if (confirm("Delete this profile and its recording?")) void source.remove(p.id).then(() => go(href("/profiles")), (e: Error) => toast(e.message));
              }}
            >
              Delete…
            </button>
          </Menu>
        )}
      </div>
      <div class="row facts">
        <span title={extra.cpu_cores_how}>
          CPU <strong>{atLeast(p.cpu_cores, "cores", p.cpu_cores_at_least)}</strong>
        </span>
        <span title={extra.alloc_rate_how}>
          Alloc <strong>{atLeast(p.alloc_rate, "bytes/s", p.alloc_rate_at_least)}</strong>
        </span>
        {p.profiler && (
          <span>
            profiler <Text of={p.profiler} most={60} />
          </span>
        )}
        {p.main && (
          <span>
            main <Text of={p.main} most={80} title />
          </span>
        )}
        {warnings.length > 0 && (
          <Menu label={<span class="warn">⚠ {plural(warnings.length, "warning")}</span>} wide>
            <ul class="warnings">
              {warnings.map((w) => (
                <li key={w}>{clip(visible(w), 400)}</li>
              ))}
            </ul>
          </Menu>
        )}
      </div>
    </header>
  );
}

/** Presets of a comparison: this profile is B. */
function CompareMenu({ p, source }: { p: ProfileDetail; source: Source }) {
  const b = { profile: [p.id] };
  const before = (ms: number): string => compareHref({ q: queryOf(p), ...span(millis(p.start) - ms - 300_000, millis(p.start) - ms + 300_000) }, b);
  return (
    <Menu label="Compare ▾">
      {p.process?.previous && <a href={compareHref({ profile: [p.process.previous] }, b)}>with the previous profile</a>}
      {p.version && (
        <button
          onClick={() =>
            void withVersionBefore(source, p).then(
              (to) => (to ? go(to) : toast(`No other version of ${clip(visible(p.service), 60)} in the 30 days before`)),
              (e: Error) => toast(e.message),
            )
          }
        >
          with the previous version
        </button>
      )}
      <a href={before(3_600_000)}>with one hour earlier</a>
      <a href={before(86_400_000)}>with one day earlier</a>
      <a href={before(7 * 86_400_000)}>with one week earlier</a>
      <a href={compareHref({}, b)}>with another…</a>
    </Menu>
  );
}

function Profiles({ p, source, selection }: { p: ProfileDetail; source: Source; selection: Selection }) {
  const { params } = usePlace();
  const type = typeOf(params, p.types);
  return <Panel source={source} selection={selection} types={p.types} how={(type as { how?: string[] } | undefined)?.how ?? p.how} downloads={source.server ? (view) => <Downloads p={p} source={source} selection={selection} view={view} /> : undefined} />;
}

function Downloads({ p, source, selection, view }: { p: ProfileDetail; source: Source; selection: Selection; view: View }) {
  const { params } = usePlace();
  const files = p.files ?? [];
  const shown = viewOf(params, view.type);
  const link = (file: (typeof files)[number]) => (
    <a key={file.name} href={source.fileUrl(p.id, file.name) ?? undefined} download>
      <span>{clip(visible(file.label || file.name), 50)}</span>
      <span class="quiet">{bytes(file.bytes)}</span>
    </a>
  );
  const removed = (p as { received_removed?: string | null }).received_removed;
  const received = files.filter((f) => f.kind === "received");
  const derived = files.filter((f) => f.kind === "derived");
  return (
    <Menu label="Download ▾" wide>
      <p class="menu-head">As received</p>
      {received.map(link)}
      {received.length === 0 && (
        <p class="quiet menu-note">{removed ? `The recording expired ${dayOf(removed)} ${clock(removed)}.` : "This server does not offer recordings for download."}</p>
      )}
      {derived.length > 0 && <p class="menu-head">Profiles (pprof)</p>}
      {derived.map(link)}
      <p class="menu-head">This view</p>
      {(["pprof", "collapsed", "speedscope", "html"] as const).map((format) => (
        <a key={format} href={source.exportUrl(selection, shown, format) ?? undefined} download>
          {{ pprof: "pprof", collapsed: "Collapsed stacks", speedscope: "Speedscope", html: "HTML page" }[format]}
        </a>
      ))}
    </Menu>
  );
}

function Failed({ p, source }: { p: ProfileDetail; source: Source }) {
  return (
    <div class="problem">
      <strong>This upload could not be read</strong>
      <p>{clip(visible(p.reason ?? (p.warnings ?? []).join("; ") ?? ""), 600)}</p>
      {p.files?.map((f) => (
        <p key={f.name}>
          <a href={source.fileUrl(p.id, f.name) ?? undefined} download>
            Download {clip(visible(f.label || f.name), 80)}
          </a>
        </p>
      ))}
    </div>
  );
}
