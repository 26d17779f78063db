/** The page of a server, and of a report. No page knows which of the two it has. */
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiSource } from "../data/api.ts";
import { EmbeddedSource, page } from "../data/embedded.ts";
import { Failure, type Source } from "../data/source.ts";
import { clip, visible } from "../flame/text.ts";
import { percent } from "../flame/format.ts";
import { PANEL_KEYS } from "../panel/panel.tsx";
import { useConnected } from "../ui/load.tsx";
import { Help, ThemeButton, typing } from "../ui/parts.tsx";
import { go, href, startTheme, useFragment, usePlace } from "../ui/state.ts";
import { Compare } from "./compare.tsx";
import { Merged } from "./merged.tsx";
import { Profile } from "./profile.tsx";
import { Search } from "./search.tsx";
import { Setup } from "./setup.tsx";
import { Status } from "./status.tsx";

const KEYS: [string, string][] = [["?", "this help"], ["1 2 3 4", "tabs of a profile"], ["p n", "older and newer profile of the process"], ...PANEL_KEYS];

function App({ source, title }: { source: Source; title?: string }) {
  const { path, params } = usePlace();
  const [help, setHelp] = useState(false);
  const online = useConnected();
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      if (event.key === "?" && !typing(event)) {
        setHelp(true);
        event.preventDefault();
      }
    };
    addEventListener("keydown", listener);
    return () => removeEventListener("keydown", listener);
  }, []);
  // Links inside the page keep it; others, and those with a modifier, go where links go.
  useEffect(() => {
    const listener = (event: MouseEvent): void => {
      const link = (event.target as HTMLElement).closest?.("a");
      if (!link || event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      const to = link.getAttribute("href") ?? "";
      if (link.target || link.hasAttribute("download") || to.startsWith("/api/") || !(to.startsWith("/") || to.startsWith("#/"))) return;
      event.preventDefault();
      go(to);
      scrollTo(0, 0);
    };
    addEventListener("click", listener);
    return () => removeEventListener("click", listener);
  }, []);
  const id = /^\/profiles\/([^/]+)$/.exec(path)?.[1];
  const section = id ? "profiles" : (/^\/(\w+)/.exec(path)?.[1] ?? "profiles");
  useEffect(() => {
    if (!id) document.title = `${{ compare: "Compare", flame: "Flame graph", setup: "Setup", status: "Status" }[section] ?? "Profiles"} · jfrkit`;
  }, [section, id]);
  return (
    <div class="page app">
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.querySelector<HTMLElement>("main")?.focus(); }}>
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href={href("/profiles")}>
          <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
            <rect x="1" y="2" width="14" height="3" rx="1" fill="#d9731f" />
            <rect x="1" y="6" width="10" height="3" rx="1" fill="#f2a05a" />
            <rect x="3" y="10" width="5" height="3" rx="1" fill="#1a62ad" />
          </svg>
          jfrkit
        </a>
        <nav aria-label="Pages">
          {(source.server ? [["profiles", "Profiles"], ["compare", "Compare"], ["setup", "Setup"], ["status", "Status"]] : [["profiles", "Profiles"]]).map(([key, text]) => (
            <a key={key} href={href(`/${key}`)} aria-current={section === key ? "page" : undefined}>
              {text}
            </a>
          ))}
        </nav>
        {title && <span class="quiet title">{clip(visible(title), 200)}</span>}
        <span class="grow" />
        <button class="plain icon" onClick={() => setHelp(true)} title="Keys (?)" aria-label="Keys">
          ?
        </button>
        <ThemeButton />
        {source.server && <Upload source={source} />}
      </header>
      {!online && (
        <p class="banner" role="alert">
          The server does not respond. Retrying; the data on this page may be out of date.
        </p>
      )}
      <main tabIndex={-1}>
        {id ? (
          <Profile key={id} id={decodeURIComponent(id)} source={source} />
        ) : section === "compare" && source.server ? (
          <Compare source={source} />
        ) : section === "flame" ? (
          <Merged source={source} />
        ) : section === "setup" && source.server ? (
          <Setup source={source} />
        ) : section === "status" && source.server ? (
          <Status source={source} />
        ) : section === "profiles" || path === "/" ? (
          <Search source={source} params={params} />
        ) : (
          <div class="note">
            <h2>Page not found</h2>
            <p>
              <a href={href("/profiles")}>All profiles</a>
            </p>
          </div>
        )}
      </main>
      {help && <Help keys={KEYS} onClose={() => setHelp(false)} />}
    </div>
  );
}

/** The upload button; files may also be dropped anywhere. */
function Upload({ source }: { source: Source }) {
  const input = useRef<HTMLInputElement>(null);
  const [state, set] = useState<{ name: string; share: number; failure: Failure | null } | null>(null);
  const [over, setOver] = useState(false);
  const send = async (files: FileList | File[]): Promise<void> => {
    let last = "";
    const all = [...files];
    for (const file of all) {
      set({ name: file.name, share: 0, failure: null });
      try {
        last = await source.upload(file, (share) => set({ name: file.name, share, failure: null }));
      } catch (error) {
        set({ name: file.name, share: 0, failure: error instanceof Failure ? error : new Failure(0, "The upload failed", String(error), file.name) });
        return;
      }
    }
    set(null);
    if (all.length === 1 && last) go(href(`/profiles/${last}`));
    else if (last) go(href("/profiles"));
  };
  useEffect(() => {
    let depth = 0;
    const files = (event: DragEvent): boolean => !!event.dataTransfer?.types.includes("Files");
    const enter = (event: DragEvent): void => {
      if (files(event)) {
        depth++;
        setOver(true);
      }
    };
    const leave = (event: DragEvent): void => {
      if (files(event) && --depth <= 0) setOver(false);
    };
    const drag = (event: DragEvent): void => {
      if (files(event)) event.preventDefault();
    };
    const drop = (event: DragEvent): void => {
      if (!files(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      if (event.dataTransfer?.files.length) void send(event.dataTransfer.files);
    };
    addEventListener("dragenter", enter);
    addEventListener("dragleave", leave);
    addEventListener("dragover", drag);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragenter", enter);
      removeEventListener("dragleave", leave);
      removeEventListener("dragover", drag);
      removeEventListener("drop", drop);
    };
  }, []);
  return (
    <>
      <button onClick={() => input.current?.click()}>Upload</button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Recordings or profiles to upload"
        onChange={(e) => {
          if (e.currentTarget.files?.length) void send(e.currentTarget.files);
          e.currentTarget.value = "";
        }}
      />
      {over && <div class="drop">Drop recordings or pprof files to upload them</div>}
      {state && (
        <div class="upload" role="status">
          <bdi>{clip(visible(state.name), 80)}</bdi>
          {state.failure ? (
            <>
              <p class="danger">
                {clip(visible(state.failure.title), 200)}. {clip(visible(state.failure.detail), 300)}
              </p>
              <button class="small" onClick={() => set(null)}>
                Close
              </button>
            </>
          ) : (
            <>
              <progress max={1} value={state.share} aria-label="Upload" /> {state.share < 1 ? percent(state.share) : "stored, being processed"}
            </>
          )}
        </div>
      )}
    </>
  );
}

const data = page();
if (data) {
  useFragment();
  // A report on one profile opens at it.
  if (data.profiles?.length === 1 && !location.hash) go(href(`/profiles/${data.profiles[0]!.row.id}`), true);
}
startTheme();
const root = document.getElementById("root")!;
root.textContent = "";
render(<App source={data ? new EmbeddedSource(data) : new ApiSource()} title={data?.title} />, root);
