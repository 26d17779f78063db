/** The query as text that the facets edit. The server parses the language; the page only needs to find and replace terms. */

/** A term and its position in the text. */
export interface Term {
  text: string;
  start: number;
  end: number;
  negated: boolean;
  /** Empty for a bare word. */
  name: string;
  /** The values of a facet; a range is one value. */
  values: string[];
}

/** The terms of a query. Unclosed quotes and brackets extend to the end of the text. */
export function terms(query: string): Term[] {
  const found: Term[] = [];
  let at = 0;
  while (at < query.length) {
    if (/\s/.test(query[at]!)) {
      at++;
      continue;
    }
    const start = at;
    let depth = 0;
    let quoted = false;
    for (; at < query.length; at++) {
      const c = query[at]!;
      if (quoted) {
        if (c === "\\") at++;
        else if (c === '"') quoted = false;
      } else if (c === '"') quoted = true;
      else if (c === "(" || c === "[") depth++;
      else if (c === ")" || c === "]") depth--;
      else if (/\s/.test(c) && depth <= 0) break;
    }
    at = Math.min(at, query.length);
    found.push(term(query.slice(start, at), start));
  }
  return found;
}

function term(text: string, start: number): Term {
  const negated = text.startsWith("-") && text.length > 1;
  const body = negated ? text.slice(1) : text;
  const name = /^([A-Za-z_][\w.@/-]*):/.exec(body)?.[1] ?? "";
  const value = name ? body.slice(name.length + 1) : body;
  let values = [value];
  if (name && value.startsWith("(") && value.endsWith(")")) values = pieces(value.slice(1, -1));
  return { text, start, end: start + text.length, negated, name, values: values.map(unquote) };
}

function pieces(text: string): string[] {
  const found = text.match(/"(?:\\.|[^"\\])*"?|\S+/g) ?? [];
  return found.filter((piece) => piece !== "OR");
}

function unquote(text: string): string {
  return text.startsWith('"') ? text.slice(1, text.endsWith('"') && text.length > 1 ? -1 : undefined).replace(/\\(.)/g, "$1") : text;
}

/** A value in query syntax. */
export function quote(value: string): string {
  return value !== "" && /^[\w.@/+$%=~^-]+$/.test(value) && value !== "OR" && value !== "TO" && !value.startsWith("-")
    ? value
    : `"${value.replace(/[\\"]/g, "\\$&")}"`;
}

/** The values of a facet that the query includes, and those that it excludes. */
export function chosen(query: string, facet: string): { only: string[]; not: string[] } {
  const only: string[] = [];
  const not: string[] = [];
  for (const t of terms(query)) if (t.name === facet) (t.negated ? not : only).push(...t.values);
  return { only, not };
}

/** The query with new values for one facet. */
export function choose(query: string, facet: string, only: string[], not: string[]): string {
  const kept = terms(query).filter((t) => t.name !== facet).map((t) => t.text);
  const write = (values: string[], sign: string): void => {
    if (values.length === 1) kept.push(`${sign}${facet}:${quote(values[0]!)}`);
    else if (values.length > 1) kept.push(`${sign}${facet}:(${values.map(quote).join(" OR ")})`);
  };
  write(only, "");
  write(not, "-");
  return kept.join(" ");
}

/** The query with a range for a measure; null removes it. */
export function range(query: string, measure: string, text: string | null): string {
  const kept = terms(query).filter((t) => t.name !== measure).map((t) => t.text);
  if (text !== null) kept.push(`${measure}:${text}`);
  return kept.join(" ");
}

/** The least and the largest value of a range as the sliders write it; null where it has no end. */
export function bounds(text: string): [number | null, number | null] {
  const number = (piece: string | undefined): number | null => {
    const found = /^([\d.]+)([kmgt]?)(i?)b?$/i.exec(piece ?? "");
    return found ? Number(found[1]) * (found[3] ? 1024 : 1000) ** " kmgt".indexOf(found[2]!.toLowerCase() || " ") : null;
  };
  const between = /^\[(\S+) TO (\S+)\]$/.exec(text);
  if (between) return [number(between[1]), number(between[2])];
  if (text.startsWith(">")) return [number(text.replace(/^>=?/, "")), null];
  return text.startsWith("<") ? [null, number(text.replace(/^<=?/, ""))] : [null, null];
}

/** The shares of profiles between the least value, the median, the 95th percentile and the largest. */
const SHARES = [0.5, 0.45, 0.05];

/** A histogram of these shares between four places from 0 to 100: the area of a bar is its share. A bar is at least five wide, also where places are equal. */
export function distribution(places: number[]): { x: number; width: number; height: number }[] {
  const bars = SHARES.map((share, i) => {
    const width = Math.max(5, places[i + 1]! - places[i]!);
    return { x: Math.min(places[i]!, 100 - width), width, height: share / width };
  });
  const most = Math.max(...bars.map((bar) => bar.height));
  return bars.map((bar) => ({ ...bar, height: bar.height / most }));
}

/** The query without one of its terms. */
export function without(query: string, at: number): string {
  return terms(query).filter((_, i) => i !== at).map((t) => t.text).join(" ");
}

/** The part of the query being typed at a position. */
export function typedAt(query: string, position: number): { start: number; end: number; text: string } {
  const t = terms(query).find((one) => one.start < position && position <= one.end);
  return t ? { start: t.start, end: t.end, text: t.text.slice(0, position - t.start) } : { start: position, end: position, text: "" };
}
