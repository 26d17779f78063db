/** The comparison of two selections. Both are in the address. */
import { useState } from "preact/hooks";
import type { Source } from "../data/source.ts";
import type { Selection } from "../data/types.ts";
import { plural } from "../flame/format.ts";
import { clip, visible } from "../flame/text.ts";
import { DiffPanel } from "../panel/diff.tsx";
import { Bar, Show, useLoad } from "../ui/load.tsx";
import { Menu } from "../ui/parts.tsx";
import { patch, usePlace } from "../ui/state.ts";
import { overview, selectionOf, several, type Overview } from "./merged.tsx";
import { QueryBox } from "./search.tsx";
import { absolute, localInput, when } from "./time.ts";

function given(s: Selection): boolean {
  return !!s.profile?.length || !!s.q || !!s.from;
}

function label(s: Selection, o: Overview | null): string {
  if (!o) return s.q ?? "";
  const one = o.total === 1 ? o.rows[0] : undefined;
  if (one) return [one.service, one.version, one.host, when(one.start)].filter(Boolean).join(" ");
  return [s.q || several(o.rows, "service"), !s.q?.includes("version:") && several(o.rows, "version"), plural(o.total, "profile")].filter(Boolean).join(", ");
}

export function Compare({ source }: { source: Source }) {
  const { params } = usePlace();
  const a = selectionOf(params, "a.");
  const b = selectionOf(params, "b.");
  const ready = given(a) && given(b);
  const [edit, setEdit] = useState(!ready);
  const loadA = useLoad(given(a) ? JSON.stringify(a) : "", (signal) => overview(source, a, signal));
  const loadB = useLoad(given(b) ? JSON.stringify(b) : "", (signal) => overview(source, b, signal));
  const swap = (): void => {
    const change: Record<string, string | string[] | null> = {};
    for (const key of ["profile", "q", "from", "to"]) {
      const [x, y] = [params.getAll(`a.${key}`), params.getAll(`b.${key}`)];
      change[`a.${key}`] = y.length > 0 ? y : null;
      change[`b.${key}`] = x.length > 0 ? x : null;
    }
    patch({ ...change, zoom: null });
  };
  const preset = (ms: number): void => {
    const q = b.q ?? a.q ?? "";
    const from = absolute(b.from ?? "now-1h");
    const to = absolute(b.to ?? "now");
    patch({
      "a.profile": null,
      "a.q": q,
      "a.from": new Date(from - ms).toISOString(),
      "a.to": new Date(to - ms).toISOString(),
      "b.profile": null,
      "b.q": q,
      "b.from": new Date(from).toISOString(),
      "b.to": new Date(to).toISOString(),
      zoom: null,
    });
    setEdit(false);
  };
  const versions = (): void => {
    const rows = loadB.value?.rows ?? loadA.value?.rows ?? [];
    const newest = rows[0];
    const other = rows.find((row) => row.version && row.version !== newest?.version);
    if (!newest || !other) return;
    const base = `service:"${newest.service}"`;
    patch({ "a.profile": null, "b.profile": null, "a.q": `${base} version:"${other.version}"`, "b.q": `${base} version:"${newest.version}"`, zoom: null });
  };
  return (
    <div class="compare">
      <div class="row merged-head">
        <h1>Compare</h1>
        <button onClick={swap} disabled={!given(a) && !given(b)}>
          ⇄ Swap
        </button>
        <button aria-expanded={edit} onClick={() => setEdit(!edit)}>
          {edit ? "Hide A and B" : "Change A and B"}
        </button>
        <Menu label="Presets ▾">
          <button onClick={() => preset(3_600_000)}>with one hour earlier</button>
          <button onClick={() => preset(86_400_000)}>with one day earlier</button>
          <button onClick={() => preset(7 * 86_400_000)}>with one week earlier</button>
          <button onClick={versions}>with the previous version</button>
        </Menu>
      </div>
      {edit && (
        <div class="sides-edit">
          <SideEdit source={source} side="a" of={a} overview={loadA.value} />
          <SideEdit source={source} side="b" of={b} overview={loadB.value} />
        </div>
      )}
      <Bar of={loadA.loading ? loadA : loadB} />
      <Show of={loadA}>{(o) => o.total === 0 && <p class="note">A: no profiles match.</p>}</Show>
      <Show of={loadB}>{(o) => o.total === 0 && <p class="note">B: no profiles match.</p>}</Show>
      {!ready && <p class="note">Choose a query and a time range for A and for B, or open a profile and use its Compare menu.</p>}
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

function SideEdit({ source, side, of, overview: o }: { source: Source; side: "a" | "b"; of: Selection; overview: Overview | null }) {
  const from = of.from ? localInput(absolute(of.from)) : "";
  const to = of.to ? localInput(absolute(of.to)) : "";
  const set = (key: string, value: string): void => patch({ [`${side}.profile`]: null, [`${side}.${key}`]: value, zoom: null });
  return (
    <fieldset class="side-edit">
      <legend>{side.toUpperCase()}</legend>
      {of.profile?.length ? (
        <p class="row">
          <bdi>{clip(visible(label(of, o)), 120)}</bdi>
          <button class="small" onClick={() => patch({ [`${side}.profile`]: null, [`${side}.q`]: o?.rows[0] ? `service:"${o.rows[0].service}"` : "", [`${side}.from`]: "now-1h" })}>
            Use a query
          </button>
        </p>
      ) : (
        <>
          <QueryBox source={source} q={of.q ?? ""} from={of.from ?? ""} to={of.to ?? ""} mistake={null} label={`Query of ${side.toUpperCase()}`} onQuery={(q) => patch({ [`${side}.q`]: q, ...(!of.from && { [`${side}.from`]: "now-1h" }), zoom: null })} />
          <div class="row">
            <label class="pick">
              from
              <input type="datetime-local" value={from} onChange={(e) => e.currentTarget.value && set("from", new Date(e.currentTarget.value).toISOString())} />
            </label>
            <label class="pick">
              to
              <input type="datetime-local" value={to} onChange={(e) => set("to", e.currentTarget.value ? new Date(e.currentTarget.value).toISOString() : "")} />
            </label>
            {o && <span class="quiet">{plural(o.total, "profile")}</span>}
          </div>
        </>
      )}
    </fieldset>
  );
}
