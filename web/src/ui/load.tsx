/** Loading: old content stays while new loads; a bar after 200 ms, a way to cancel after 2 s; every error names its request and can be tried again. */
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Failure, Processing } from "../data/source.ts";
import { visible, clip } from "../flame/text.ts";

export interface Loaded<T> {
  value: T | null;
  failure: Failure | null;
  loading: boolean;
  processing: boolean;
  again: () => void;
  cancel: () => void;
}

/** What is shown or followed and gets no response from the server. */
const unanswered = new Set<unknown>();
const watchers = new Set<(up: boolean) => void>();

/** Records whether the requests of a caller get responses. */
export function connected(who: unknown, up: boolean): void {
  if (up) unanswered.delete(who);
  else unanswered.add(who);
  for (const watcher of watchers) watcher(unanswered.size === 0);
}

/** Whether the server responds, as far as the page knows. */
export function useConnected(): boolean {
  const [up, set] = useState(unanswered.size === 0);
  useEffect(() => {
    watchers.add(set);
    return () => void watchers.delete(set);
  }, []);
  return up;
}

/** Status of a request that the user canceled, and of an error of the page itself. */
const CANCELED = -1;
const BROKEN = -2;

/** Loads by key; an empty key loads nothing. */
export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, set] = useState<{ value: T | null; failure: Failure | null; loading: boolean; processing: boolean }>({
    value: null,
    failure: null,
    loading: key !== "",
    processing: false,
  });
  const [turn, setTurn] = useState(0);
  const controller = useRef<AbortController | null>(null);
  useEffect(() => {
    if (key === "") return;
    const mine = new AbortController();
    controller.current = mine;
    let timer = 0;
    set((s) => ({ ...s, loading: true }));
    const run = (): void => {
      load(mine.signal).then(
        (value) => {
          if (mine.signal.aborted) return;
          connected(mine, true);
          set({ value, failure: null, loading: false, processing: false });
        },
        (error: unknown) => {
          if (mine.signal.aborted) return;
          if (error instanceof Processing) {
            connected(mine, true);
            set((s) => ({ ...s, loading: false, processing: true, failure: null }));
            timer = window.setTimeout(run, 1000);
            return;
          }
          const failure = error instanceof Failure ? error : new Failure(BROKEN, "Something went wrong in the page", String((error as Error).message), key);
          set((s) => ({ ...s, failure, loading: false, processing: false }));
          connected(mine, failure.status !== 0);
          if (failure.status === 0) timer = window.setTimeout(run, 5000);
        },
      );
    };
    run();
    return () => {
      mine.abort();
      connected(mine, true);
      clearTimeout(timer);
    };
  }, [key, turn]);
  const again = useCallback(() => setTurn((t) => t + 1), []);
  const cancel = useCallback(() => {
    controller.current?.abort();
    set((s) => ({ ...s, loading: false, failure: new Failure(CANCELED, "Canceled before the response arrived", "", "") }));
  }, []);
  return { ...state, again, cancel };
}

/** The bar while something loads. */
export function Bar({ of }: { of: { loading: boolean; cancel: () => void } }) {
  const [late, set] = useState(0);
  useEffect(() => {
    set(0);
    if (!of.loading) return;
    const one = setTimeout(() => set(1), 200);
    const two = setTimeout(() => set(2), 2000);
    return () => {
      clearTimeout(one);
      clearTimeout(two);
    };
  }, [of.loading]);
  return (
    <div class="bar-slot" aria-live="polite">
      {late > 0 && <div class="bar" role="progressbar" aria-label="Loading" />}
      {late > 1 && (
        <button class="small bar-cancel" onClick={of.cancel}>
          Cancel
        </button>
      )}
    </div>
  );
}

export function Problem({ failure, again }: { failure: Failure; again: () => void }) {
  return (
    <div class={failure.status === CANCELED ? "problem mild" : "problem"} role="alert">
      <strong>{clip(visible(failure.title), 300)}</strong>
      {failure.detail && <p>{clip(visible(failure.detail), 800)}</p>}
      {failure.request && (
        <p class="quiet">
          <code>{clip(visible(failure.request), 300)}</code> {failure.status > 0 && `· ${failure.status}`}
        </p>
      )}
      <button onClick={again}>Try again</button>
    </div>
  );
}

/** What to show of something loaded: the value if there is one, with the problem above it. */
export function Show<T>({ of, children }: { of: Loaded<T>; children: (value: T) => ComponentChildren }) {
  return (
    <>
      {of.failure && <Problem failure={of.failure} again={of.again} />}
      {of.processing && (
        <p class="note" role="status">
          Received, being processed. This page updates by itself.
        </p>
      )}
      {of.value !== null && children(of.value)}
    </>
  );
}
