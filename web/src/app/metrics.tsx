/** All profiles of the same service as time series. One cursor for all charts; this profile's window is shaded. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Source } from "../data/source.ts";
import type { MetricsJson, ProfileDetail } from "../data/types.ts";
import { count, plural, value as show } from "../flame/format.ts";
import { clip, visible } from "../flame/text.ts";
import { Bar, Show, useLoad } from "../ui/load.tsx";
import { go, href, patch, usePlace, useTheme } from "../ui/state.ts";
import { queryOf } from "./comparisons.ts";
import { atLeast, hasCourse, wholeOf } from "./measured.ts";
import { around, localInput, millis, span, when, clock } from "./time.ts";

/** Lines that people with a color vision deficiency can distinguish (after Okabe and Ito), at least 3:1 on the page. */
const LINES = {
  light: ["#0b57d0", "#a64b00", "#00735c", "#a2437f", "#5f5c00", "#7a3fc4", "#006f9e", "#b3261e"],
  dark: ["#8ab4ff", "#ffb057", "#4fd1ab", "#f2a0d0", "#e3d958", "#c5a3ff", "#6fc6f2", "#ff9b93"],
};

const GROUPS: [string, RegExp][] = [
  ["CPU and threads", /^(cpu|wall|threads|context|compile|safepoint|goroutines|native|go_num)/],
  ["Memory", /^(alloc|heap|metaspace|rss|go_alloc|go_frees|go_heap|classes)/],
  ["Garbage collection", /^(gc|go_gc|go_max)/],
  ["Waiting and errors", /^(lock|file|socket|exceptions)/],
];

/** Steps of an axis of bytes: 1, 2, 4 … 512 of each unit. */
const BINARY = Array.from({ length: 50 }, (_, i) => 2 ** i);

type Metric = MetricsJson["metrics"][number];

