/** What to run to send profiles here, for each client: the commands and sentences of docs/serve.md, with the address and the key of this server. */

export interface Client {
  name: string;
  /** The key is empty if the server needs none. */
  lines: (url: string, key: string) => string;
  note: string;
  /** Beside the note if the server needs a key. */
  key?: string;
}

const withKey = (url: string, key: string): string => url + (key && `/k/${key}`);

export const CLIENTS: Client[] = [
  {
    name: "Java",
    lines: (url, key) =>
      `java -javaagent:dd-java-agent.jar -Ddd.profiling.enabled=true \\\n  -Ddd.service=shop -Ddd.env=prod -Ddd.version=1.3 \\\n  -Ddd.trace.agent.url=${withKey(url, key)} -jar shop.jar`,
    note: "The first upload arrives after about a minute, or sooner with -Ddd.profiling.start-delay=0 -Ddd.profiling.upload.period=15. If an upload fails, the agent logs “Failed to upload profile” with the reason, at most every five minutes, and does not retry.",
  },
  {
    name: "Python",
    lines: (url, key) => `pip install ddtrace\nDD_PROFILING_ENABLED=true DD_SERVICE=shop DD_ENV=prod \\\n  DD_TRACE_AGENT_URL=${withKey(url, key)} ddtrace-run python app.py`,
    note: "DD_PROFILING_UPLOAD_INTERVAL=15 shortens the upload interval. If an upload fails, the client logs “Failed to upload profile”.",
  },
  {
    name: "Go",
    lines: (url, key) => {
      // An address in the program has no room for a key or a scheme.
      const host = !key && url.startsWith("http:") && url.slice(7);
      return `profiler.Start(profiler.WithService("shop"), profiler.WithEnv("prod"),${host ? `\n    profiler.WithAgentAddr("${host}"),` : ""}\n    profiler.WithProfileTypes(profiler.CPUProfile, profiler.HeapProfile,\n        profiler.MutexProfile, profiler.BlockProfile))${host ? "" : `\n\n# run with\nDD_TRACE_AGENT_URL=${withKey(url, key)} ./app`}`;
    },
    note: "If an upload fails, the client logs “Failed to upload profile” and retries once.",
  },
  {
    name: "Node.js",
    lines: (url) => `npm install dd-trace\nDD_PROFILING_ENABLED=true DD_SERVICE=shop DD_ENV=prod \\\n  DD_TRACE_AGENT_URL=${url} node -r dd-trace/init app.js`,
    note: "If an upload fails, the client retries for up to a minute, and logs “Error from the agent”, which only DD_TRACE_DEBUG=true shows.",
    key: "This client sends no key: start the server with --allow-from and the client's network.",
  },
  {
    name: "Pyroscope",
    lines: (url, key) =>
      `# Java\nPYROSCOPE_SERVER_ADDRESS=${url} PYROSCOPE_APPLICATION_NAME=shop PYROSCOPE_FORMAT=jfr \\\n  PYROSCOPE_LABELS=env=prod ${key && `PYROSCOPE_AUTH_TOKEN=${key} `}java -javaagent:pyroscope.jar -jar shop.jar\n\n# Python\npyroscope.configure(application_name="shop", server_address="${url}",${key && `\n    basic_auth_username="jfrkit", basic_auth_password="${key}",`}\n    tags={"env": "prod"})\n\n# Go\npyroscope.Start(pyroscope.Config{ApplicationName: "shop", ServerAddress: "${url}",${key && `\n    BasicAuthUser: "jfrkit", BasicAuthPassword: "${key}",`}\n    Logger: pyroscope.StandardLogger})\n\n# Node.js\nPyroscope.init({ appName: "shop", serverAddress: "${url}"${key && `,\n    basicAuthUser: "jfrkit", basicAuthPassword: "${key}"`} }); Pyroscope.start();`,
    note: "If an upload fails, the client for Java logs “Error uploading snapshot” and retries up to eight times; the one for Go logs “upload profile: failed to upload”. Those for Python and Node.js log it only with enable_logging=True or DEBUG=pyroscope, respectively.",
  },
  {
    name: "OpenTelemetry",
    lines: (url, key) => `exporters:\n  otlphttp:\n    profiles_endpoint: ${url}/v1development/profiles${key && `\n    headers: { Authorization: "Bearer ${key}" }`}`,
    note: "Resource attributes become tags: service.name, deployment.environment.name, service.version, host.name.",
  },
  {
    name: "curl",
    lines: (url, key) =>
      `curl --data-binary @rec.jfr ${key && `-H 'Authorization: Bearer ${key}' `}\\\n  '${url}/api/v1/recordings?service=shop&env=test&tag=commit:abc123'\n\n${key && `JFRKIT_KEY=${key} `}jfrkit upload rec.jfr --url ${url} \\\n  --service shop --tag commit:abc123 --wait --fail-on warning`,
    note: "The body is a recording or a pprof file, optionally compressed with gzip, zstd, LZ4 or zip. “upload” prints the address of the page and the findings, and exits with status 3 if --fail-on matches.",
  },
];
