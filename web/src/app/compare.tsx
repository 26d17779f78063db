/** The comparison of two selections. Both are in the address. */
import { useState } from "preact/hooks";
import type { Failure, Source } from "../data/source.ts";
import type { Selection } from "../data/types.ts";
import { plural } from "../flame/format.ts";
import { clip, visible } from "../flame/text.ts";
import { DiffPanel } from "../panel/diff.tsx";
import { Bar, Show, useLoad } from "../ui/load.tsx";
import { Menu, Text, toast } from "../ui/parts.tsx";
import { go, usePlace } from "../ui/state.ts";
import { compareHref, compareVersions, queryOf, versionBefore, withVersionBefore } from "./comparisons.ts";
import { overview, selectionOf, several, type Overview } from "./merged.tsx";
import { QueryBox } from "./search.tsx";
import { absolute, localInput, millis, span, spanText, when } from "./time.ts";

function given(s: Selection): boolean {
  return !!s.profile?.length || !!s.q || !!s.from;
}

function label(s: Selection, o: Overview | null): string {
  if (!o) return s.q ?? "";
  const one = o.total === 1 ? o.rows[0] : undefined;
  if (one) return [one.service, one.version, one.host, when(one.start)].filter(Boolean).join(" ");
  return [s.q || several(o.rows, "service"), !s.q?.includes("version:") && several(o.rows, "version"), s.from && spanText(s.from, s.to ?? "").replace("Past", "past"), plural(o.total, "profile")].filter(Boolean).join(", ");
}

export function Compare({ source }: { source: Source }) {
  const { params } = usePlace();
  const a = selectionOf(params, "a.");
  const b = selectionOf(params, "b.");
  const ready = given(a) && given(b);
  const [edit, setEdit] = useState(!ready);
  const loadA = useLoad(given(a) ? JSON.stringify(a) : "", (signal) => overview(source, a, signal));
  const loadB = useLoad(given(b) ? JSON.stringify(b) : "", (signal) => overview(source, b, signal));
  const show = (x: Selection, y: Selection): void => go(compareHref(x, y, params));
  const preset = (ms: number): void => {
    // Of one profile: its service, in the ten minutes around it.
    const one = b.profile ? loadB.value?.rows[0] : undefined;
    const q = one ? queryOf(one) : (b.q ?? a.q);
    const from = one ? millis(one.start) - 300_000 : absolute(b.from ?? "now-1h");
    const to = one ? millis(one.end) + 300_000 : absolute(b.to ?? "now");
    show({ q, ...span(from - ms, to - ms) }, { q, ...span(from, to) });
    setEdit(false);
  };
  // Of the service that is compared, or of the one that sent the newest profile.
  const versions = async (): Promise<void> => {
    const known = (loadB.value ?? loadA.value)?.rows ?? (await source.profiles({ q: "", from: "now-7d", to: "", sort: "-start", limit: 100 })).rows;
    const newest = known.find((row) => row.version);
    const to = newest && (await withVersionBefore(source, newest, params));
    if (!to) {
      toast(newest ? `No other version of ${clip(visible(newest.service), 60)} in the 30 days before` : "No profile has a version");
      return;
    }
    go(to);
    setEdit(false);
  };
  return (
    <div class="compare">
      <div class="row merged-head">
        <h1>Compare</h1>
        <button onClick={() => show(b, a)} disabled={!given(a) && !given(b)}>
          ⇄ Swap
        </button>
        <button aria-expanded={edit} onClick={() => setEdit(!edit)}>
          {edit ? "Hide A and B" : "Change A and B"}
        </button>
        <Menu label="Presets ▾">
          <button onClick={() => preset(3_600_000)}>with one hour earlier</button>
          <button onClick={() => preset(86_400_000)}>with one day earlier</button>
          <button onClick={() => preset(7 * 86_400_000)}>with one week earlier</button>
          <button onClick={() => void versions().catch((e: Error) => toast(e.message))}>with the previous version</button>
        </Menu>
      </div>
      {edit && (
        <div class="sides-edit">
          <SideEdit source={source} side="A" of={a} overview={loadA.value} failure={loadA.failure} on={(to) => show(to, b)} />
          <SideEdit source={source} side="B" of={b} overview={loadB.value} failure={loadB.failure} on={(to) => show(a, to)} />
        </div>
      )}
      <Bar of={loadA.loading ? loadA : loadB} />
      {[loadA, loadB].map((load, i) => (
        // A mistake in a query is marked at the query.
        <Show key={i} of={edit && load.failure?.status === 400 ? { ...load, failure: null } : load}>
          {(o) => given([a, b][i]!) && o.total === 0 && <p class="note">{"AB"[i]}: no profiles match.</p>}
        </Show>
      ))}
      {!ready && <Offers source={source} onPick={() => setEdit(false)} />}
      {ready && loadA.value && loadB.value && loadA.value.total > 0 && loadB.value.total > 0 && (
        <DiffPanel
          source={source}
          a={a}
          b={b}
          types={loadB.value.types.filter((t) => loadA.value!.types.some((u) => u.type === t.type && !u.absent))}
          labels={{ a: label(a, loadA.value), b: label(b, loadB.value) }}
        />
      )}
    </div>
  );
}

