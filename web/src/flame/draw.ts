/** Draws a tree, and finds the node under a point. The cost of both depends on what is visible, not on the size of the tree. */
import type { Colors, Paint } from "./color.ts";
import type { NameSet } from "./transform.ts";
import { forms, type Widths } from "./text.ts";
import type { Tree } from "./tree.ts";

/** Height of a row in CSS pixels. */
export const ROW = 18;

/** Frames narrower than this are drawn as one. */
const NARROW = 0.8;

/** Frames narrower than this have no number. */
const NOTED = 100;

/** The visible part of a tree: a range of its width, and the scroll position in pixels. */
export interface Window {
  from: number;
  to: number;
  scroll: number;
  width: number;
  height: number;
  /** Root at the bottom. */
  up: boolean;
}

/** What to highlight; a node is -1 if there is none. */
export interface Marks {
  matches: NameSet | null;
  lit: number;
  hover: number;
  focus: number;
}

/** The labels of names, created once per name. */
export class Labels {
  private readonly made: (readonly string[] | undefined)[] = [];

  constructor(private readonly tree: Tree) {}

  of(name: number): readonly string[] {
    return (this.made[name] ??= forms(this.tree.names[name]!, this.tree.kinds[name]!));
  }
}

/** The part of a canvas context that drawing uses; tests pass one that records calls. */
export type Surface = Pick<
  CanvasRenderingContext2D,
  "fillStyle" | "strokeStyle" | "lineWidth" | "fillRect" | "strokeRect" | "fillText" | "beginPath" | "moveTo" | "lineTo" | "stroke" | "save" | "restore" | "rect" | "clip"
>;

/** The top of a row. */
export function rowTop(w: Window, depth: number): number {
  return w.up ? w.height - (depth + 1) * ROW + w.scroll : depth * ROW - w.scroll;
}

/** The first and last visible row. */
export function rows(w: Window): { first: number; last: number } {
  return { first: Math.max(0, Math.floor(w.scroll / ROW)), last: Math.floor((w.scroll + w.height - 1) / ROW) };
}

/** The rectangle of a node, clipped to the window. `node` is -1 for narrow siblings that are drawn as one. */
export type Visit = (node: number, x: number, width: number, depth: number) => void;

/**
 * Visits everything visible, parents first. Siblings are ordered by total, so once one is too narrow, all after it are too, and the rest of the
 * parent is visited as a single rectangle.
 */
export function visit(tree: Tree, w: Window, each: Visit): void {
  const span = w.to - w.from;
  if (tree.size === 0 || !(span > 0)) return;
  const scale = w.width / span;
  const { first, last } = rows(w);
  let i = 0;
  while (i < tree.size) {
    const depth = tree.depth[i]!;
    const x = (tree.start[i]! - w.from) * scale;
    const width = tree.total[i]! * scale;
    if (x + width <= 0 || x >= w.width) {
      // Left of the window: continue with the next sibling. Right of it: nothing else of this parent is visible.
      i = x >= w.width && depth > 0 ? tree.end[tree.parent[i]!]! : tree.end[i]!;
      continue;
    }
    if (width < NARROW && depth > 0) {
      const parent = tree.parent[i]!;
      const right = (tree.start[parent]! + tree.total[parent]! - tree.self[parent]! * own(tree) - w.from) * scale;
      if (depth >= first && depth <= last && right - x >= 0.25) each(-1, Math.max(0, x), Math.min(right, w.width) - Math.max(0, x), depth);
      i = tree.end[parent]!;
      continue;
    }
    if (depth >= first && depth <= last) {
      const left = Math.max(0, x);
      each(i, left, Math.min(w.width, x + width) - left, depth);
    }
    i = depth < last ? i + 1 : tree.end[i]!;
  }
}

// In a comparison, the self value is only that of A, so the rest of a parent cannot be computed from its self value.
function own(tree: Tree): number {
  return tree.a ? 0 : 1;
}

