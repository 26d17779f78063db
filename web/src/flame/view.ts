/**
 * A flame graph in the page: canvas, minimap, pointer and keys. It uses no framework and no data source: it receives a tree and reports what the
 * user does. The canvas fills its container and is never taller; what does not fit is scrolled inside.
 */
import { PAINT, type Colors, type Theme } from "./color.ts";
import { draw, hit, Labels, move, ROW, rows, rowTop, type Window } from "./draw.ts";
import { Widths, clip, visible } from "./text.ts";
import type { NameSet } from "./transform.ts";
import type { Tree } from "./tree.ts";

/** What the view reports. */
export interface Events {
  /** The user zoomed to a node; 0 is the root. */
  zoom(node: number): void;
  /** The pointer is over a node, or over none (-1); coordinates are relative to the window. */
  hover(node: number, x: number, y: number): void;
  /** The user requested the menu of a node. */
  menu(node: number, x: number, y: number): void;
  /** One sentence about a node, for screen readers. */
  describe(node: number): string;
  /** The number at the right end of a frame that has room for it. */
  number(node: number): string;
}

const FONT = "11.5px system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
const MAP_HEIGHT = 26;

export class FlameView {
  readonly canvas = document.createElement("canvas");
  private readonly map = document.createElement("canvas");
  private readonly item = document.createElement("div");
  private readonly context = this.canvas.getContext("2d", { alpha: false })!;
  private tree: Tree | null = null;
  private colors: Colors = { fill: () => "#888", legend: [] };
  private labels: Labels | null = null;
  private widths: Widths | null = null;
  private theme: Theme = "light";
  private readonly window: Window = { from: 0, to: 1, scroll: 0, width: 0, height: 0, up: false };
  private matches: NameSet | null = null;
  private lit = -1;
  private hovered = -1;
  private focused = 0;
  private zoomed = 0;
  private frame = 0;
  private animation: { from: [number, number, number]; to: [number, number, number]; began: number } | null = null;
  private profile: Float32Array | null = null;
  private readonly observer: ResizeObserver;
  private readonly pointers = new Map<number, { x: number; y: number }>();
  private drag: { x: number; y: number; moved: boolean; from: number; to: number; scroll: number } | null = null;
  private pinch = 0;
  /** Script time of the last frames in milliseconds, newest last. */
  readonly times: number[] = [];

