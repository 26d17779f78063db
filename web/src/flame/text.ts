/** Names as text: untrusted names must not hide or reorder the text around them, and narrow frames show the most important part. */

// Controls, bidirectional marks and overrides, zero width, lone surrogates, line separators, noncharacters.
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|\p{Cs}/gu;

/** Escapes characters that are invisible or that reorder others. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** At most `most` characters, with an ellipsis if some were removed. */
export function clip(text: string, most: number): string {
  return text.length <= most ? text : text.slice(0, most).replace(/[\ud800-\udbff]$/, "") + "…";
}

/** A name in two parts: its package, and the rest. */
export function split(name: string, kind: string): { home: string; rest: string } {
  if (kind === "k") return { home: "kernel", rest: name };
  if (kind === "x") return { home: "", rest: name };
  if (kind === "g") {
    const slash = name.lastIndexOf("/");
    const dot = name.indexOf(".", slash + 1);
    return dot < 0 ? { home: "", rest: name } : { home: name.slice(0, dot), rest: name.slice(slash + 1) };
  }
  if (kind === "n" || kind === "v") {
    const cut = name.lastIndexOf("::");
    if (cut > 0) return { home: name.slice(0, cut), rest: name.slice(cut + 2) };
    return { home: kind === "v" ? "VM" : "native", rest: name };
  }
  // The package ends before the first part that begins with a capital; without one, the last two parts are class and method.
  const pieces = name.split(/[.]/);
  if (pieces.length < 2) return { home: "", rest: name };
  let cut = pieces.findIndex((piece) => /^[A-Z]/.test(piece));
  if (cut < 0) cut = Math.max(pieces.length - 2, 0);
  if (kind === "p" && cut === 0 && pieces.length > 1) return { home: pieces[0]!, rest: name };
  return { home: pieces.slice(0, cut).join("."), rest: pieces.slice(cut).join(".") };
}

/** The widths of characters in a font, so that fitting labels does not measure text again in each frame. */
export class Widths {
  private readonly ascii = new Float64Array(128);
  private readonly wide: number;

  constructor(measure: (text: string) => number) {
    for (let c = 32; c < 127; c++) this.ascii[c] = measure(String.fromCharCode(c).repeat(8)) / 8;
    this.wide = Math.max(measure("漢"), measure("W"));
  }

  of(text: string): number {
    let sum = 0;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      sum += c < 128 ? this.ascii[c]! : this.wide;
    }
    return sum;
  }

  /** As much of the text as fits, or nothing if not even three characters do. */
  cut(text: string, width: number): string {
    let sum = 0;
    const dots = this.wide;
    let fits = 0;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      sum += c < 128 ? this.ascii[c]! : this.wide;
      if (sum > width) return fits < 3 ? "" : clip(text, fits);
      if (sum + dots <= width) fits = i + 1;
    }
    return text;
  }

  /** The longest form of a name that fits: complete, without its package, its last part, or the beginning of that. */
  fit(forms: readonly string[], width: number): string {
    for (const form of forms) if (this.of(form) <= width) return form;
    return this.cut(forms[forms.length - 1] ?? "", width);
  }
}

/** The forms of a name from longest to shortest. */
export function forms(name: string, kind: string): string[] {
  const shown = visible(clip(name, 600));
  const { rest } = split(shown, kind);
  const all = [shown];
  if (rest !== shown && rest !== "") all.push(rest);
  const last = kind === "j" || kind === "p" ? rest.slice(rest.lastIndexOf(".") + 1) : rest;
  if (last !== rest && last !== "") all.push(last);
  return all;
}
