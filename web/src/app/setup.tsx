/** How to send profiles here: lines to copy for each client, with this server's address. */
import { useEffect, useState } from "preact/hooks";
import type { Source } from "../data/source.ts";
import type { ProfileRow } from "../data/types.ts";
import { clip, visible } from "../flame/text.ts";
import { useLoad } from "../ui/load.tsx";
import { copy, toast } from "../ui/parts.tsx";
import { href } from "../ui/state.ts";
import { CLIENTS } from "./clients.ts";
import { when } from "./time.ts";

export function SetupLines({ source }: { source: Source }) {
  const status = useLoad("status", (signal) => source.status(signal));
  const needsKey = status.value?.["needs_key"] === true;
  const [at, set] = useState(0);
  const client = CLIENTS[at]!;
  const text = client.lines(location.origin, needsKey ? "KEY" : "");
  return (
    <div class="setup-lines">
      <div class="tabs" role="tablist" aria-label="Clients" onKeyDown={(event) => {
        const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
        if (step === 0) return;
        const next = (at + step + CLIENTS.length) % CLIENTS.length;
        set(next);
        (event.currentTarget.children[next] as HTMLElement).focus();
        event.preventDefault();
      }}>
        {CLIENTS.map((c, i) => (
          <button key={c.name} role="tab" aria-selected={i === at} aria-controls="setup-panel" tabIndex={i === at ? 0 : -1} onClick={() => set(i)}>
            {c.name}
          </button>
        ))}
      </div>
      <div class="setup-text" id="setup-panel" role="tabpanel" aria-label={client.name}>
        <pre tabIndex={0}>{text}</pre>
        <button class="small" onClick={() => void copy(text).then((done) => toast(done ? "Copied" : "The browser does not allow copying here"))}>
          Copy
        </button>
      </div>
      <p class="quiet">
        {client.note} {needsKey && (client.key ?? "Replace KEY with one of the intake keys.")}
      </p>
    </div>
  );
}

export function Setup({ source }: { source: Source }) {
  const [arrived, setArrived] = useState<ProfileRow | null>(null);
  useEffect(() => source.follow("", { profile: setArrived, deleted: () => {}, online: () => {} }), []);
  return (
    <div class="setup">
      <h1>Send profiles here</h1>
      <p class="quiet">This server listens on {location.origin}. Most profilers need only its address.</p>
      <SetupLines source={source} />
      <p class="waiting" role="status">
        {arrived ? (
          <>
            Received {clip(visible(arrived.service || "a profile"), 60)} at {when(arrived.start)}: <a href={href(`/profiles/${arrived.id}`)}>open it</a>
          </>
        ) : (
          "Waiting for an upload…"
        )}
      </p>
    </div>
  );
}