/** Draws a tree. */
export function draw(to: Surface, tree: Tree, w: Window, colors: Colors, paint: Paint, marks: Marks, labels: Labels, widths: Widths, number?: (node: number) => string): void {
  to.fillStyle = paint.background;
  to.fillRect(0, 0, w.width, w.height);
  let style = "";
  const fill = (color: string): void => {
    if (color !== style) to.fillStyle = style = color;
  };
  const texts: { text: string; x: number; y: number; faded: boolean }[] = [];
  const boxes: { x: number; y: number; width: number; kind: number }[] = [];
  const { matches, lit } = marks;
  visit(tree, w, (node, x, width, depth) => {
    const y = rowTop(w, depth);
    const gap = width > 3 ? 1 : 0;
    if (node < 0) {
      fill(matches ? paint.faded : paint.neutral);
      to.fillRect(x, y, width, ROW - 1);
      return;
    }
    const name = tree.name[node]!;
    const faded = matches !== null && !matches[name];
    fill(faded ? paint.faded : colors.fill(node));
    to.fillRect(x, y, width - gap, ROW - 1);
    if (colors.hatched?.(node) && width > 6) {
      to.save();
      to.beginPath();
      to.rect(x, y, width - gap, ROW - 1);
      to.clip();
      to.strokeStyle = paint.fadedText;
      to.lineWidth = 0.6;
      to.beginPath();
      for (let at = x - ROW; at < x + width; at += 7) {
        to.moveTo(at, y + ROW);
        to.lineTo(at + ROW, y);
      }
      to.stroke();
      to.restore();
    }
    if (width > 22) {
      const forms = labels.of(name);
      let text = widths.fit(forms, width - 9);
      const note = number && width >= NOTED ? number(node) : "";
      if (note !== "") {
        // The name gives up its package for the number, but no more than that.
        const end = widths.of(note);
        const short = widths.fit(forms, width - 21 - end);
        if (short === text || forms.slice(0, -1).includes(short)) {
          text = short;
          texts.push({ text: note, x: x + width - 5 - end, y: y + 12.5, faded });
        }
      }
      if (text !== "") texts.push({ text, x: x + 4, y: y + 12.5, faded });
    }
    if (node === marks.focus) boxes.push({ x, y, width, kind: 2 });
    else if (node === marks.hover) boxes.push({ x, y, width, kind: 1 });
    else if (name === lit && node > 0) boxes.push({ x, y, width, kind: 0 });
  });
  for (const faded of [false, true]) {
    to.fillStyle = faded ? paint.fadedText : paint.text;
    for (const t of texts) if (t.faded === faded) to.fillText(t.text, t.x, t.y);
  }
  for (const box of boxes) {
    to.strokeStyle = box.kind === 2 ? paint.focus : paint.outline;
    to.lineWidth = box.kind === 1 ? 1 : 2;
    const inset = to.lineWidth / 2;
    to.strokeRect(box.x + inset, box.y + inset, Math.max(1, box.width - 2 * inset), ROW - 1 - 2 * inset);
  }
}

/** The node under a point, or -1. */
export function hit(tree: Tree, w: Window, x: number, y: number): number {
  if (x < 0 || x >= w.width || y < 0 || y >= w.height || tree.size === 0) return -1;
  const depth = Math.floor((w.up ? w.height - y + w.scroll : y + w.scroll) / ROW);
  const at = w.from + (x / w.width) * (w.to - w.from);
  let node = 0;
  if (at < tree.start[0]! || at > tree.total[0]!) return -1;
  while (tree.depth[node]! < depth) {
    let next = -1;
    for (let k = node + 1; k < tree.end[node]!; k = tree.end[k]!) {
      if (at < tree.start[k]!) break;
      if (at < tree.start[k]! + tree.total[k]!) {
        next = k;
        break;
      }
    }
    if (next < 0) return -1;
    node = next;
  }
  return node;
}

/** The node that a key moves to. */
export function move(tree: Tree, node: number, key: "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight" | "Home" | "End"): number {
  if (node < 0 || node >= tree.size) return 0;
  const parent = tree.parent[node]!;
  switch (key) {
    case "ArrowUp":
      return parent < 0 ? node : parent;
    case "ArrowDown":
      return node + 1 < tree.end[node]! ? node + 1 : node;
    case "ArrowRight":
      return parent >= 0 && tree.end[node]! < tree.end[parent]! ? tree.end[node]! : node;
    case "ArrowLeft": {
      if (parent < 0) return node;
      let before = node;
      for (let k = parent + 1; k < node; k = tree.end[k]!) before = k;
      return before;
    }
    case "Home":
      return parent < 0 ? node : parent + 1;
    case "End": {
      if (parent < 0) return node;
      let last = node;
      for (let k = node; k < tree.end[parent]!; k = tree.end[k]!) last = k;
      return last;
    }
  }
}
