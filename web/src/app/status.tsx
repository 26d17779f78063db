/** How the server is doing. */
import { useEffect, useRef } from "preact/hooks";
import type { Source } from "../data/source.ts";
import { bytes, count, duration, percent, plain, plural } from "../flame/format.ts";
import { clip, visible } from "../flame/text.ts";
import { Gauge } from "../panel/functions.tsx";
import { Bar, Show, useLoad } from "../ui/load.tsx";
import { Text } from "../ui/parts.tsx";
import { href } from "../ui/state.ts";
import { ReceivedLink } from "./search.tsx";
import { millis, utc, when } from "./time.ts";

interface Answer {
  version?: string;
  started?: string;
  read_only?: boolean;
  listen?: string[] | string;
  profiles?: { total: number; ready: number; failed: number; waiting: number; oldest?: string | null };
  uploads?: { protocol: string; code: number; count: number }[];
  spool?: { uploads: number; bytes: number; max: number };
  queue?: { waiting: number; working: number };
  workers?: number;
  disk?: { received: number; derived: number; max: number; free: number; size: number; full?: boolean };
  retention?: { keep_ms: number; keep_received_ms: number };
  overload?: string | null;
  forward?: { to: string; queue: number; bytes: number; state: { sent: number; failed: number; dropped: number; last_error: string | null } } | null;
  /** Profiles of an older version that are yet to be derived again. */
  renewals?: number;
  memory?: number | null;
  failures?: { at: string; kind: string; id?: string | null; reason: string }[];
}

export function Status({ source }: { source: Source }) {
  const loaded = useLoad("status", (signal) => source.status(signal) as Promise<Answer>);
  useEffect(() => {
    const timer = setInterval(loaded.again, 5000);
    return () => clearInterval(timer);
  }, []);
  return (
    <div class="status">
      <h1>Status</h1>
      <Bar of={{ ...loaded, loading: loaded.loading && loaded.value === null }} />
      <Show of={loaded}>{(s) => <Shown s={s} source={source} />}</Show>
    </div>
  );
}

/** How far back the counts of uploads are kept, to compute a rate. */
const RECENT = 5 * 60_000;

