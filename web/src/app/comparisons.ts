/** Comparisons: their addresses, and the version before a version. */
import { selectionParams } from "../data/api.ts";
import type { Source } from "../data/source.ts";
import type { ProfileRow, Selection } from "../data/types.ts";
import { href } from "../ui/state.ts";
import { quote } from "./query.ts";
import { millis, span } from "./time.ts";

const DAY = 86_400_000;

type Named = Pick<ProfileRow, "service" | "env" | "version" | "start">;

/** The query for the service of a profile in its environment, and for a version if one is given. */
export function queryOf(row: Named, version = ""): string {
  return [`service:${quote(row.service)}`, row.env && `env:${quote(row.env)}`, version].filter(Boolean).join(" ");
}

/** The address of a comparison; `kept` are the parameters of the one before, whose view stays. */
export function compareHref(a: Selection, b: Selection, kept = new URLSearchParams()): string {
  const params = new URLSearchParams([...kept].filter(([key]) => !/^([ab]\.|zoom$)/.test(key)));
  selectionParams(params, a, "a.");
  selectionParams(params, b, "b.");
  return href("/compare", params);
}

/** The newest row, and the newest row of another version of its service in its environment. The rows are sorted, newest first. */
export function versionBefore<T extends Named>(rows: T[]): [T, T] | null {
  const [newest] = rows;
  const before = newest?.version && rows.find((row) => row.version && row.version !== newest.version && row.service === newest.service && row.env === newest.env);
  return newest && before ? [newest, before] : null;
}

/** The comparison of two versions, both in one time range. */
export function compareVersions([newer, older]: [Named, Named], from: string, to: string): string {
  const side = (row: Named): Selection => ({ q: queryOf(row, `version:${quote(row.version)}`), from, to });
  return compareHref(side(older), side(newer));
}

/** The comparison of this version with the one that ran before it, in the last 30 days; null if there was none. */
export async function withVersionBefore(source: Source, row: Named, kept?: URLSearchParams): Promise<string | null> {
  const end = millis(row.start);
  const other = queryOf(row, `version:* -version:${quote(row.version)}`);
  const { rows } = await source.profiles({ q: other, ...span(end - 30 * DAY, end + 1), sort: "-start", limit: 1 });
  const [before] = rows;
  if (!before) return null;
  const side = (of: Named): Selection => ({ q: queryOf(of, `version:${quote(of.version)}`), ...span(millis(of.start) - 1_800_000, millis(of.start) + 60_000) });
  return compareHref(side(before), side(row), kept);
}
