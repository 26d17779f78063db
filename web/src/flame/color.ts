/**
 * The colors of frames. Fills are pale with dark text on a light page and deep with light text on a dark one, so that labels keep a contrast of at
 * least 4.5:1; the hues are spread so that people with a color vision deficiency can distinguish neighbors (after Okabe and Ito).
 */
import { isFolded, type Tree } from "./tree.ts";
import { split } from "./text.ts";

export type ColorMode = "package" | "kind" | "self" | "diff";
export type Theme = "light" | "dark";

/** A theme's colors outside the palette. */
export interface Paint {
  text: string;
  faded: string;
  fadedText: string;
  neutral: string;
  madeUp: string;
  background: string;
  outline: string;
  focus: string;
}

export const PAINT: Record<Theme, Paint> = {
  light: {
    text: "#16202a",
    faded: "#eceff2",
    fadedText: "#5c6670",
    neutral: "#d9dee3",
    madeUp: "#c9d0d7",
    background: "#ffffff",
    outline: "#16202a",
    focus: "#0b57d0",
  },
  dark: {
    text: "#f3f6f9",
    faded: "#20262d",
    fadedText: "#98a4b0",
    neutral: "#3c454f",
    madeUp: "#4a545f",
    background: "#14181d",
    outline: "#f3f6f9",
    focus: "#8ab4ff",
  },
};

/** Eight hues: orange, sky, green, pink, blue, yellow, vermilion, violet. */
const PALETTE: Record<Theme, string[]> = {
  light: ["#f7c57c", "#9fd3f2", "#8fd9b6", "#f0b6d3", "#a9bdf0", "#efe08a", "#f4a98c", "#cdb7ec"],
  dark: ["#8a5a12", "#1f6389", "#176a4c", "#8a3f66", "#36509b", "#6b6210", "#93411f", "#64479a"],
};

const KINDS: Record<string, { label: string; color: number }> = {
  j: { label: "Java", color: 2 },
  n: { label: "native", color: 5 },
  k: { label: "kernel", color: 6 },
  v: { label: "VM", color: 7 },
  p: { label: "Python", color: 4 },
  g: { label: "Go", color: 1 },
  s: { label: "JavaScript", color: 0 },
  x: { label: "synthetic", color: -1 },
};

const RAMP: Record<Theme, string[]> = {
  light: ["#fdf3e1", "#fbe3b8", "#f8cd85", "#f4b04f", "#ea8f2b"],
  dark: ["#33291a", "#4f3a17", "#6e4a12", "#80530f", "#945d0c"],
};

/** Fills for nodes with less or more in B, from a small change to a large one. */
const CHANGE: Record<Theme, { less: string[]; more: string[] }> = {
  light: { less: ["#dbe9fb", "#b3d1f7", "#7fb3f0"], more: ["#fde6cf", "#fac795", "#f2a05a"] },
  dark: { less: ["#24384f", "#1f4d7d", "#1a62ad"], more: ["#4a3420", "#77471a", "#a35a10"] },
};

/** What a color means. */
export interface Legend {
  color: string;
  label: string;
}

/** The fill for each name or each node, and what the fills mean. */
export interface Colors {
  fill: (node: number) => string;
  legend: Legend[];
  /** Nodes that exist in only one of the two profiles. */
  hatched?: (node: number) => boolean;
}

function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** The first parts of a package name, enough to distinguish libraries. */
export function family(name: string, kind: string): string {
  const { home, rest } = split(name, kind);
  // Functions of scripts may have no module: each is a family of its own.
  if (home === "" && (kind === "p" || kind === "s")) return rest;
  if (kind === "g") return home.split("/").slice(0, 3).join("/");
  if (kind === "n" || kind === "v" || kind === "k") return home.split("::")[0]!;
  return home.split(".").slice(0, home.startsWith("java") || home.startsWith("jdk") || home.startsWith("sun") ? 2 : 3).join(".");
}

/** The eight heaviest families with their palette index. Compute them from the complete tree, so that filters do not change colors. */
export function families(tree: Tree): Map<string, number> {
  const own = new Map<string, number>();
  const ofName = tree.names.map((name, i) => (tree.kinds[i] === "x" ? "" : family(name, tree.kinds[i]!)));
  // By the area of a family in the graph.
  for (let i = 1; i < tree.size; i++) {
    const f = ofName[tree.name[i]!]!;
    if (f !== "") own.set(f, (own.get(f) ?? 0) + tree.total[i]!);
  }
  const top = [...own].sort((x, y) => y[1] - x[1] || (x[0] < y[0] ? -1 : 1)).slice(0, 8);
  const taken = new Set<number>();
  const found = new Map<string, number>();
  for (const [f] of top) {
    let slot = hash(f) % 8;
    while (taken.has(slot)) slot = (slot + 1) % 8;
    taken.add(slot);
    found.set(f, slot);
  }
  return found;
}

/** The colors of a tree. */
export function colors(tree: Tree, mode: ColorMode, theme: Theme, known: Map<string, number>): Colors {
  const paint = PAINT[theme];
  const palette = PALETTE[theme];
  if (mode === "diff" && tree.a && tree.b) return diffColors(tree, theme);
  if (mode === "self") {
    const ramp = RAMP[theme];
    return {
      fill: (node) => {
        const share = tree.total[node]! > 0 ? tree.self[node]! / tree.total[node]! : 0;
        return node === 0 || isMadeUp(tree, node) ? paint.neutral : ramp[Math.min(4, Math.floor(share * 5))]!;
      },
      legend: ramp.map((color, i) => ({ color, label: `${i * 20}–${i * 20 + 20} % self` })),
    };
  }
  const byName = tree.names.map((name, i) => {
    const kind = tree.kinds[i]!;
    if (kind === "x") return paint.madeUp;
    if (mode === "kind") {
      const at = KINDS[kind]?.color ?? -1;
      return at < 0 ? paint.neutral : palette[at]!;
    }
    const slot = known.get(family(name, kind));
    return slot === undefined ? paint.neutral : palette[slot]!;
  });
  const legend: Legend[] = [];
  if (mode === "kind") {
    const present = new Set(tree.kinds);
    for (const [letter, kind] of Object.entries(KINDS)) {
      if (present.has(letter) && letter !== "x") legend.push({ color: palette[kind.color]!, label: kind.label });
    }
  } else {
    for (const [label, slot] of known) legend.push({ color: palette[slot]!, label });
    legend.push({ color: paint.neutral, label: "other" });
  }
  return { fill: (node) => byName[tree.name[node]!]!, legend };
}

function isMadeUp(tree: Tree, node: number): boolean {
  return tree.kinds[tree.name[node]!] === "x" || isFolded(tree, node);
}

function diffColors(tree: Tree, theme: Theme): Colors {
  const paint = PAINT[theme];
  const { less, more } = CHANGE[theme];
  const a = tree.a!;
  const b = tree.b!;
  return {
    fill: (node) => {
      if (node === 0 || tree.noise?.[node]) return paint.neutral;
      const wide = Math.max(a[node]!, b[node]!);
      if (wide === 0) return paint.neutral;
      const change = (b[node]! - a[node]!) / wide;
      const steps = Math.min(2, Math.floor(Math.abs(change) * 4));
      return change === 0 ? paint.neutral : change < 0 ? less[steps]! : more[steps]!;
    },
    hatched: (node) => node > 0 && (a[node] === 0) !== (b[node] === 0),
    legend: [
      { color: less[2]!, label: "less in B" },
      { color: paint.neutral, label: "no change, or noise" },
      { color: more[2]!, label: "more in B" },
    ],
  };
}