export function Metrics({ source, profile }: { source: Source; profile: ProfileDetail }) {
  const { params } = usePlace();
  const start = millis(profile.start);
  const end = millis(profile.end);
  // Once for each profile: a range that moves would load again and again.
  const hour = useMemo(() => around(start, end), [start, end]);
  const from = params.get("mfrom") ?? profile.metrics_from ?? hour.from;
  const to = params.get("mto") ?? profile.metrics_to ?? hour.to;
  const by = params.get("by") === "version" || params.get("by") === "none" ? params.get("by")! : "host";
  const query = { service: profile.service, env: profile.env, from, to, by };
  const loaded = useLoad(JSON.stringify(query), (signal) => source.metrics(query, signal));
  const [cursor, setCursor] = useState<number | null>(null);
  const points = loaded.value?.metrics ?? [];
  const lines = useMemo(() => {
    const names = new Set<string>();
    for (const metric of points) for (const s of metric.series) names.add(keyOf(s.key));
    return [...names].sort();
  }, [points]);
  const profiles = Math.max(0, ...points.map((m) => m.series.reduce((n, s) => n + s.points.length, 0)));
  return (
    <div class="metrics">
      <div class="row metrics-head">
        <span>
          {source.server ? "All profiles of " : "Over time: "}
          <strong>
            <bdi>{clip(visible(profile.service), 60)}</bdi>
            {profile.env && <bdi> · {clip(visible(profile.env), 40)}</bdi>}
          </strong>
        </span>
        {source.server && (
          <>
            <label class="pick">
              from
              <input type="datetime-local" value={localInput(millis(from))} onChange={(e) => e.currentTarget.value && patch({ mfrom: new Date(e.currentTarget.value).toISOString() })} />
            </label>
            <label class="pick">
              to
              <input type="datetime-local" value={localInput(millis(to))} onChange={(e) => e.currentTarget.value && patch({ mto: new Date(e.currentTarget.value).toISOString() })} />
            </label>
            <label class="pick">
              lines by
              <select value={by} onChange={(e) => patch({ by: e.currentTarget.value === "host" ? null : e.currentTarget.value })}>
                <option value="host">host</option>
                <option value="version">version</option>
                <option value="none">none</option>
              </select>
            </label>
            {(params.has("mfrom") || params.has("mto")) && (
              <>
                <a class="button" href={href("/profiles", { q: queryOf(profile), from, to })}>
                  Search these profiles
                </a>
                <button onClick={() => patch({ mfrom: null, mto: null })}>Show the hour around this profile</button>
              </>
            )}
          </>
        )}
        <span class="grow" />
        <span class="quiet" hidden={!source.server}>
          {lines.length > 0 && by !== "none" && `${plural(lines.length, by)}, `}
          {loaded.value && plural(profiles, "point")}
        </span>
      </div>
      <Bar of={loaded} />
      <Show of={loaded}>
        {(data) =>
          data.metrics.length === 0 ? (
            <p class="note">No metrics from this service in this time range.</p>
          ) : (
            <>
              <p class="quiet cursor-line" aria-hidden="true">
                {cursor !== null ? clock(cursor) : when(start)}
                {source.server && profiles > 1 && " · ▒ this profile · click a point to open its profile, drag to select a time range"}
                <span class="key">
                  {lines.length > 1 || (lines[0] ?? "") !== ""
                    ? lines.slice(0, 20).map((name, i) => <Key key={name} name={name} at={i} />)
                    : null}
                </span>
              </p>
              <div class="groups">
              {[...GROUPS, ["Other", /./] as [string, RegExp]].map(([title, pattern], g) => {
                const list = data.metrics.filter((m) => pattern.test(m.name) && !GROUPS.slice(0, g).some(([, p]) => p.test(m.name)));
                return (
                  list.length > 0 && (
                    <section key={title} aria-label={title}>
                      <h2 class="section-title">{title}</h2>
                      <div class="charts">
                        {list.map((metric) => {
                          const Shown = hasCourse(metric, source.server) ? Chart : Single;
                          return <Shown key={metric.name} {...{ metric, profile, lines, start, end, from: millis(from), to: millis(to) }} onCursor={setCursor} pick={source.server} />;
                        })}
                      </div>
                    </section>
                  )
                );
              })}
              </div>
            </>
          )
        }
      </Show>
    </div>
  );
}

function keyOf(key: Record<string, string>): string {
  return Object.values(key).join(" ");
}

function Key({ name, at }: { name: string; at: number }) {
  const theme = useTheme();
  return (
    <span>
      <i style={{ background: LINES[theme][at % 8] }} />
      {clip(visible(name || "–"), 40)}
    </span>
  );
}

interface Of {
  metric: Metric;
  profile: ProfileDetail;
  lines: string[];
  start: number;
  end: number;
  from: number;
  to: number;
  onCursor: (time: number | null) => void;
  pick: boolean;
}

/** The number of a metric while no point is selected: what it belongs to, and the value. */
function main({ metric, profile, lines, pick }: Of, last: (number | null)[]): [string, string] {
  const whole = wholeOf(metric, profile);
  if (whole) return [pick || lines.length > 1 ? "this profile" : "", atLeast(whole.value, metric.unit, whole.atLeast)];
  return ["last", text(last, lines, metric.unit)];
}

function Caption({ metric, of: [label, value] }: { metric: Metric; of: [string, string] }) {
  return (
    <figcaption>
      <span title={clip(visible(metric.how), 500)}>{clip(visible(metric.title), 60)}</span>
      <span class="chart-now">
        {label && <span class="quiet">{label} </span>}
        <strong>{value}</strong>
      </span>
    </figcaption>
  );
}

/** A metric without points over time: its number, and what it means. */
function Single(props: Of) {
  const { metric, lines } = props;
  const { values } = table(metric, lines);
  const last = lastOf(values);
  return (
    <figure class="chart">
      <Caption metric={metric} of={main(props, last)} />
      <p class="quiet">
        {lines.length > 1 && last.map((v, i) => v !== null && `${visible(lines[i]!)}: ${show(v, metric.unit)}. `)}
        {clip(visible(metric.how), 500)}
      </p>
    </figure>
  );
}

