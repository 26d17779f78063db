/** Human-readable numbers: 1,501 · 3.4 MiB · 640 ms · 1 min 20 s · 12.5 %. */

const BYTES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** With separators, without decimals. */
export function count(n: number): string {
  return Math.round(n).toLocaleString("en-US");
}

/** The singular or plural for a number. */
export function plural(n: number, one: string, many = one + "s"): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

function three(n: number): string {
  const size = Math.abs(n);
  return size >= 99.95 ? n.toFixed(0) : size >= 9.995 ? n.toFixed(1) : n.toFixed(size >= 0.0995 ? 2 : 3);
}

function trim(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** Bytes with a binary unit. */
export function bytes(n: number): string {
  let step = 0;
  let value = n;
  while (Math.abs(value) >= 1024 && step < BYTES.length - 1) {
    value /= 1024;
    step++;
  }
  return `${trim(three(value))} ${BYTES[step]}`;
}

/** Nanoseconds as a duration. */
export function duration(ns: number): string {
  const size = Math.abs(ns);
  if (size === 0) return "0 s";
  if (size < 1e3) return `${trim(three(ns))} ns`;
  if (size < 1e6) return `${trim(three(ns / 1e3))} µs`;
  if (size < 1e9) return `${trim(three(ns / 1e6))} ms`;
  if (size < 60e9) return `${trim(three(ns / 1e9))} s`;
  const seconds = Math.round(size / 1e9);
  const sign = ns < 0 ? "−" : "";
  const h = Math.floor(seconds / 3600);
  const m = Math.floor((seconds % 3600) / 60);
  const s = seconds % 60;
  if (h >= 48) return `${sign}${Math.floor(h / 24)} d${h % 24 > 0 ? ` ${h % 24} h` : ""}`;
  return sign + (h > 0 ? `${count(h)} h ${m} min` : s > 0 ? `${m} min ${s} s` : `${m} min`);
}

/** A ratio between 0 and 1 as a percentage; in a column of a table trailing zeros stay. */
export function percent(share: number, column = false): string {
  if (!Number.isFinite(share)) return "–";
  const p = share * 100;
  const size = Math.abs(p);
  if (size > 0 && size < 0.01) return (p < 0 ? "> −" : "< ") + "0.01 %";
  const text = size >= 99.95 || size === 0 ? p.toFixed(0) : p.toFixed(size >= 0.995 ? 1 : 2);
  return `${column ? text : trim(text)} %`;
}

/** A plain number of about three digits. */
export function plain(n: number): string {
  return Math.abs(n) >= 1000 ? count(n) : Number.isInteger(n) ? String(n) : trim(three(n));
}

const NANOS: Record<string, number> = { nanoseconds: 1, ns: 1, microseconds: 1e3, milliseconds: 1e6, seconds: 1e9, s: 1e9 };

/** A value with its unit, using the unit names of profiles and metrics. */
export function value(n: number, unit: string): string {
  const per = /^1?(.*?)(?:\/|_?per_)(s|min)\w*$/.exec(unit);
  if (per) return `${value(n, per[1]!)}/${per[2]}`;
  const nanos = NANOS[unit];
  if (nanos) return duration(n * nanos);
  switch (unit) {
    case "bytes":
    case "B":
      return bytes(n);
    case "share":
    case "ratio":
      return percent(n);
    case "percent":
      return percent(n / 100);
    case "cores":
      return `${n.toFixed(2)} cores`;
    default:
      return `${plain(n)} ${unit}`.replace(/ (count|samples)?$/, "");
  }
}

/** A value per second of profile; CPU time per second is in cores. */
export function rate(n: number, unit: string, type = ""): string {
  if (type === "cpu" && (unit === "nanoseconds" || unit === "ns")) return `${n === 0 ? "0" : three(n / 1e9)} cores`;
  if (unit === "nanoseconds" || unit === "ns") {
    const share = n / 1e9;
    return share >= 0.1 ? `${trim(three(share))} s/s` : duration(n) + "/s";
  }
  return value(n, unit) + "/s";
}
