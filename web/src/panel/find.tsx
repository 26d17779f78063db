/** The search in frames: text or a regular expression, kept in the address. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { clip, visible } from "../flame/text.ts";
import { isShortcut } from "../ui/parts.tsx";
import { patch } from "../ui/state.ts";

/** The box, and beside it what was found. `/` goes to the box, Escape empties it and calls `leave`, Enter goes from match to match. */
export function FrameSearch({ text, error, leave, step, children }: { text: string; error?: string; leave: () => void; step?: (by: 1 | -1) => void; children: ComponentChildren }) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      if (event.key !== "/" || !isShortcut(event)) return;
      input.current?.focus();
      input.current?.select();
      event.preventDefault();
    };
    addEventListener("keydown", listener);
    return () => removeEventListener("keydown", listener);
  }, []);
  return (
    <div class="search-box">
      <input
        ref={input}
        type="search"
        placeholder="search frames  /"
        aria-label="Search frames: text or /regular expression/"
        aria-invalid={error !== undefined}
        value={text}
        onInput={(e) => patch({ search: e.currentTarget.value }, true)}
        onKeyDown={(e) => {
          if (e.key === "Enter" && step) {
            e.preventDefault();
            step(e.shiftKey ? -1 : 1);
          } else if (e.key === "Escape") {
            if (text) patch({ search: null }, true);
            leave();
            e.stopPropagation();
          }
        }}
      />
      <span class="matches" role="status">
        {error !== undefined ? clip(visible(error), 80) : children}
      </span>
    </div>
  );
}