function lastOf(values: (number | null)[][]): (number | null)[] {
  return values.map((series) => series.findLast((v) => v !== null) ?? null);
}

function Chart(props: Of) {
  const { metric, lines, start, end, from, to, onCursor, pick } = props;
  const box = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  const [at, setAt] = useState<{ time: number; values: (number | null)[] } | null>(null);
  const [said, setSaid] = useState("");
  const data = useMemo(() => table(metric, lines), [metric, lines]);
  const unit = metric.unit;
  const now = main(props, lastOf(data.values));
  const known = data.values.flat().filter((v): v is number => v !== null);
  useEffect(() => {
    const host = box.current!;
    const style = getComputedStyle(document.documentElement);
    const color = (name: string): string => style.getPropertyValue(name).trim();
    const width = Math.max(160, host.clientWidth);
    const options: uPlot.Options = {
      width,
      height: 120,
      padding: [8, 18, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: "metrics", setSeries: false }, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
      select: { show: true, left: 0, top: 0, width: 0, height: 0 },
      scales: { x: { time: true, range: [from / 1000, to / 1000] }, y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.08 : 1] } },
      axes: [
        { stroke: color("--quiet"), grid: { show: false }, ticks: { stroke: color("--line"), size: 4 }, size: 24, font: "11px system-ui, sans-serif", space: 64, values: (_u, splits) => splits.map((s) => clock(s * 1000).slice(0, to - from < 6e5 ? 8 : 5)) },
        { stroke: color("--quiet"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false }, size: 62, incrs: unit.startsWith("bytes") ? BINARY : undefined, font: "11px system-ui, sans-serif", space: 36, values: (_u, splits) => splits.map((s) => show(s, unit === "cores" ? "" : unit)) },
      ],
      series: [
        {},
        ...lines.map((_, i) => ({ stroke: LINES[theme][i % 8]!, width: 1.5, points: { show: data.times.length < 80, size: 4 }, spanGaps: false })),
      ],
      hooks: {
        drawClear: [
          (u) => {
            if (!pick) return;
            const left = u.valToPos(start / 1000, "x", true);
            const right = u.valToPos(end / 1000, "x", true);
            u.ctx.fillStyle = color("--accent-bg");
            u.ctx.fillRect(left, u.bbox.top, Math.max(3, right - left), u.bbox.height);
          },
        ],
        setCursor: [
          (u) => {
            const index = u.cursor.idx;
            if (index === null || index === undefined || (u.cursor.left ?? -1) < 0) {
              setAt(null);
              onCursor(null);
              return;
            }
            const time = data.times[index]! * 1000;
            onCursor(time);
            setAt({ time, values: data.values.map((series) => series[index] ?? null) });
          },
        ],
        setSelect: [
          (u) => {
            if (u.select.width < 4 || !pick) return;
            const at = (x: number): number => u.posToVal(x, "x") * 1000;
            const range = span(at(u.select.left), at(u.select.left + u.select.width));
            patch({ mfrom: range.from, mto: range.to });
          },
        ],
      },
    };
    const plot = new uPlot(options, [data.times, ...data.values] as uPlot.AlignedData, host);
    // A click, not the end of a drag, opens the profile of the nearest line's point.
    let down = 0;
    const press = (event: PointerEvent): void => void (down = event.clientX);
    const click = (event: MouseEvent): void => {
      const index = plot.cursor.idx;
      if (Math.abs(event.clientX - down) > 3 || index === null || index === undefined) return;
      const y = plot.cursor.top ?? 0;
      let best = -1;
      let distance = Infinity;
      data.values.forEach((series, i) => {
        const v = series[index];
        if (v === null || v === undefined) return;
        const d = Math.abs(plot.valToPos(v, "y") - y);
        if (d < distance) {
          distance = d;
          best = i;
        }
      });
      const id = best >= 0 ? data.ids[best]![index] : undefined;
      if (id) go(href(`/profiles/${id}`, { tab: "metrics" }));
    };
    plot.over.addEventListener("pointerdown", press);
    plot.over.addEventListener("click", click);
    // By keyboard: left and right along a line, up and down to another line, Enter opens the point's profile.
    let line = 0;
    let index = -1;
    const keys = (event: KeyboardEvent): void => {
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: 0, ArrowDown: 0, Escape: 0, Enter: 0 }[event.key];
      if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      if (event.key === "Escape") {
        index = -1;
        plot.setCursor({ left: -10, top: -10 });
        return;
      }
      if (event.key === "Enter") {
        const id = pick ? data.ids[line]?.[index] : undefined;
        if (id) go(href(`/profiles/${id}`, { tab: "metrics" }));
        return;
      }
      // It begins at this profile.
      if (index < 0) index = Math.max(0, data.times.findLastIndex((t) => t * 1000 <= end));
      else if (step === 0) line = (line + (event.key === "ArrowUp" ? data.values.length - 1 : 1)) % data.values.length;
      const series = data.values[line] ?? [];
      for (let at = index + step; at >= 0 && at < series.length; at += step || series.length) {
        const v = series[at];
        if (v === null || v === undefined) continue;
        index = at;
        break;
      }
      plot.setCursor({ left: plot.valToPos(data.times[index]!, "x"), top: plot.valToPos(series[index] ?? 0, "y") });
      setSaid(`${clock(data.times[index]! * 1000)} ${visible(lines[line] ?? "")} ${show(series[index] ?? 0, unit)}`);
    };
    host.addEventListener("keydown", keys);
    const observer = new ResizeObserver(() => {
      const now = Math.max(160, host.clientWidth);
      if (now !== plot.width) plot.setSize({ width: now, height: 120 });
    });
    observer.observe(host);
    return () => {
      observer.disconnect();
      host.removeEventListener("keydown", keys);
      plot.destroy();
    };
  }, [data, theme, start, end, from, to]);
  const summary = `${metric.title}: ${known.length ? `${now.join(" ").trim()}; ${show(Math.min(...known), unit)} to ${show(Math.max(...known), unit)} over time` : "no values"}`;
  return (
    <figure class="chart">
      <Caption metric={metric} of={at ? [clock(at.time), text(at.values, lines, unit)] : now} />
      <div ref={box} class="chart-box" tabIndex={0} role="application" aria-roledescription="chart" aria-label={clip(`${summary}. ${visible(metric.how)}. Arrow keys go from point to point${pick ? ", Enter opens the profile" : ""}.`, 700)} />
      <p class="hidden" role="status">
        {said}
      </p>
    </figure>
  );
}

