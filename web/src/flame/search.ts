/** The search box: part of a name, ignoring case, or `/regular expression/`. */

/** A test, or an error message. Empty text has neither. */
export type Search = { test: (name: string) => boolean; error?: undefined } | { error: string; test?: undefined } | null;

/** Parses the text of a search. */
export function parse(text: string): Search {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  const regex = /^\/(.*)\/(i?)$/.exec(trimmed);
  if (regex) {
    try {
      const made = new RegExp(regex[1]!, "u" + regex[2]!);
      return { test: (name) => made.test(name) };
    } catch (error) {
      return { error: String((error as Error).message).replace(/^Invalid regular expression: /, "") };
    }
  }
  const lower = trimmed.toLowerCase();
  return { test: (name) => name.toLowerCase().includes(lower) };
}

/** A regular expression that matches exactly this text, for filters on one function. */
export function exactly(name: string): string {
  return "^" + name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&") + "$";
}