/** Shown until something is chosen: what each service can be compared with. */
function Offers({ source, onPick }: { source: Source; onPick: () => void }) {
  const loaded = useLoad("offers", (signal) => source.profiles({ q: "", from: "now-7d", to: "", sort: "-start", limit: 500 }, signal));
  return (
    <Show of={loaded}>
      {({ rows }) => {
        const services = [...new Map(rows.map((row) => [`${row.service}\n${row.env}`, row])).keys()].map((key) => rows.filter((row) => `${row.service}\n${row.env}` === key));
        if (services.length === 0) return <p class="note">There are no profiles to compare from the last 7 days.</p>;
        return (
          <section class="offers" aria-label="Comparisons to start with" onClick={(e) => (e.target as HTMLElement).closest("a") && onPick()}>
            <h2 class="section-title">Start with</h2>
            <ul>
              {services.slice(0, 20).map((list) => {
                const newest = list[0]!;
                const versions = versionBefore(list);
                const at = millis(newest.end);
                const hour = (from: number): Selection => ({ q: queryOf(newest), ...span(from, from + 3_600_000) });
                return (
                  <li key={`${newest.service} ${newest.env}`}>
                    <strong>
                      <Text of={newest.service} most={60} />
                      {newest.env && <span class="quiet"> {clip(visible(newest.env), 40)}</span>}
                    </strong>
                    {versions && (
                      <a href={compareVersions(versions, "now-7d", "")}>
                        version {clip(visible(versions[1].version), 24)} → {clip(visible(newest.version), 24)}
                      </a>
                    )}
                    {list.length > 1 && <a href={compareHref({ profile: [list[1]!.id] }, { profile: [newest.id] })}>the last two profiles</a>}
                    <a href={compareHref(hour(at - 7_200_000), hour(at - 3_600_000))}>the last hour and the one before</a>
                  </li>
                );
              })}
            </ul>
            <p class="quiet">Or write a query and a time range for A and for B above, select two rows in the search, or use the Compare menu of a profile.</p>
          </section>
        );
      }}
    </Show>
  );
}

function SideEdit({ source, side, of, overview: o, failure, on }: { source: Source; side: "A" | "B"; of: Selection; overview: Overview | null; failure: Failure | null; on: (to: Selection) => void }) {
  const from = of.from ? localInput(absolute(of.from)) : "";
  const to = of.to ? localInput(absolute(of.to)) : "";
  return (
    <fieldset class="side-edit">
      <legend>{side}</legend>
      {of.profile?.length ? (
        <p class="row">
          <bdi>{clip(visible(label(of, o)), 120)}</bdi>
          <button class="small" onClick={() => on({ q: o?.rows[0] && queryOf(o.rows[0]), from: "now-1h" })}>
            Use a query
          </button>
        </p>
      ) : (
        <>
          <QueryBox source={source} q={of.q ?? ""} from={of.from ?? ""} to={of.to ?? ""} mistake={failure?.status === 400 ? failure : null} label={`Query of ${side}`} onQuery={(q) => on({ ...of, q, from: of.from ?? "now-1h" })} />
          <div class="row">
            <label class="pick">
              from
              <input type="datetime-local" value={from} onChange={(e) => e.currentTarget.value && on({ ...of, from: new Date(e.currentTarget.value).toISOString() })} />
            </label>
            <label class="pick">
              to
              <input type="datetime-local" value={to} onChange={(e) => on({ ...of, to: e.currentTarget.value && new Date(e.currentTarget.value).toISOString() })} />
            </label>
            {o && <span class="quiet">{plural(o.total, "profile")}</span>}
          </div>
        </>
      )}
    </fieldset>
  );
}