function text(values: (number | null)[], lines: string[], unit: string): string {
  const known = values.map((v, i) => [v, lines[i] ?? ""] as const).filter((x): x is [number, string] => x[0] !== null);
  if (known.length === 0) return "";
  if (known.length === 1) return show(known[0]![0], unit);
  const shown = known.slice(0, 3).map(([v]) => show(v, unit));
  return shown.join(" · ") + (known.length > 3 ? ` · ${count(known.length - 3)} more` : "");
}

/** Points of all lines on one time axis. */
function table(metric: Metric, lines: string[]): { times: number[]; values: (number | null)[][]; ids: (string | undefined)[][] } {
  const times = [...new Set(metric.series.flatMap((s) => s.points.map((p) => millis(p[0]) / 1000)))].sort((x, y) => x - y);
  const place = new Map(times.map((t, i) => [t, i]));
  const values = lines.map(() => new Array<number | null>(times.length).fill(null));
  const ids = lines.map(() => new Array<string | undefined>(times.length).fill(undefined));
  for (const s of metric.series) {
    const at = lines.indexOf(keyOf(s.key));
    if (at < 0) continue;
    for (const p of s.points) {
      const i = place.get(millis(p[0]) / 1000)!;
      values[at]![i] = p[2];
      ids[at]![i] = p[4];
    }
  }
  return { times, values, ids };
}