function Shown({ s, source }: { s: Answer; source: Source }) {
  const used = (s.disk?.received ?? 0) + (s.disk?.derived ?? 0);
  // The server counts since its start; its earlier responses give the rate of the last minutes.
  const seen = useRef<{ at: number; counts: Map<string, number> }[]>([]);
  const now = Date.now();
  const keyOf = (u: { protocol: string; code: number }): string => `${u.protocol} ${u.code}`;
  useEffect(() => {
    seen.current = [...seen.current.filter((o) => o.at > now - RECENT), { at: now, counts: new Map((s.uploads ?? []).map((u) => [keyOf(u), u.count])) }];
  }, [s]);
  const first = seen.current[0];
  const recent = first && now - first.at > 55_000 ? first : null;
  const perMinute = (u: { protocol: string; code: number; count: number }): string => {
    const since = recent?.at ?? (s.started ? millis(s.started) : now);
    const n = u.count - (recent?.counts.get(keyOf(u)) ?? 0);
    return plain(n / Math.max(1, (now - since) / 60_000));
  };
  return (
    <>
      {s.disk?.full && (
        <p class="problem" role="alert">
          The disk is nearly full. Uploads are rejected with 503 until there is space.
        </p>
      )}
      {s.overload && (
        <p class="problem" role="alert">
          {clip(visible(String(s.overload)), 200)}
        </p>
      )}
      <div class="cards">
        <Card title="Profiles">
          <Fact name="total" value={count(s.profiles?.total ?? 0)} />
          <Fact name="ready" value={count(s.profiles?.ready ?? 0)} />
          <Fact name="in progress" value={count(s.profiles?.waiting ?? 0)} />
          <Fact name="failed" value={<a href={href("/profiles", { q: "status:failed", from: "now-30d" })}>{count(s.profiles?.failed ?? 0)}</a>} />
          {s.profiles?.oldest && <Fact name="oldest" value={<span title={utc(s.profiles.oldest)}>{when(s.profiles.oldest)}</span>} />}
        </Card>
        <Card title="Work">
          <Fact name="waiting in the spool" value={`${plural(s.spool?.uploads ?? 0, "upload")}, ${bytes(s.spool?.bytes ?? 0)}`} />
          <Fact name="workers" value={`${count(s.queue?.working ?? 0)} of ${count(s.workers ?? 0)} busy`} />
          <Fact name="queue" value={count(s.queue?.waiting ?? 0)} />
          {s.renewals ? <Fact name="to be derived again" value={plural(s.renewals, "profile")} /> : null}
          {s.memory ? <Fact name="memory" value={bytes(s.memory)} /> : null}
        </Card>
        {s.disk && (
          <Card
            title="Disk"
            head={
              <div class="meter" role="img" aria-label={`${bytes(used)} of ${bytes(s.disk.max)} used`}>
                <Gauge share={used / (s.disk.max || 1)} />
              </div>
            }
          >
            <Fact name="used" value={`${bytes(used)} of ${bytes(s.disk.max)} (${percent(used / (s.disk.max || 1))})`} />
            <Fact name="received" value={bytes(s.disk.received)} />
            <Fact name="derived" value={bytes(s.disk.derived)} />
            <Fact name="free on disk" value={bytes(s.disk.free)} />
            {s.retention && (
              <>
                <Fact name="profiles kept for" value={duration(s.retention.keep_ms * 1e6)} />
                <Fact name="recordings kept for" value={duration(s.retention.keep_received_ms * 1e6)} />
                {s.profiles?.oldest && (
                  <Fact name="deleted next" value={used > 0.9 * s.disk.max ? `the oldest, once ${bytes(s.disk.max)} are used` : <span title={utc(millis(s.profiles.oldest) + s.retention.keep_ms)}>{`the oldest, ${when(millis(s.profiles.oldest) + s.retention.keep_ms)}`}</span>} />
                )}
              </>
            )}
          </Card>
        )}
        <Card title="Server">
          <Fact name="version" value={s.version ?? "–"} />
          {s.started && <Fact name="started" value={<span title={utc(s.started)}>{when(s.started)}</span>} />}
          {s.listen && <Fact name="listens on" value={clip(visible([s.listen].flat().join(", ")), 120)} />}
          {s.read_only && <Fact name="mode" value="read only" />}
          {!s.forward && <Fact name="forwarding" value="off" />}
        </Card>
        {s.forward && (
          <Card title="Forwarding">
            <Fact name="to" value={clip(visible(s.forward.to), 80)} />
            <Fact name="waiting" value={`${plural(s.forward.queue, "upload")}, ${bytes(s.forward.bytes)}`} />
            <Fact name="sent" value={count(s.forward.state.sent)} />
            <Fact name="failed attempts" value={count(s.forward.state.failed)} />
            <Fact name="dropped" value={count(s.forward.state.dropped)} />
            {s.forward.state.last_error && <Fact name="last error" value={clip(visible(s.forward.state.last_error), 200)} />}
          </Card>
        )}
      </div>
      {s.uploads && s.uploads.length > 0 && (
        <section aria-label="Uploads since the server started">
          <h2 class="section-title">Uploads since the server started</h2>
          <table class="data narrow">
            <thead>
              <tr>
                <th scope="col">Protocol</th>
                <th scope="col" class="number">Status</th>
                <th scope="col" class="number">Uploads</th>
                <th scope="col" class="number">Per minute</th>
              </tr>
            </thead>
            <tbody>
              {s.uploads.map((u) => (
                <tr key={u.protocol + u.code}>
                  <td>{clip(visible(u.protocol), 40)}</td>
                  <td class="number">{u.code}</td>
                  <td class="number">{count(u.count)}</td>
                  <td class="number" title={recent ? "over the last minutes" : "average since the server started"}>{perMinute(u)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      <section aria-label="Last failures">
        <h2 class="section-title">Last failures</h2>
        {!s.failures || s.failures.length === 0 ? (
          <p class="quiet">None since the server started.</p>
        ) : (
          <div class="scroll-x" tabIndex={0}>
            <table class="data">
              <thead>
                <tr>
                  <th scope="col">Time</th>
                  <th scope="col">Kind</th>
                  <th scope="col">Reason</th>
                  <th scope="col">Profile</th>
                </tr>
              </thead>
              <tbody>
                {s.failures.map((f, i) => (
                  <tr key={i}>
                    <td title={utc(f.at)}>{when(f.at)}</td>
                    <td>{clip(visible(f.kind), 40)}</td>
                    <td class="wrap">
                      <Text of={f.reason} most={300} />
                    </td>
                    <td>
                      {f.id ? (
                        <>
                          <a href={href(`/profiles/${f.id}`)}>open</a> <ReceivedLink id={f.id} source={source} />
                        </>
                      ) : (
                        <span class="none">–</span>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
    </>
  );
}

function Card({ title, head, children }: { title: string; head?: preact.ComponentChildren; children: preact.ComponentChildren }) {
  return (
    <section class="card" aria-label={title}>
      <h2>{title}</h2>
      {head}
      <dl>{children}</dl>
    </section>
  );
}

function Fact({ name, value }: { name: string; value: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
