/** Times in the browser's zone, with UTC in addition; ranges as written in the URL. */

const DAY = 86_400_000;

export function two(n: number): string {
  return String(n).padStart(2, "0");
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function millis(time: string | number): number {
  return typeof time === "number" ? time : Date.parse(time);
}

export function clock(time: string | number): string {
  const d = new Date(millis(time));
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

export function dayOf(time: string | number): string {
  const d = new Date(millis(time));
  const year = d.getFullYear() === new Date().getFullYear() ? "" : ` ${d.getFullYear()}`;
  return `${d.getDate()} ${MONTHS[d.getMonth()]}${year}`;
}

/** Only the time for today, with the date for earlier days. */
export function when(time: string | number): string {
  const at = millis(time);
  return new Date(at).toDateString() === new Date().toDateString() ? clock(at) : `${dayOf(at)} ${clock(at)}`;
}

/** For tooltips. */
export function utc(time: string | number): string {
  return new Date(millis(time)).toISOString().replace("T", " ").replace(/\.000Z$|Z$/, " UTC");
}

const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: DAY, w: 7 * DAY };

/** Parses a time from the URL to milliseconds: `now`, `now-1h`, RFC 3339 or milliseconds. */
export function absolute(text: string, now = Date.now()): number {
  const relative = /^now(?:-(\d+)([smhdw]))?$/.exec(text);
  if (relative) return now - Number(relative[1] ?? 0) * (UNITS[relative[2] ?? "s"] ?? 0);
  return /^\d+$/.test(text) ? Number(text) : Date.parse(text);
}

export const RANGES: [string, string][] = [
  ["now-15m", "Past 15 min"],
  ["now-1h", "Past 1 h"],
  ["now-4h", "Past 4 h"],
  ["now-1d", "Past 1 day"],
  ["now-7d", "Past 7 days"],
  ["now-30d", "Past 30 days"],
];

/** A time range as it is in the address. */
export function span(from: number, to: number): { from: string; to: string } {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

/** A range of the address in words. */
export function spanText(from: string, to: string): string {
  const known = !to && RANGES.find(([value]) => value === from);
  if (known) return known[1];
  const [a, b] = [absolute(from), absolute(to || "now")];
  return `${when(a).slice(0, -3)} – ${(dayOf(a) === dayOf(b) ? clock(b) : when(b)).slice(0, -3)}`;
}

/** The hour around a profile, which ends now if it would end later. */
export function around(start: number, end: number, now = Date.now()): { from: string; to: string } {
  const half = 1_800_000;
  const late = Math.max(0, end + half - Math.max(now, end));
  return span(start - half - late, end + half - late);
}

/** A range shifted by its own length. */
export function shifted(from: string, to: string, by: -1 | 1): { from: string; to: string } {
  const a = absolute(from);
  const b = absolute(to || "now");
  const length = b - a;
  return span(a + by * length, b + by * length);
}

/** A time for an input of type datetime-local. */
export function localInput(at: number): string {
  const d = new Date(at);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}`;
}
