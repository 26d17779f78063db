/** How to send profiles here: lines to copy for each client, with this server's address. */
import { useEffect, useState } from "preact/hooks";
import type { Source } from "../data/source.ts";
import type { ProfileRow } from "../data/types.ts";
import { clip, visible } from "../flame/text.ts";
import { useLoad } from "../ui/load.tsx";
import { copy, toast } from "../ui/parts.tsx";
import { href } from "../ui/state.ts";
import { when } from "./time.ts";

interface Client {
  name: string;
  lines: (url: string, key: string) => string;
  note: string;
}

const CLIENTS: Client[] = [
  {
    name: "Java",
    lines: (url, key) =>
      `java -javaagent:dd-java-agent.jar \\\n  -Ddd.profiling.enabled=true -Ddd.trace.agent.url=${url}${key && `/k/${key}`} \\\n  -Ddd.service=shop -Ddd.env=dev -Ddd.version=1.0 -jar app.jar`,
    note: "The first profile arrives about a minute after the start. If it does not get through, the agent logs “Failed to upload profile”.",
  },
  {
    name: "Python",
    lines: (url, key) => `pip install ddtrace\nDD_PROFILING_ENABLED=true DD_TRACE_AGENT_URL=${url}${key && `/k/${key}`} \\\n  DD_SERVICE=shop DD_ENV=dev ddtrace-run python app.py`,
    note: "One upload a minute. A failure is logged as “Failed to upload profile”.",
  },
  {
    name: "Go",
    lines: (url, key) =>
      `import "github.com/DataDog/dd-trace-go/v2/profiler"\n\nprofiler.Start(\n\tprofiler.WithService("shop"),\n\tprofiler.WithEnv("dev"),\n\tprofiler.WithProfileTypes(profiler.CPUProfile, profiler.HeapProfile),\n)\ndefer profiler.Stop()\n\n# run with\nDD_TRACE_AGENT_URL=${url}${key && `/k/${key}`} ./app`,
    note: "One upload a minute. A failure is logged as “Failed to upload profile”.",
  },
  {
    name: "Node.js",
    lines: (url) => `npm install dd-trace\nDD_PROFILING_ENABLED=true DD_TRACE_AGENT_URL=${url} \\\n  DD_SERVICE=shop DD_ENV=dev node -r dd-trace/init app.js`,
    note: "One upload a minute. If it does not get through, the client logs “Error from the agent”; DD_TRACE_DEBUG=true shows its log. This client sends no key: where keys are needed, start the server with --allow-from and its network.",
  },
  {
    name: "Pyroscope",
    lines: (url, key) =>
      `# Java\nPYROSCOPE_SERVER_ADDRESS=${url} PYROSCOPE_APPLICATION_NAME=shop PYROSCOPE_FORMAT=jfr \\\n${key ? `  PYROSCOPE_BASIC_AUTH_USER=jfrkit PYROSCOPE_BASIC_AUTH_PASSWORD=${key} \\\n` : ""}  java -javaagent:pyroscope.jar -jar app.jar\n\n# Python\npyroscope.configure(application_name="shop", server_address="${url}"${key && `, basic_auth_username="jfrkit", basic_auth_password="${key}"`})`,
    note: "Every 10 to 15 seconds. Any client of Pyroscope works; give it this address. A failure is logged as “Failed to send session” (Python) or “upload profile” (Go).",
  },
  {
    name: "curl",
    lines: (url, key) => `curl --data-binary @app.jfr ${key ? `-H 'Authorization: Bearer ${key}' ` : ""}'${url}/api/v1/recordings?service=shop&env=dev'\n\njfrkit upload app.jfr --service shop --env dev --url ${url} --wait`,
    note: "JFR or pprof, compressed or not. The answer names the profile, or says in one sentence what is wrong.",
  },
];

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
        {client.note}
        {needsKey && " Put one of the intake keys in place of KEY."}
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
