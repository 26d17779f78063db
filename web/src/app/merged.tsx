/** The flame graph of a search: the Profiles panel over many profiles. */
import { useEffect, useState } from "preact/hooks";
import type { Source } from "../data/source.ts";
import type { ProfileRow, Selection, TypeInfo } from "../data/types.ts";
import { count, plural } from "../flame/format.ts";
import { clip, visible } from "../flame/text.ts";
import { Panel } from "../panel/panel.tsx";
import { Bar, Show, useLoad } from "../ui/load.tsx";
import { href, patch, usePlace } from "../ui/state.ts";
import { TimePicker } from "./search.tsx";

/** What a selection contains: rows to name it by, and the types that its profiles have, without totals. */
export interface Overview {
  total: number;
  rows: ProfileRow[];
  types: TypeInfo[];
}

/** Looks at a selection: its first profiles, and the types of as many languages as there are among them. */
export async function overview(source: Source, selection: Selection, signal: AbortSignal): Promise<Overview> {
  let rows: ProfileRow[];
  let total: number;
  if (selection.profile?.length) {
    const details = await Promise.all(selection.profile.slice(0, 20).map((id) => source.profile(id, signal)));
    const types = mergeTypes(details.map((d) => d.types));
    rows = details.map((d) => ({ ...d, types: d.types.map((t) => t.type), warnings: d.warnings?.length ?? 0 }));
    return { total: selection.profile.length, rows, types: selection.profile.length === 1 ? details[0]!.types : types };
  }
  const found = await source.profiles({ q: selection.q ?? "", from: selection.from ?? "", to: selection.to ?? "", sort: "-start", limit: 100 }, signal);
  rows = found.rows;
  total = found.total;
  const one = new Map<string, string>();
  for (const row of rows) if (row.status === "ready" && !one.has(row.language + row.types.join())) one.set(row.language + row.types.join(), row.id);
  const details = await Promise.all([...one.values()].slice(0, 4).map((id) => source.profile(id, signal)));
  return { total, rows, types: mergeTypes(details.map((d) => d.types)) };
}

function mergeTypes(lists: TypeInfo[][]): TypeInfo[] {
  const found = new Map<string, TypeInfo>();
  for (const list of lists) {
    for (const type of list) {
      const known = found.get(type.type);
      if (!known || (known.absent && !type.absent)) {
        // A total of one profile is not that of the selection.
        found.set(type.type, { ...type, values: type.values.map((v) => ({ ...v, total: NaN })) });
      }
    }
  }
  return [...found.values()];
}

/** How many different values rows have, or the one that all have. */
export function several(rows: ProfileRow[], key: "host" | "version" | "service"): string {
  const values = [...new Set(rows.map((row) => row[key]).filter(Boolean))];
  return values.length === 1 ? clip(visible(values[0]!), 60) : values.length === 0 ? "" : plural(values.length, key);
}

/** A selection from the address. */
export function selectionOf(params: URLSearchParams, prefix = ""): Selection {
  const profile = params.getAll(`${prefix}profile`);
  if (profile.length > 0) return { profile };
  return {
    q: params.get(`${prefix}q`) ?? undefined,
    from: params.get(`${prefix}from`) ?? undefined,
    to: params.get(`${prefix}to`) ?? undefined,
  };
}

export function Merged({ source }: { source: Source }) {
  const { params } = usePlace();
  const selection = selectionOf(params);
  if (!selection.profile) selection.from ??= "now-1h";
  const live = params.get("live") === "1" && !selection.profile;
  const [turn, setTurn] = useState(0);
  if (live) {
    selection.from = "now-60s";
    selection.to = undefined;
  }
  // Live follows the newest 60 s; zoom, filters and colors are in the address, so they stay.
  useEffect(() => {
    if (!live) return;
    const timer = setInterval(() => document.visibilityState === "visible" && setTurn((t) => t + 1), 10_000);
    return () => clearInterval(timer);
  }, [live]);
  const key = JSON.stringify(selection) + turn;
  const loaded = useLoad(key, (signal) => overview(source, selection, signal));
  return (
    <div class="merged">
      <div class="row merged-head">
        <h1>Flame graph of {loaded.value ? plural(loaded.value.total, "profile") : "…"}</h1>
        {selection.q && (
          <a class="chip" href={href("/profiles", { q: selection.q, ...(selection.from && { from: selection.from }), ...(selection.to && { to: selection.to }) })}>
            <bdi>{clip(visible(selection.q), 120)}</bdi>
          </a>
        )}
        {loaded.value && (
          <span class="quiet">
            {[several(loaded.value.rows, "service"), several(loaded.value.rows, "host"), several(loaded.value.rows, "version")].filter(Boolean).join(", ")}
            {loaded.value.total > loaded.value.rows.length && ` among the newest ${count(loaded.value.rows.length)}`}
          </span>
        )}
        <span class="grow" />
        {!selection.profile && (
          <>
            {!live && <TimePicker from={params.get("from") ?? "now-1h"} to={params.get("to") ?? ""} />}
            <button class={live ? "live on" : "live"} aria-pressed={live} title="Follow the newest 60 s" onClick={() => patch({ live: live ? null : "1" })}>
              <span aria-hidden="true">●</span> Live
            </button>
          </>
        )}
      </div>
      <Bar of={loaded} />
      <Show of={loaded}>
        {(o) =>
          o.total === 0 ? (
            <p class="note">{live ? "No profiles in the last 60 s. Waiting for the next one…" : "No profiles match."}</p>
          ) : (
            <Panel source={source} selection={selection} types={o.types} version={String(turn)} perSecond />
          )
        }
      </Show>
    </div>
  );
}
