/** The search: query, time, histogram, facets, rows. The query is the only state. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Failure, Source } from "../data/source.ts";
import type { FacetsJson, ProfileDetail, ProfileRow, SearchJson, Suggestion } from "../data/types.ts";
import { bytes, count, duration, plural } from "../flame/format.ts";
import { clip, visible } from "../flame/text.ts";
import { Gauge } from "../panel/functions.tsx";
import { Bar, connected, Problem, useLoad } from "../ui/load.tsx";
import { Menu, Text } from "../ui/parts.tsx";
import { href, patch } from "../ui/state.ts";
import { compareHref, compareVersions, versionBefore } from "./comparisons.ts";
import { atLeast } from "./measured.ts";
import { bounds, choose, chosen, distribution, range, terms, typedAt, without } from "./query.ts";
import { SetupLines } from "./setup.tsx";
import { absolute, localInput, millis, RANGES, shifted, span, spanText, utc, when } from "./time.ts";

const FACETS: [string, string][] = [
  ["env", "Env"],
  ["service", "Service"],
  ["version", "Version"],
  ["host", "Host"],
  ["runtime", "Runtime"],
  ["language", "Language"],
];

const COLUMNS: [string, string, string][] = [
  // name, title, sort
  ["start", "Time", "start"],
  ["service", "Service", "service"],
  ["env", "Env", "env"],
  ["version", "Version", "version"],
  ["host", "Host", "host"],
  ["runtime", "Runtime", "runtime"],
  ["language", "Language", "language"],
  ["cpu", "CPU cores", "cpu_cores"],
  ["alloc", "Allocation", "alloc_rate"],
  ["findings", "Findings", "findings"],
  ["size", "Size", "size"],
];
/** Columns without a value in a failed row, which has its reason there: the last ones of `COLUMNS`. */
const FAILED = ["cpu", "alloc", "findings", "size"];
const USUAL = ["start", "service", "env", "version", "host", "runtime", "cpu", "alloc", "findings"];

/** Height of a row; narrow windows show two lines. */
const rowHeight = (): number => (innerWidth <= 760 ? 65 : 32);

