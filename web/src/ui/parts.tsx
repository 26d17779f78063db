/** Small pieces that several pages use. */
import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { clip, visible } from "../flame/text.ts";
import { setTheme, useTheme } from "./state.ts";

/** Text from a stranger: always visible, never too long, in its own direction. */
export function Text({ of, most = 300, title }: { of: string | null | undefined; most?: number; title?: boolean }) {
  if (of === null || of === undefined || of === "") return <span class="none">–</span>;
  const shown = visible(of);
  return (
    <bdi class="text" title={title ? clip(shown, 1000) : undefined}>
      {clip(shown, most)}
    </bdi>
  );
}

/** Text whose options, such as `-XX:ReservedCodeCacheSize`, are not broken after their hyphen. */
export function Prose({ of, most = 4000 }: { of: string; most?: number }) {
  return <>{clip(visible(of), most).split(/(\B-[\w:+=.-]{1,40})/).map((part, i) => (i % 2 ? <span class="option">{part}</span> : part))}</>;
}

/** A button that opens a list of actions. */
export function Menu({ label, children, title, wide }: { label: ComponentChildren; children: ComponentChildren; title?: string; wide?: boolean }) {
  const [open, set] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useAway(box, open, () => set(false));
  // Where it would leave the window, it moves back into it.
  useLayoutEffect(() => {
    const menu = box.current?.querySelector<HTMLElement>(".menu");
    if (!menu) return;
    const { left, right } = menu.getBoundingClientRect();
    menu.style.translate = `${Math.max(8 - left, Math.min(0, document.documentElement.clientWidth - 8 - right))}px`;
  }, [open]);
  return (
    <div
      class="menu-box"
      ref={box}
      onKeyDown={(event) => {
        if (!open) return;
        if (event.key === "Escape") {
          set(false);
          box.current?.querySelector("button")?.focus();
          event.stopPropagation();
        } else arrows(event);
      }}
    >
      <button
        aria-expanded={open}
        aria-haspopup="true"
        title={title}
        aria-label={title}
        onClick={() => set(!open)}
      >
        {label}
      </button>
      {open && (
        <div
          class={`menu ${wide ? "wide" : ""}`}
          onClick={(event) => (event.target as HTMLElement).closest("a,button:not(.stay)") && set(false)}
        >
          {children}
        </div>
      )}
    </div>
  );
}

/** Closes on a click elsewhere. */
export function useAway(box: RefObject<HTMLElement | null>, open: boolean, close: () => void): void {
  useEffect(() => {
    if (!open) return;
    const away = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) close();
    };
    addEventListener("pointerdown", away, true);
    return () => removeEventListener("pointerdown", away, true);
  }, [open]);
}

/** Arrow keys go between the buttons and links of a list. */
export function arrows(event: KeyboardEvent): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (step === 0 || typing(event)) return;
  const all = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("a[href],button:not(:disabled),input")];
  const at = all.indexOf(document.activeElement as HTMLElement);
  all[(at + step + all.length) % all.length]?.focus();
  event.preventDefault();
  event.stopPropagation();
}

/** A choice between a few options. */
export function Choice<T extends string>({ label, of, at, on }: { label: string; of: [T, string][]; at: T; on: (to: T) => void }) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {of.map(([value, text]) => (
        <button key={value} aria-pressed={value === at} onClick={() => on(value)}>
          {text}
        </button>
      ))}
    </div>
  );
}

export function ThemeButton() {
  const now = useTheme();
  const other = now === "dark" ? "light" : "dark";
  return (
    <button class="plain icon" onClick={() => setTheme(other)} title={`Use the ${other} theme`} aria-label={`Use the ${other} theme`}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5" />
        <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
      </svg>
    </button>
  );
}

/** The keys, in a dialog. */
export function Help({ keys, onClose }: { keys: [string, string][]; onClose: () => void }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog ref={box} class="help" aria-label="Keys" onClose={onClose} onClick={(event) => event.target === box.current && box.current?.close()}>
      <h2>Keys</h2>
      <dl>
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              {key.split(" ").map((k) => (
                <kbd key={k}>{k}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button onClick={() => box.current?.close()}>Close</button>
    </dialog>
  );
}

/** Whether a key is meant for a field. */
export function typing(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  return !!target?.closest?.("input:not([type=checkbox]):not([type=radio]),textarea,select,[contenteditable],dialog[open]");
}

/** Whether a key can be a shortcut of the panel: not one for a field, the browser or an open menu. */
export function isShortcut(event: KeyboardEvent): boolean {
  return !(typing(event) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector(".menu"));
}

/** Copies text, also where the clipboard interface is not allowed (pages from disk). */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** One line at the bottom that goes away. */
let toastTimer = 0;
export function toast(text: string): void {
  let box = document.getElementById("toast");
  if (!box) {
    box = document.createElement("div");
    box.id = "toast";
    box.setAttribute("role", "status");
    document.body.append(box);
  }
  box.textContent = text;
  box.className = "on";
  clearTimeout(toastTimer);
  toastTimer = window.setTimeout(() => (box.className = ""), 2500);
}