  constructor(
    private readonly host: HTMLElement,
    private readonly events: Events,
    options: { label: string; up?: boolean; minimap?: boolean },
  ) {
    this.window.up = options.up ?? false;
    this.canvas.className = "flame-canvas";
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "tree");
    this.canvas.setAttribute("aria-label", options.label);
    this.item.id = `flame-item-${Math.random().toString(36).slice(2)}`;
    this.item.setAttribute("role", "treeitem");
    this.canvas.append(this.item);
    this.canvas.setAttribute("aria-activedescendant", this.item.id);
    this.map.className = "flame-map";
    this.map.setAttribute("aria-hidden", "true");
    if (options.minimap !== false) host.append(this.map);
    host.append(this.canvas);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(host);
    this.listen();
    this.resize();
  }

  destroy(): void {
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    this.canvas.remove();
    this.map.remove();
  }

  /** Shows a tree, zoomed to the node `zoom` if it is one. */
  setTree(tree: Tree, zoom = 0): void {
    this.tree = tree;
    this.labels = new Labels(tree);
    this.profile = null;
    this.matches = null;
    this.hovered = -1;
    this.lit = -1;
    this.focused = zoom;
    this.animation = null;
    this.zoomed = zoom;
    const w = this.window;
    w.from = tree.start[zoom] ?? 0;
    w.to = w.from + (tree.total[zoom] ?? 0);
    w.scroll = this.clampScroll(w.scroll);
    this.reveal(zoom);
    this.say();
    this.draw();
  }

  setColors(colors: Colors, theme: Theme): void {
    this.colors = colors;
    this.theme = theme;
    this.draw();
  }

  /** Names that match the search, or null for no search. */
  setMatches(matches: NameSet | null): void {
    this.matches = matches;
    this.draw();
  }

  /** Outlines the frames with a name; -1 for none. */
  light(name: number): void {
    if (name === this.lit) return;
    this.lit = name;
    this.draw();
  }

  /** The node with the keyboard focus. */
  get focus(): number {
    return this.focused;
  }

  get zoom(): number {
    return this.zoomed;
  }

  /** Moves the focus and brings the node into view. */
  focusOn(node: number): void {
    this.focused = node;
    const tree = this.tree;
    if (!tree) return;
    const w = this.window;
    // If the node is outside the shown range or too narrow, show its nearest visible ancestor.
    const width = (tree.total[node]! / (w.to - w.from)) * w.width;
    if (tree.start[node]! + tree.total[node]! <= w.from || tree.start[node]! >= w.to || width < 2) {
      let to = node;
      while (to > 0 && (tree.total[node]! / tree.total[to]!) * w.width > 60) to = tree.parent[to]!;
      this.zoomTo(to);
    }
    this.reveal(node);
    this.say();
    this.draw();
  }

  /** Zooms to a node; its ancestors remain as full rows. */
  zoomTo(node: number, report = true): void {
    const tree = this.tree;
    if (!tree || node < 0 || node >= tree.size) return;
    this.zoomed = node;
    const w = this.window;
    const from = tree.start[node]!;
    const to = from + tree.total[node]!;
    const top = this.clampScroll(Math.min(w.scroll, Math.max(0, (tree.depth[node]! - 1) * ROW)));
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      w.from = from;
      w.to = to;
      w.scroll = top;
    } else {
      this.animation = { from: [w.from, w.to, w.scroll], to: [from, to, top], began: performance.now() };
    }
    this.draw();
    if (report) this.events.zoom(node);
  }

  /** The position of a node on the screen, for menus and tooltips. */
  place(node: number): { x: number; y: number } {
    const box = this.canvas.getBoundingClientRect();
    const tree = this.tree!;
    const w = this.window;
    const left = ((tree.start[node]! - w.from) / (w.to - w.from)) * w.width;
    return { x: box.left + Math.min(Math.max(left + 8, 8), w.width - 40), y: box.top + rowTop(w, tree.depth[node]!) + ROW };
  }

  /** Handles a key, and returns whether it did. */
  key(event: KeyboardEvent): boolean {
    const tree = this.tree;
    if (!tree || event.ctrlKey || event.metaKey || event.altKey) return false;
    switch (event.key) {
      case "ArrowUp":
      case "ArrowDown":
      case "ArrowLeft":
      case "ArrowRight":
      case "Home":
      case "End": {
        let key = event.key as "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight" | "Home" | "End";
        if (this.window.up && key === "ArrowUp") key = "ArrowDown";
        else if (this.window.up && key === "ArrowDown") key = "ArrowUp";
        this.focusOn(move(tree, this.focused, key));
        return true;
      }
      case "Enter":
        this.zoomTo(this.focused);
        return true;
      case "Backspace":
        this.zoomTo(Math.max(0, tree.parent[this.zoomed]!));
        return true;
      case "0":
        this.zoomTo(0);
        this.focused = 0;
        this.say();
        return true;
      case "PageDown":
      case "PageUp":
        this.window.scroll = this.clampScroll(this.window.scroll + (event.key === "PageDown" ? 1 : -1) * (this.window.height - 2 * ROW));
        this.draw();
        return true;
      case "ContextMenu":
      case "F10":
        if (event.key === "F10" && !event.shiftKey) return false;
        {
          const at = this.place(this.focused);
          this.events.menu(this.focused, at.x, at.y);
        }
        return true;
      default:
        return false;
    }
  }

  private say(): void {
    const tree = this.tree;
    if (!tree) return;
    const node = Math.min(this.focused, tree.size - 1);
    this.item.setAttribute("aria-level", String(tree.depth[node]! + 1));
    this.item.setAttribute("aria-label", clip(visible(this.events.describe(node)), 400));
    this.item.setAttribute("aria-selected", "true");
    if (tree.end[node]! > node + 1) this.item.setAttribute("aria-expanded", "true");
    else this.item.removeAttribute("aria-expanded");
  }

  private clampScroll(scroll: number): number {
    const tree = this.tree;
    if (!tree) return 0;
    return Math.max(0, Math.min(scroll, (tree.maxDepth + 1) * ROW - this.window.height + 4));
  }

  private reveal(node: number): void {
    const tree = this.tree;
    if (!tree || this.window.height === 0) return;
    const depth = tree.depth[node]!;
    const { first, last } = rows(this.window);
    if (depth < first + 1) this.window.scroll = this.clampScroll((depth - 1) * ROW);
    else if (depth > last - 2) this.window.scroll = this.clampScroll((depth + 3) * ROW - this.window.height);
  }

  private resize(): void {
    const w = this.window;
    const map = this.map.isConnected ? MAP_HEIGHT + 4 : 0;
    const width = Math.floor(this.host.clientWidth);
    const height = Math.floor(this.host.clientHeight - map);
    if (width <= 0 || height <= 0) return;
    w.width = width;
    w.height = height;
    const ratio = window.devicePixelRatio || 1;
    for (const [canvas, h] of [[this.canvas, height], [this.map, MAP_HEIGHT]] as const) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(h * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${h}px`;
    }
    w.scroll = this.clampScroll(w.scroll);
    this.profile = null;
    this.paint();
  }

  /** Draws in the next frame. */
  draw(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.paint());
  }

  private paint(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const tree = this.tree;
    const w = this.window;
    if (!tree || w.width === 0) return;
    const began = performance.now();
    if (this.animation) {
      const { from, to } = this.animation;
      const t = Math.min(1, (began - this.animation.began) / 160);
      const ease = 1 - (1 - t) ** 3;
      w.from = from[0] + (to[0] - from[0]) * ease;
      w.to = from[1] + (to[1] - from[1]) * ease;
      w.scroll = from[2] + (to[2] - from[2]) * ease;
      if (t >= 1) this.animation = null;
      else this.draw();
    }
    const ratio = window.devicePixelRatio || 1;
    const c = this.context;
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.font = FONT;
    this.widths ??= new Widths((text) => c.measureText(text).width);
    const marks = { matches: this.matches, lit: this.lit, hover: this.hovered, focus: document.activeElement === this.canvas ? this.focused : -1 };
    draw(c, tree, w, this.colors, PAINT[this.theme], marks, this.labels!, this.widths, this.events.number);
    if (this.map.isConnected) this.paintMap(tree);
    this.times.push(performance.now() - began);
    if (this.times.length > 600) this.times.shift();
  }

  private paintMap(tree: Tree): void {
    const w = this.window;
    const ratio = window.devicePixelRatio || 1;
    const c = this.map.getContext("2d")!;
    const paint = PAINT[this.theme];
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, w.width, MAP_HEIGHT);
    const profile = (this.profile ??= depths(tree, w.width));
    c.fillStyle = paint.madeUp;
    c.beginPath();
    c.moveTo(0, MAP_HEIGHT);
    for (let x = 0; x < w.width; x++) c.lineTo(x, MAP_HEIGHT - 1 - (profile[x]! / Math.max(1, tree.maxDepth)) * (MAP_HEIGHT - 4));
    c.lineTo(w.width, MAP_HEIGHT);
    c.fill();
    const all = tree.total[0] || 1;
    const left = (w.from / all) * w.width;
    const right = (w.to / all) * w.width;
    c.globalAlpha = 0.7;
    c.fillStyle = paint.background;
    c.fillRect(0, 0, left, MAP_HEIGHT);
    c.fillRect(right, 0, w.width - right, MAP_HEIGHT);
    c.globalAlpha = 1;
    c.strokeStyle = paint.focus;
    c.lineWidth = 1;
    c.strokeRect(Math.min(left, w.width - 3) + 0.5, 0.5, Math.max(2, right - left - 1), MAP_HEIGHT - 1);
  }

  /** Shows a range of the width without a node. */
  private setRange(from: number, to: number): void {
    const all = this.tree?.total[0] ?? 1;
    const least = all / 1e7;
    const span = Math.min(all, Math.max(to - from, least));
    const left = Math.max(0, Math.min(from, all - span));
    this.window.from = left;
    this.window.to = left + span;
    this.animation = null;
    this.draw();
  }

  private zoomAt(x: number, factor: number): void {
    const w = this.window;
    const at = w.from + (x / w.width) * (w.to - w.from);
    this.setRange(at - (at - w.from) * factor, at + (w.to - at) * factor);
  }

  private listen(): void {
    const c = this.canvas;
    const point = (event: MouseEvent): { x: number; y: number } => {
      const box = c.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    c.addEventListener("keydown", (event) => {
      if (this.key(event)) {
        event.preventDefault();
        event.stopPropagation();
      }
    });
    c.addEventListener("focus", () => this.draw());
    c.addEventListener("blur", () => this.draw());
    c.addEventListener("contextmenu", (event) => {
      event.preventDefault();
      const { x, y } = point(event);
      const node = this.tree ? hit(this.tree, this.window, x, y) : -1;
      if (node >= 0) {
        this.focused = node;
        this.say();
        this.draw();
        this.events.menu(node, event.clientX, event.clientY);
      }
    });
    c.addEventListener(
      "wheel",
      (event) => {
        const w = this.window;
        const unit = event.deltaMode === 1 ? ROW : 1;
        if (event.ctrlKey || event.metaKey) {
          event.preventDefault();
          this.zoomAt(point(event).x, Math.exp((event.deltaY * unit) / 250));
          return;
        }
        const before = w.scroll;
        w.scroll = this.clampScroll(w.scroll + event.deltaY * unit * (w.up ? -1 : 1));
        const pan = ((event.deltaX * unit) / w.width) * (w.to - w.from);
        if (pan !== 0) this.setRange(w.from + pan, w.to + pan);
        if (w.scroll !== before || pan !== 0) event.preventDefault();
        this.events.hover(-1, 0, 0);
        this.draw();
      },
      { passive: false },
    );
    c.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.pointers.set(event.pointerId, point(event));
      if (this.pointers.size === 2) {
        this.pinch = this.spread();
        this.drag = null;
        return;
      }
      const w = this.window;
      this.drag = { ...point(event), moved: false, from: w.from, to: w.to, scroll: w.scroll };
    });
    c.addEventListener("pointermove", (event) => {
      const at = point(event);
      if (this.pointers.has(event.pointerId)) this.pointers.set(event.pointerId, at);
      if (this.pointers.size === 2) {
        const spread = this.spread();
        const [one, two] = [...this.pointers.values()];
        if (this.pinch > 0 && spread > 0) this.zoomAt((one!.x + two!.x) / 2, this.pinch / spread);
        this.pinch = spread;
        return;
      }
      const drag = this.drag;
      if (drag) {
        if (!drag.moved && Math.hypot(at.x - drag.x, at.y - drag.y) > 4) {
          drag.moved = true;
          c.setPointerCapture(event.pointerId);
          this.events.hover(-1, 0, 0);
        }
        if (drag.moved) {
          const w = this.window;
          const shift = ((drag.x - at.x) / w.width) * (drag.to - drag.from);
          w.scroll = this.clampScroll(drag.scroll + (drag.y - at.y) * (w.up ? -1 : 1));
          this.setRange(drag.from + shift, drag.to + shift);
        }
        return;
      }
      const node = this.tree ? hit(this.tree, this.window, at.x, at.y) : -1;
      if (node !== this.hovered) {
        this.hovered = node;
        c.style.cursor = node >= 0 ? "pointer" : "default";
        this.draw();
      }
      this.events.hover(node, event.clientX, event.clientY);
    });
    const stop = (event: PointerEvent): void => {
      this.pointers.delete(event.pointerId);
      const drag = this.drag;
      this.drag = null;
      if (!drag || drag.moved || event.type !== "pointerup" || !this.tree) return;
      const node = hit(this.tree, this.window, drag.x, drag.y);
      if (node < 0) return;
      this.focused = node;
      this.say();
      this.zoomTo(node);
    };
    c.addEventListener("pointerup", stop);
    c.addEventListener("pointercancel", stop);
    c.addEventListener("pointerleave", () => {
      this.hovered = -1;
      this.events.hover(-1, 0, 0);
      this.draw();
    });
    const onMap = (event: PointerEvent): void => {
      if (event.buttons !== 1) return;
      const box = this.map.getBoundingClientRect();
      const w = this.window;
      const span = w.to - w.from;
      const at = ((event.clientX - box.left) / w.width) * (this.tree?.total[0] ?? 1);
      this.setRange(at - span / 2, at + span / 2);
    };
    this.map.addEventListener("pointerdown", (event) => {
      this.map.setPointerCapture(event.pointerId);
      onMap(event);
    });
    this.map.addEventListener("pointermove", onMap);
  }

  private spread(): number {
    const [one, two] = [...this.pointers.values()];
    return one && two ? Math.hypot(one.x - two.x, one.y - two.y) : 0;
  }
}

/** The depth of the tree at each pixel. */
function depths(tree: Tree, width: number): Float32Array {
  const found = new Float32Array(width);
  const all = tree.total[0] || 1;
  let i = 0;
  while (i < tree.size) {
    const x = (tree.start[i]! / all) * width;
    const w = (tree.total[i]! / all) * width;
    const last = Math.min(width - 1, Math.ceil(x + w) - 1);
    for (let at = Math.floor(x); at <= last; at++) if (found[at]! < tree.depth[i]!) found[at] = tree.depth[i]!;
    i = w < 0.5 ? tree.end[i]! : i + 1;
  }
  return found;
}