export function Search({ source, params }: { source: Source; params: URLSearchParams }) {
  const q = params.get("q") ?? "";
  const from = params.get("from") ?? (source.server ? "now-1h" : "");
  const to = params.get("to") ?? "";
  const sort = params.get("sort") ?? "-start";
  const cols = params.get("cols")?.split(",") ?? (source.server ? USUAL : USUAL.filter((name) => !["env", "version", "host"].includes(name)));
  const live = params.get("live") !== "0" && source.server && !to;
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify([q, from, to, sort]);
  const found = useLoad(`${key}${turn}`, (signal) => source.profiles({ q, from, to, sort }, signal).then((page) => ({ ...page, asked: key })));
  const [arrivals, setArrivals] = useState(0);
  const facets = useLoad(source.server ? `f${JSON.stringify([q, from, to])}${turn} ${arrivals}` : "", (signal) => source.facets({ q, from, to }, signal));
  const [fresh, setFresh] = useState<ProfileRow[]>([]);
  const [gone, setGone] = useState<string[]>([]);
  const [more, setMore] = useState<{ key: string; rows: ProfileRow[]; next: string | null; failure?: Failure } | null>(null);
  const [selected, setSelected] = useState<string[]>([]);
  const asking = useRef(false);
  // The last good result stays while the query has a mistake.
  const mistake = found.failure?.status === 400 ? found.failure : facets.failure?.status === 400 ? facets.failure : null;
  useEffect(() => {
    setFresh([]);
    setGone([]);
  }, [key, turn]);

  const byStart = sort === "-start";
  useEffect(() => {
    if (!live) return;
    let changed = false;
    const stop = source.follow(q, {
      profile: (row) => {
        changed = true;
        setFresh((rows) => [row, ...rows.filter((r) => r.id !== row.id)].slice(0, 500));
      },
      deleted: (id) => {
        changed = true;
        setGone((ids) => [...ids, id]);
      },
      online: (up) => connected("events", up),
    });
    // Counts and histogram follow the rows, every few seconds however many come.
    const timer = setInterval(() => {
      if (changed) setArrivals((n) => n + 1);
      changed = false;
    }, 3000);
    return () => {
      stop();
      clearInterval(timer);
      connected("events", true);
    };
  }, [live, q]);

  const base = found.value?.rows ?? [];
  const added = more?.key === key ? more.rows : [];
  const all = useMemo(() => {
    const known = new Map<string, ProfileRow>();
    for (const row of [...base, ...added]) if (!gone.includes(row.id)) known.set(row.id, row);
    let waiting = 0;
    const atTop = scrollY < 200;
    const firsts: ProfileRow[] = [];
    for (const row of fresh) {
      if (gone.includes(row.id)) continue;
      if (known.has(row.id)) known.set(row.id, row);
      else if (byStart && atTop) firsts.push(row);
      else waiting++;
    }
    firsts.sort((x, y) => millis(y.start) - millis(x.start));
    return { rows: [...firsts, ...known.values()], waiting };
  }, [base, added, fresh, gone, byStart]);
  const next = more?.key === key ? more.next : (found.value?.next ?? null);
  const loadMore = (): void => {
    // The rows of the last query stay while the next one loads, or has a mistake; they do not continue.
    if (!next || asking.current || found.value?.asked !== key) return;
    asking.current = true;
    setMore({ key, rows: added, next });
    source
      .profiles({ q, from, to, sort, cursor: next })
      .then((page: SearchJson) => setMore({ key, rows: [...added, ...page.rows], next: page.next ?? null }))
      .catch((failure: Failure) => setMore({ key, rows: added, next, failure }))
      .finally(() => (asking.current = false));
  };
  const total = (found.value?.total ?? 0) + all.rows.length - base.length - added.length;
  const none = found.value !== null && all.rows.length === 0 && !mistake;
  const empty = useLoad(none && source.server ? "any" + turn : "", (signal) => source.profiles({ q: "", from: "0", to: "", sort: "-start", limit: 1 }, signal));
  const stopped = more?.key === key ? more.failure : undefined;
  const nothingYet = none && empty.value?.total === 0;
  // Waiting for the first upload: look again until it is there.
  useEffect(() => {
    if (!nothingYet) return;
    const timer = setInterval(() => setTurn((t) => t + 1), 3000);
    return () => clearInterval(timer);
  }, [nothingYet]);
  useEffect(() => {
    if (nothingYet && fresh.length > 0) setTurn((t) => t + 1);
  }, [fresh.length]);

  // Of one service, the newest version against the one before it.
  const versions = useMemo(() => {
    const rows = [...all.rows].sort((x, y) => millis(y.start) - millis(x.start));
    return rows.every((row) => row.service === rows[0]!.service) ? versionBefore(rows) : null;
  }, [all]);

  const setQuery = (to: string): void => patch({ q: to });
  return (
    <div class="search-page">
      <div class="search-top">
        {source.server && <QueryBox source={source} q={q} from={from} to={to} mistake={mistake} onQuery={setQuery} />}
        {source.server && <TimePicker from={from} to={to} live={live} />}
      </div>
      {source.server && <Histogram of={facets.value} from={from} to={to} total={total} />}
      <Bar of={found} />
      {found.failure && !mistake && <Problem failure={found.failure} again={found.again} />}
      <div class={source.server ? "search-body" : ""}>
        {source.server && <Facets of={facets.value} q={q} source={source} from={from} to={to} onQuery={setQuery} />}
        <section aria-label="Profiles" class="results">
          <div class="row results-head">
            <strong>{found.value && plural(total, "profile")}</strong>
            {all.waiting > 0 && (
              <button class="small primary" onClick={() => { scrollTo(0, 0); setTurn((t) => t + 1); }}>
                {plural(all.waiting, "new profile")}
              </button>
            )}
            <span class="grow" />
            {source.server && selected.length === 0 && versions && (
              <a class="button" href={compareVersions(versions, from, to)} title="What changed from one version to the next">
                Compare {clip(visible(versions[1].version), 24)} → {clip(visible(versions[0].version), 24)}
              </a>
            )}
            {selected.length >= 2 && (
              <a class="button" href={compareHref({ profile: [selected[1]!] }, { profile: [selected[0]!] })}>
                Compare {selected.length === 2 ? "2 selected" : "the last 2 selected"}
              </a>
            )}
            {selected.length > 0 && (
              <a class="button" href={href("/flame", new URLSearchParams(selected.map((id) => ["profile", id])))}>
                Flame graph of {plural(selected.length, "selected", "selected")}
              </a>
            )}
            {source.server && total > 1 && selected.length === 0 && (
              <a class="button" href={href("/flame", { ...(q && { q }), from, ...(to && { to }) })}>
                Flame graph of all {count(total)}
              </a>
            )}
            {source.server && (
              <Menu label="Columns">
                {COLUMNS.map(([name, title]) => (
                  <label class="switch" key={name}>
                    <input
                      type="checkbox"
                      checked={cols.includes(name)}
                      onChange={(e) => {
                        const set = COLUMNS.map(([n]) => n).filter((n) => (n === name ? e.currentTarget.checked : cols.includes(n)));
                        patch({ cols: set.join(",") === USUAL.join(",") ? null : set.join(",") }, true);
                      }}
                    />
                    {title}
                  </label>
                ))}
              </Menu>
            )}
          </div>
          {nothingYet ? (
            <div class="first">
              <h2>No profile yet</h2>
              <p class="quiet">Point a profiler at this server, or drop a recording on this page.</p>
              <SetupLines source={source} />
              <p class="waiting" role="status">
                Waiting for the first upload…
              </p>
            </div>
          ) : none ? (
            <Nothing q={q} found={found.value} onQuery={setQuery} />
          ) : (
            <Rows rows={all.rows} cols={cols} sort={sort} selected={selected} onSelect={setSelected} more={next !== null && !stopped} onMore={loadMore} pickable={source.server} source={source} />
          )}
          {stopped && <Problem failure={stopped} again={loadMore} />}
        </section>
      </div>
    </div>
  );
}

