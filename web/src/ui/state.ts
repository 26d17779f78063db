/** The URL is the only state: its query with a server, its fragment in a page from disk, where browsers allow nothing else. */
import { useEffect, useState } from "preact/hooks";

export interface Place {
  path: string;
  params: URLSearchParams;
}

let embedded = false;
const listeners = new Set<() => void>();

/** Pages from disk keep their state after `#`. */
export function useFragment(): void {
  embedded = true;
}

export function place(): Place {
  if (!embedded) return { path: location.pathname, params: new URLSearchParams(location.search) };
  const [path, search] = location.hash.replace(/^#/, "").split("?");
  return { path: path || "/", params: new URLSearchParams(search ?? "") };
}

/** The URL of a place, for links. */
export function href(path: string, params?: URLSearchParams | Record<string, string>): string {
  const query = (params instanceof URLSearchParams ? params : new URLSearchParams(params ?? {})).toString();
  return (embedded ? "#" : "") + path + (query ? `?${query}` : "");
}

/** Navigates to a URL; with `replace`, going back does not return to the current one. */
export function go(to: string, replace = false): void {
  if (to === (embedded ? location.hash : location.pathname + location.search)) return;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  tell();
}

function tell(): void {
  for (const listener of listeners) listener();
}

addEventListener("popstate", tell);
addEventListener("hashchange", tell);

/** Changes parameters: null and "" remove a parameter, a list repeats it. */
export function patch(change: Record<string, string | string[] | null>, replace = false): void {
  const { path, params } = place();
  for (const [key, value] of Object.entries(change)) {
    params.delete(key);
    if (Array.isArray(value)) for (const v of value) params.append(key, v);
    else if (value) params.set(key, value);
  }
  go(href(path, params), replace);
}

export function usePlace(): Place {
  const [at, set] = useState(place);
  useEffect(() => {
    const listener = (): void => set(place());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return at;
}

/** A setting stored in this browser for this page. Without access to storage, it lasts as long as the page. */
export function stored(key: string): string | null {
  try {
    return localStorage.getItem(`jfrkit.${key}`);
  } catch {
    return null;
  }
}

export function store(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`jfrkit.${key}`);
    else localStorage.setItem(`jfrkit.${key}`, value);
  } catch {
    // No access to storage: keep the setting in this page only.
  }
}

export type Theme = "light" | "dark";
const themeListeners = new Set<(theme: Theme) => void>();
const dark = matchMedia("(prefers-color-scheme: dark)");

export function theme(): Theme {
  return document.documentElement.dataset["theme"] === "dark" ? "dark" : "light";
}

function apply(to: Theme): void {
  document.documentElement.dataset["theme"] = to;
  for (const listener of themeListeners) listener(to);
}

export function setTheme(to: Theme): void {
  store("theme", to);
  apply(to);
}

/** Applies the theme chosen here, or else the system's. */
export function startTheme(): void {
  const chosen = (): Theme => {
    const set = stored("theme");
    return set === "light" || set === "dark" ? set : dark.matches ? "dark" : "light";
  };
  apply(chosen());
  dark.addEventListener("change", () => apply(chosen()));
}

export function useTheme(): Theme {
  const [now, set] = useState(theme);
  useEffect(() => {
    themeListeners.add(set);
    return () => void themeListeners.delete(set);
  }, []);
  return now;
}
