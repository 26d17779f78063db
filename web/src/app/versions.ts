/** Comparisons of a version with the one before it. */
import type { Source } from "../data/source.ts";
import type { ProfileRow } from "../data/types.ts";
import { href } from "../ui/state.ts";
import { quote } from "./query.ts";
import { millis } from "./time.ts";

const DAY = 86_400_000;

type Named = Pick<ProfileRow, "service" | "env" | "version" | "start">;

function query(row: Named, version: string): string {
  return [`service:${quote(row.service)}`, row.env && `env:${quote(row.env)}`, version].filter(Boolean).join(" ");
}

/** The comparison of two versions, both in one time range. */
export function compareVersions(newer: Named, older: Named, from: string, to: string): string {
  const range = (side: string): Record<string, string> => ({ [`${side}.from`]: from, ...(to && { [`${side}.to`]: to }) });
  return href("/compare", {
    "a.q": query(older, `version:${quote(older.version)}`),
    ...range("a"),
    "b.q": query(newer, `version:${quote(newer.version)}`),
    ...range("b"),
  });
}

/** The comparison of this version with the one that ran before it, in the last 30 days; null if there was none. */
export async function withVersionBefore(source: Source, row: Named): Promise<string | null> {
  const end = millis(row.start);
  const from = new Date(end - 30 * DAY).toISOString();
  const other = query(row, `-version:${quote(row.version)}`);
  const { rows } = await source.profiles({ q: other, from, to: new Date(end + 1).toISOString(), sort: "-start", limit: 1 });
  const [before] = rows;
  if (!before?.version) return null;
  const around = (side: string, at: number): Record<string, string> => ({
    [`${side}.from`]: new Date(at - 1_800_000).toISOString(),
    [`${side}.to`]: new Date(at + 60_000).toISOString(),
  });
  return href("/compare", {
    "a.q": query(before, `version:${quote(before.version)}`),
    ...around("a", millis(before.start)),
    "b.q": query(row, `version:${quote(row.version)}`),
    ...around("b", end),
  });
}