/** Shown if nothing matches: the terms, each of which can be dropped, and the nearest time with profiles. */
function Nothing({ q, found, onQuery }: { q: string; found: (SearchJson & { nearest?: string }) | null; onQuery: (q: string) => void }) {
  const list = terms(q);
  return (
    <div class="note">
      <p>{list.length > 0 ? "No profiles match. Remove a term:" : "No profiles in this time range."}</p>
      <p class="chips center">
        {list.map((t, i) => (
          <button key={t.start} class="chip" onClick={() => onQuery(without(q, i))}>
            <bdi>{clip(visible(t.text), 80)}</bdi> <span aria-hidden="true">✕</span>
          </button>
        ))}
      </p>
      {found?.nearest && (
        <p>
          The nearest profile started at <span title={utc(found.nearest)}>{when(found.nearest)}</span>{" "}
          <button
            class="small"
            onClick={() =>
              patch(span(millis(found.nearest!) - 1_800_000, millis(found.nearest!) + 1_800_000))
            }
          >
            Show it
          </button>
        </p>
      )}
    </div>
  );
}

function Rows(props: {
  rows: ProfileRow[];
  cols: string[];
  sort: string;
  selected: string[];
  onSelect: (ids: string[]) => void;
  more: boolean;
  onMore: () => void;
  pickable: boolean;
  source: Source;
}) {
  const { rows, cols, sort, selected } = props;
  const body = useRef<HTMLTableSectionElement>(null);
  const [view, setView] = useState({ first: 0, last: 60 });
  useEffect(() => {
    const look = (): void => {
      const top = body.current?.getBoundingClientRect().top ?? 0;
      const first = Math.max(0, Math.floor(-top / rowHeight()) - 10);
      const last = first + Math.ceil(innerHeight / rowHeight()) + 20;
      setView((v) => (v.first === first && v.last === last ? v : { first, last }));
      if (props.more && last >= rows.length - 10) props.onMore();
    };
    look();
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, [rows.length, props.more]);
  const mostCpu = Math.max(1, ...rows.map((row) => row.cpu_cores ?? 0));
  const mostAlloc = Math.max(1, ...rows.map((row) => row.alloc_rate ?? 0));
  const columns = COLUMNS.filter(([name]) => cols.includes(name));
  const number = (name: string): boolean => name === "cpu" || name === "alloc" || name === "size";
  const shown = rows.slice(view.first, view.last);
  return (
    <table class={`data rows ${props.pickable ? "" : "files"}`}>
      <thead>
        <tr>
          {props.pickable && (
            <th scope="col" class="pick-cell">
              <span class="hidden">Select</span>
            </th>
          )}
          {columns.map(([name, title, by]) => {
            const down = sort === `-${by}`;
            const up = sort === by;
            const wordy = !number(name) && name !== "start" && name !== "findings";
            return (
              <th key={name} scope="col" class={`c-${name} ${number(name) ? "number" : ""}`} aria-sort={down ? "descending" : up ? "ascending" : "none"}>
                <button class="plain" onClick={() => patch({ sort: (wordy ? (up ? `-${by}` : by) : down ? by : `-${by}`).replace(/^-start$/, "") || null })}>
                  {name === "service" && !props.pickable ? "File" : title}
                  <span class="sort" aria-hidden="true">
                    {down ? "▾" : up ? "▴" : ""}
                  </span>
                </button>
              </th>
            );
          })}
        </tr>
      </thead>
      <tbody ref={body}>
        {view.first > 0 && (
          <tr class="space" aria-hidden="true">
            <td colSpan={columns.length + 1} style={{ height: `${Math.min(view.first, rows.length) * rowHeight()}px` }} />
          </tr>
        )}
        {shown.map((row) => (
          <tr key={row.id} class={row.status === "failed" ? "failed" : selected.includes(row.id) ? "on" : ""}>
            {props.pickable && (
              <td class="pick-cell">
                <input
                  type="checkbox"
                  aria-label={`Select the profile of ${visible(row.service)} at ${when(row.start)}`}
                  checked={selected.includes(row.id)}
                  onChange={(e) => props.onSelect(e.currentTarget.checked ? [row.id, ...selected] : selected.filter((id) => id !== row.id))}
                />
              </td>
            )}
            {(row.status === "failed" ? columns.filter(([name]) => !FAILED.includes(name)) : columns).map(([name]) => (
              <td key={name} class={`c-${name} ${number(name) ? "number bar-cell" : ""}`}>
                <Cell name={name} row={row} cpu={mostCpu} alloc={mostAlloc} />
              </td>
            ))}
            {row.status === "failed" && (
              <td class="c-failed" colSpan={Math.max(1, columns.filter(([name]) => FAILED.includes(name)).length)}>
                <FailedReason row={row} source={props.source} />
              </td>
            )}
          </tr>
        ))}
        {view.last < rows.length && (
          <tr class="space" aria-hidden="true">
            <td colSpan={columns.length + 1} style={{ height: `${(rows.length - view.last) * rowHeight()}px` }} />
          </tr>
        )}
      </tbody>
    </table>
  );
}

function Cell({ name, row, cpu, alloc }: { name: string; row: ProfileRow; cpu: number; alloc: number }) {
  const waiting = row.status === "received" || row.status === "processing";
  switch (name) {
    case "start": {
      const length = millis(row.end) - millis(row.start);
      return (
        <a class="row-link" href={href(`/profiles/${row.id}`)} title={utc(row.start)}>
          {when(row.start)} {length > 0 && <span class="quiet">{duration(Math.round(length / 1000) * 1e9)}</span>}
        </a>
      );
    }
    case "service":
      return (
        <>
          <Text of={row.service} most={60} title />
          {row.pinned && <span class="quiet" title="Pinned: it is never deleted automatically"> pinned</span>}
        </>
      );
    case "cpu":
      if (waiting) return <span class="quiet">processing…</span>;
      if (row.cpu_cores === null) return <span class="none" title="The profile does not contain the CPU usage of the process">–</span>;
      return (
        <>
          <Gauge share={row.cpu_cores / cpu} />
          <span title={`${Math.round(row.cpu_cores * 100)} %`}>
            {row.cpu_cores_at_least && "≥ "}
            {row.cpu_cores.toFixed(2)}
          </span>
        </>
      );
    case "alloc":
      if (waiting) return null;
      if (row.alloc_rate === null) return <span class="none" title="The profile does not contain the allocation rate">–</span>;
      return (
        <>
          <Gauge share={row.alloc_rate / alloc} />
          <span>{atLeast(row.alloc_rate, "bytes/s", row.alloc_rate_at_least)}</span>
        </>
      );
    case "findings":
      return <FindingCounts of={row.findings} />;
    case "size":
      return <>{bytes(row.bytes)}</>;
    case "runtime":
      return <Text of={(row as { runtime_version?: string }).runtime_version || row.runtime} most={60} title />;
    default:
      return <Text of={(row as unknown as Record<string, string>)[name]} most={60} title />;
  }
}

/** Shown for a failed upload instead of numbers: the reason, and the download. */
function FailedReason({ row, source }: { row: ProfileRow; source: Source }) {
  const { value: detail } = useLoad(`failed ${row.id}`, (signal) => source.profile(row.id, signal));
  const reason = visible(detail?.reason ?? "");
  return (
    <span class="failed-why">
      <span class="danger clip" title={clip(reason, 1000)}>
        failed{reason && `: ${clip(reason, 300)}`}
      </span>
      <Received of={detail} source={source} />
    </span>
  );
}

/** Downloads what a client sent, if it is still there. */
function Received({ of, source }: { of: ProfileDetail | null; source: Source }) {
  const file = of?.files?.find((f) => f.kind === "received");
  const url = of && file && source.fileUrl(of.id, file.name);
  return url ? (
    <a class="received-link" href={url} download title="Download the received file">
      Download
    </a>
  ) : null;
}

export function ReceivedLink({ id, source }: { id: string; source: Source }) {
  const { value } = useLoad(id, (signal) => source.profile(id, signal));
  return <Received of={value} source={source} />;
}

export function FindingCounts({ of }: { of: ProfileRow["findings"] }) {
  if (!of || (of.warning === 0 && of.info === 0)) return <span class="none">–</span>;
  return (
    <span class="finding-counts" title={`${plural(of.warning, "finding")} to act on, ${of.info} to look at`}>
      {of.warning > 0 && (
        <span class="warn">
          <span aria-hidden="true">▲</span>
          <span class="hidden">to act on: </span>
          {of.warning}
        </span>
      )}{" "}
      {of.info > 0 && (
        <span class="info">
          <span aria-hidden="true">●</span>
          <span class="hidden">to look at: </span>
          {of.info}
        </span>
      )}
    </span>
  );
}

/** The query with completion. The mistake that the server found is marked. */
export function QueryBox({ source, q, from, to, mistake, onQuery, label = "Query" }: { source: Source; q: string; from: string; to: string; mistake: Failure | null; onQuery: (q: string) => void; label?: string }) {
  const input = useRef<HTMLInputElement>(null);
  const id = label.toLowerCase().replaceAll(" ", "-");
  const [text, setText] = useState(q);
  const [list, setList] = useState<Suggestion[]>([]);
  const [at, setAt] = useState(-1);
  const pending = useRef<AbortController | null>(null);
  useEffect(() => setText(q), [q]);
  const ask = (value: string, position: number): void => {
    pending.current?.abort();
    const mine = (pending.current = new AbortController());
    const piece = typedAt(value, position);
    source.suggest({ prefix: piece.text, from, to }, mine.signal).then(
      (found) => {
        if (!mine.signal.aborted) {
          setList(found.slice(0, 12));
          setAt(-1);
        }
      },
      () => {},
    );
  };
  const close = (): void => {
    pending.current?.abort();
    setList([]);
    setAt(-1);
  };
  const take = (suggestion: Suggestion): void => {
    const position = input.current?.selectionStart ?? text.length;
    const piece = typedAt(text, position);
    const open = suggestion.text.endsWith(":");
    const made = text.slice(0, piece.start) + suggestion.text + (open ? "" : " ") + text.slice(piece.end).replace(/^\s+/, "");
    setText(made);
    close();
    requestAnimationFrame(() => {
      const end = piece.start + suggestion.text.length + (open ? 0 : 1);
      input.current?.setSelectionRange(end, end);
      if (open) ask(made, end);
    });
    if (!open) onQuery(made.trim());
  };
  return (
    <div class="query">
      <div class="query-box">
        <div class="query-mark" aria-hidden="true">
          {mistake?.at && q === text ? (
            <>
              {text.slice(0, mistake.at.start)}
              <u>{text.slice(mistake.at.start, Math.max(mistake.at.end, mistake.at.start + 1)) || " "}</u>
            </>
          ) : null}
        </div>
        <input
          ref={input}
          type="search"
          class="query-input"
          role="combobox"
          aria-label={label}
          aria-expanded={list.length > 0}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
          aria-invalid={mistake !== null}
          aria-describedby={`${id}-mistake`}
          placeholder="service:shop env:prod cpu:>2"
          spellcheck={false}
          autocomplete="off"
          list={undefined}
          value={text}
          onInput={(e) => {
            setText(e.currentTarget.value);
            ask(e.currentTarget.value, e.currentTarget.selectionStart ?? 0);
          }}
          onFocus={(e) => ask(e.currentTarget.value, e.currentTarget.selectionStart ?? 0)}
          onBlur={() => setTimeout(close, 150)}
          onKeyDown={(e) => {
            if (e.key === "ArrowDown" && list.length > 0) setAt((at + 1) % list.length);
            else if (e.key === "ArrowUp" && list.length > 0) setAt(at > 0 ? at - 1 : list.length - 1);
            else if ((e.key === "Tab" || e.key === "Enter") && at >= 0 && list[at]) take(list[at]);
            else if (e.key === "Tab" && list.length > 0 && typedAt(text, e.currentTarget.selectionStart ?? 0).text !== "") take(list[0]!);
            else if (e.key === "Escape") {
              if (list.length > 0) close();
              else e.currentTarget.blur();
            } else if (e.key === "Enter") {
              close();
              onQuery(text.trim());
            } else return;
            e.preventDefault();
          }}
        />
        {list.length > 0 && (
          <ul class="menu suggestions" id={`${id}-list`} role="listbox" aria-label="Completions">
            {list.map((s, i) => (
              <li
                key={s.text}
                id={`${id}-${i}`}
                role="option"
                aria-selected={i === at}
                onMouseDown={(e) => {
                  e.preventDefault();
                  take(s);
                }}
              >
                <bdi>{clip(visible(s.text), 120)}</bdi>
                <span class="quiet">{s.count !== undefined ? count(s.count) : s.kind}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
      <p id={`${id}-mistake`} class={mistake ? "danger mistake" : "hidden"} role={mistake ? "alert" : undefined}>
        {mistake && clip(visible(mistake.detail || mistake.title), 300)}
      </p>
    </div>
  );
}

export function TimePicker({ from, to, live }: { from: string; to: string; live?: boolean }) {
  const known = RANGES.some(([value]) => value === from) && !to;
  const [open, setOpen] = useState(false);
  const a = absolute(from);
  const b = absolute(to || "now");
  const [custom, setCustom] = useState({ from: "", to: "" });
  return (
    <div class="time">
      <button class="icon-button" aria-label="Earlier" title="Earlier" onClick={() => patch(shifted(from, to, -1))}>
        ‹
      </button>
      <select
        aria-label="Time"
        value={known ? from : "custom"}
        onChange={(e) => {
          if (e.currentTarget.value === "custom") {
            setCustom({ from: localInput(a), to: localInput(b) });
            setOpen(true);
          } else {
            setOpen(false);
            patch({ from: e.currentTarget.value === "now-1h" ? null : e.currentTarget.value, to: null });
          }
        }}
      >
        {RANGES.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
        <option value="custom">{known ? "From … to …" : spanText(from, to)}</option>
      </select>
      <button class="icon-button" aria-label="Later" title="Later" disabled={known} onClick={() => patch(shifted(from, to, 1))}>
        ›
      </button>
      {live !== undefined && (
        <button
          aria-pressed={live}
          class={live ? "live on" : "live"}
          title="Show new profiles as they arrive"
          onClick={() => patch({ live: live ? "0" : null, ...(to && { from: null, to: null }) })}
        >
          <span aria-hidden="true">●</span> Live
        </button>
      )}
      {open && (
        <form
          class="menu wide custom-time"
          onSubmit={(e) => {
            e.preventDefault();
            setOpen(false);
            patch(span(millis(custom.from), millis(custom.to)));
          }}
        >
          <label class="field">
            From
            <input type="datetime-local" required value={custom.from} max={custom.to} onInput={(e) => setCustom({ ...custom, from: e.currentTarget.value })} />
          </label>
          <label class="field">
            To
            <input type="datetime-local" required value={custom.to} min={custom.from} onInput={(e) => setCustom({ ...custom, to: e.currentTarget.value })} />
          </label>
          <button class="stay primary" type="submit">
            Show
          </button>{" "}
          <button class="stay" type="button" onClick={() => setOpen(false)}>
            Cancel
          </button>
        </form>
      )}
    </div>
  );
}

/** Profiles over time; dragging selects a range. */
function Histogram({ of, from, to, total }: { of: FacetsJson | null; from: string; to: string; total: number }) {
  const box = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<[number, number] | null>(null);
  const h = of?.histogram;
  const n = h?.counts.length ?? 0;
  const most = Math.max(1, ...(h?.counts ?? []));
  const start = h ? millis(h.start) : 0;
  const at = (event: PointerEvent): number => {
    const b = box.current!.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - b.left) / b.width));
  };
  const label = h ? `Profiles over time, ${plural(total, "profile")}, at most ${count(most)} in ${duration(h.step_ms * 1e6)}` : "Profiles over time";
  return (
    <div class="histogram">
      <div
        ref={box}
        class="histogram-bars"
        role="img"
        aria-label={label}
        onPointerDown={(e) => {
          (e.currentTarget as HTMLElement).setPointerCapture(e.pointerId);
          setDrag([at(e), at(e)]);
        }}
        onPointerMove={(e) => drag && setDrag([drag[0], at(e)])}
        onPointerUp={() => {
          if (drag && h && Math.abs(drag[1] - drag[0]) > 0.005) {
            const length = n * h.step_ms;
            patch(span(start + Math.min(...drag) * length, start + Math.max(...drag) * length));
          }
          setDrag(null);
        }}
        onPointerCancel={() => setDrag(null)}
      >
        <svg viewBox={`0 0 ${Math.max(n, 1)} 40`} preserveAspectRatio="none" width="100%" height="40" aria-hidden="true">
          {h?.counts.map((c, i) => c > 0 && <rect key={i} x={i + 0.08} width={0.84} y={40 - (c / most) * 38 - 1} height={(c / most) * 38 + 1} />)}
        </svg>
        {drag && <i class="histogram-range" style={{ left: `${Math.min(...drag) * 100}%`, width: `${Math.abs(drag[1] - drag[0]) * 100}%` }} />}
      </div>
      <div class="histogram-axis quiet" aria-hidden="true">
        <span>{when(absolute(from))}</span>
        <span>{h?.counts.some((c) => c > 0) ? `profiles per ${duration(h.step_ms * 1e6).replace(/^1 /, "")}, at most ${count(most)}; drag to select a time range` : ""}</span>
        <span>{when(absolute(to || "now"))}</span>
      </div>
    </div>
  );
}

function Facets({ of, q, source, from, to, onQuery }: { of: FacetsJson | null; q: string; source: Source; from: string; to: string; onQuery: (q: string) => void }) {
  const [open, setOpen] = useState(innerWidth > 900);
  return (
    <aside class="facets" aria-label="Facets">
      <button class="facets-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>
        Facets
      </button>
      {open && (
        <>
          {FACETS.map(([name, title]) => (
            <Facet key={name} {...{ name, title, q, source, from, to, onQuery }} of={of?.facets[name] ?? null} />
          ))}
          <Measure name="cpu" title="CPU cores" of={of?.measures?.["cpu_cores"] ?? null} q={q} onQuery={onQuery} show={(n) => n.toFixed(n < 10 ? 2 : 1)} write={(n) => String(Number(n.toPrecision(3)))} />
          <Measure
            name="alloc"
            title="Memory Allocation"
            of={of?.measures?.["alloc_rate"] ?? null}
            q={q}
            onQuery={onQuery}
            show={(n) => `${bytes(n)}/s`}
            write={(n) => `${Number((n / 2 ** 20).toPrecision(3))}MiB`}
          />
        </>
      )}
    </aside>
  );
}

function Facet({ name, title, of, q, source, from, to, onQuery }: { name: string; title: string; of: FacetsJson["facets"][string] | null; q: string; source: Source; from: string; to: string; onQuery: (q: string) => void }) {
  const [filter, setFilter] = useState("");
  const [top, setTop] = useState(0);
  const wide = useLoad(top > 0 ? JSON.stringify([name, q, from, to, top]) : "", (signal) => source.facets({ q, from, to, top, names: name }, signal));
  const { only, not } = chosen(q, name);
  const facet = wide.value?.facets[name] ?? of;
  const values = facet?.values ?? [];
  const listed = [...values, ...[...only, ...not].filter((v) => !v.includes("*") && !values.some((x) => x.value === v)).map((value) => ({ value, count: 0 }))];
  const many = values.length > 10 || (facet?.more ?? 0) > 0;
  const shown = listed.filter((v) => v.value.toLowerCase().includes(filter.toLowerCase())).slice(0, top || 12);
  if (facet !== null && listed.length === 0) return null;
  return (
    <fieldset class="facet">
      <legend>{title}</legend>
      {many && <input type="search" placeholder={`filter ${title.toLowerCase()}`} aria-label={`Filter values of ${title}`} value={filter} onInput={(e) => { setFilter(e.currentTarget.value); setTop((t) => t || 1000); }} />}
      {shown.map(({ value, count: n }) => {
        const isOnly = only.includes(value);
        const isNot = not.includes(value);
        const label = value === "" ? "–" : clip(visible(value), 60);
        return (
          <div class={`facet-value ${isNot ? "not" : ""}`} key={value}>
            <input
              type="checkbox"
              aria-label={`${title} ${label}`}
              checked={isOnly || (only.length === 0 && !isNot && not.length > 0)}
              onChange={() => onQuery(choose(q, name, isOnly ? only.filter((v) => v !== value) : [...only, value], not.filter((v) => v !== value)))}
            />
            <button
              class="plain"
              title="Click: only this. Alt-click: not this."
              onClick={(e) =>
                onQuery(
                  e.altKey
                    ? choose(q, name, only.filter((v) => v !== value), isNot ? not.filter((v) => v !== value) : [...not, value])
                    : choose(q, name, isOnly && only.length === 1 ? [] : [value], []),
                )
              }
            >
              <bdi>{label}</bdi>
            </button>
            <span class="quiet">{count(n)}</span>
          </div>
        );
      })}
      {listed.length > shown.length || (facet?.more ?? 0) > 0 ? (
        <button class="plain quiet more-values" onClick={() => setTop(1000)} disabled={top > 0}>
          {top > 0 ? "use the filter to see the rest" : `${count(listed.length - shown.length + (facet?.more ?? 0))} more`}
        </button>
      ) : null}
    </fieldset>
  );
}

/** A logarithmic scale where values differ much. */
const logarithmic = (min: number, max: number): boolean => min > 0 && max / min > 50;

/** Where a value is on a slider from 0 to 100. */
const placeOf = (min: number, max: number, v: number): number => (logarithmic(min, max) ? (Math.log(Math.max(v, min) / min) / Math.log(max / min)) * 100 : ((v - min) / (max - min)) * 100);

const within = (p: number): number => Math.max(0, Math.min(100, p));

/** A range of a measure, between its lowest and its highest value. The term of a measure does not narrow its own range. */
function Measure({ name, title, of: m, q, onQuery, show, write }: { name: string; title: string; of: { min: number | null; p50: number | null; p95: number | null; max: number | null } | null; q: string; onQuery: (q: string) => void; show: (n: number) => string; write: (n: number) => string }) {
  const [edge, setEdge] = useState<[number, number]>([0, 100]);
  const term = terms(q).find((t) => t.name === name && !t.negated);
  // The query is the only state: the sliders show its ranges.
  useEffect(() => {
    const [low, high] = bounds(term?.values[0] ?? "");
    if (m && m.min !== null && m.max !== null && m.max > m.min) setEdge([low === null ? 0 : within(placeOf(m.min, m.max, low)), high === null ? 100 : within(placeOf(m.min, m.max, high))]);
  }, [term?.text, m?.min, m?.max]);
  if (!m || m.max === null || m.min === null || m.max <= m.min) return null;
  const [min, max] = [m.min, m.max];
  const at = (p: number): number => (logarithmic(min, max) ? min * (max / min) ** (p / 100) : min + ((max - min) * p) / 100);
  const place = (v: number): number => placeOf(min, max, v);
  const commit = ([low, high]: [number, number]): void => {
    const text = low <= 0 && high >= 100 ? null : low <= 0 ? `<=${write(at(high))}` : high >= 100 ? `>=${write(at(low))}` : `[${write(at(low))} TO ${write(at(high))}]`;
    onQuery(range(q, name, text));
  };
  return (
    <fieldset class="facet measure">
      <legend>
        {title} {m.p50 !== null && <span class="quiet">median {show(m.p50)}</span>}
      </legend>
      {m.p50 !== null && m.p95 !== null && (
        <svg class="measure-scale" viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label={`${title}: median ${show(m.p50)}, 95th percentile ${show(m.p95)}, at most ${show(max)}`}>
          {distribution([0, place(m.p50), place(m.p95), 100]).map(({ x, width, height }, i) => (
            <rect key={i} x={x} width={width} y={20 - height * 20} height={height * 20}>
              <title>{[`half of the profiles: at most ${show(m.p50!)}`, `45 %: ${show(m.p50!)} to ${show(m.p95!)}`, `5 %: at least ${show(m.p95!)}`][i]}</title>
            </rect>
          ))}
        </svg>
      )}
      {([0, 1] as const).map((i) => (
        <input
          key={i}
          type="range"
          min={0}
          max={100}
          aria-label={`${title}, ${i === 0 ? "at least" : "at most"}`}
          aria-valuetext={show(at(edge[i]))}
          value={edge[i]}
          onInput={(e) => {
            const v = Number(e.currentTarget.value);
            setEdge(i === 0 ? [Math.min(v, edge[1]), edge[1]] : [edge[0], Math.max(v, edge[0])]);
          }}
          onChange={(e) => {
            const v = Number(e.currentTarget.value);
            commit(i === 0 ? [Math.min(v, edge[1]), edge[1]] : [edge[0], Math.max(v, edge[0])]);
          }}
        />
      ))}
      <div class="quiet measure-text">
        <span>{show(at(edge[0]))}</span>
        <span>{show(at(edge[1]))}</span>
      </div>
    </fieldset>
  );
}
