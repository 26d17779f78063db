/** The API of `jfrkit serve`. */
import { Failure, Processing, type Source, type TableQuery } from "./source.ts";
import type { FlameJson, ProfileRow, Selection, Suggestion, View } from "./types.ts";

/** Parameters of a selection; `prefix` is `a.` or `b.` in comparisons. */
export function selectionParams(to: URLSearchParams, selection: Selection, prefix = ""): void {
  for (const id of selection.profile ?? []) to.append(prefix + "profile", id);
  if (!selection.profile?.length) {
    if (selection.q) to.set(prefix + "q", selection.q);
    if (selection.from) to.set(prefix + "from", selection.from);
    if (selection.to) to.set(prefix + "to", selection.to);
  }
}

/** Parameters of a view. */
export function viewParams(to: URLSearchParams, view: View): void {
  to.set("type", view.type);
  if (view.value) to.set("value", view.value);
  if (view.view && view.view !== "flame") to.set("view", view.view);
  if (view.view === "sandwich" && view.function) to.set("function", view.function);
  if (view.group) to.set("group", view.group);
  if (view.recursion) to.set("recursion", "collapse");
  for (const prefix of view.library ?? []) to.append("library", prefix);
  if (view.lines) to.set("lines", "1");
  if (view.per && view.per !== "total") to.set("per", view.per);
  for (const re of view.include ?? []) to.append("include", re);
  for (const re of view.exclude ?? []) to.append("exclude", re);
  for (const re of view.hide ?? []) to.append("hide", re);
  if (view.thread) to.set("thread", view.thread);
  if (view.root) to.set("root", view.root);
  if (view.search) to.set("search", view.search);
  if (view.min !== undefined) to.set("min", String(view.min));
}

export class ApiSource implements Source {
  readonly server = true;

  constructor(private readonly base = "/api/v1") {}

  private async ask(path: string, signal?: AbortSignal, init: RequestInit = {}): Promise<Response> {
    const url = `${this.base}${path}`;
    let response: Response;
    try {
      response = await fetch(url, { credentials: "same-origin", ...init, signal });
    } catch (error) {
      if ((error as Error).name === "AbortError") throw error;
      throw new Failure(0, "The server does not respond", "jfrkit serve may have stopped, or the network is down.", url);
    }
    if (response.status === 202 && init.method === undefined) throw new Processing(url);
    if (!response.ok) {
      const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
      const text = (key: string): string => (typeof body[key] === "string" ? body[key] : "");
      const start = body["start"] ?? body["position"];
      const at = typeof start === "number" ? { start, end: typeof body["end"] === "number" ? body["end"] : start + 1 } : undefined;
      throw new Failure(response.status, text("title") || `The server responded with status ${response.status}`, text("detail"), url, at);
    }
    return response;
  }

  private async json<T>(path: string, params: URLSearchParams | Record<string, string>, signal?: AbortSignal): Promise<T> {
    const query = params instanceof URLSearchParams ? params : new URLSearchParams(Object.entries(params).filter(([, v]) => v !== ""));
    const text = query.toString();
    return (await (await this.ask(path + (text ? `?${text}` : ""), signal)).json()) as T;
  }

  profiles: Source["profiles"] = ({ q, from, to, sort, limit, cursor }, signal) =>
    this.json("/profiles", { q, from, to, sort, limit: String(limit ?? 50), cursor: cursor ?? "" }, signal);

  facets: Source["facets"] = ({ q, from, to, top, names }, signal) =>
    this.json("/facets", { q, from, to, top: String(top ?? 20), names: names ?? "" }, signal);

  suggest: Source["suggest"] = async ({ prefix, from, to }, signal) => {
    const answer = await this.json<unknown>("/suggest", new URLSearchParams({ prefix, ...(from && { from }), ...(to && { to }) }), signal);
    const list = Array.isArray(answer) ? answer : ((answer as Record<string, unknown>)["suggestions"] ?? []);
    return (list as Record<string, unknown>[]).map((s): Suggestion => ({
      text: String(s["text"] ?? s["value"] ?? ""),
      kind: typeof s["kind"] === "string" ? s["kind"] : undefined,
      count: typeof s["count"] === "number" ? s["count"] : undefined,
    }));
  };

  profile: Source["profile"] = (id, signal) => this.json(`/profiles/${encodeURIComponent(id)}`, {}, signal);

  flame: Source["flame"] = async (selection, view, signal) => {
    const params = new URLSearchParams();
    selectionParams(params, selection);
    viewParams(params, view);
    const answer = await this.json<Record<string, unknown>>("/flame", params, signal);
    // A sandwich consists of two trees.
    const { callers, callees, ...head } = answer;
    if (callers && callees) return { ...(callers as object), ...head, callees } as FlameJson;
    return answer as unknown as FlameJson;
  };

  table: Source["table"] = (selection, view, table: TableQuery, signal) => {
    const params = new URLSearchParams();
    selectionParams(params, selection);
    viewParams(params, { ...view, view: "flame", root: undefined, min: undefined });
    params.set("by", table.by);
    params.set("sort", table.sort);
    if (table.filter) params.set("filter", table.filter);
    params.set("limit", String(table.limit));
    return this.json("/table", params, signal);
  };

  private pair(a: Selection, b: Selection, view: View, per: string): URLSearchParams {
    const params = new URLSearchParams();
    selectionParams(params, a, "a.");
    selectionParams(params, b, "b.");
    viewParams(params, { ...view, per: undefined });
    params.set("per", per);
    return params;
  }

  diff: Source["diff"] = (a, b, view, per, signal) => this.json("/diff", this.pair(a, b, view, per), signal);

  diffTable: Source["diffTable"] = (a, b, view, per, signal) => {
    const params = this.pair(a, b, view, per);
    params.set("limit", "10000");
    return this.json("/diff/table", params, signal);
  };

  analysis: Source["analysis"] = (id, signal) => this.json(`/profiles/${encodeURIComponent(id)}/analysis`, {}, signal);

  metrics: Source["metrics"] = (query, signal) => this.json("/metrics", query, signal);

  runtime: Source["runtime"] = async (id, signal) =>
    (await this.ask(`/profiles/${encodeURIComponent(id)}/runtime`, signal, { headers: { Accept: "text/plain" } })).text();

  status: Source["status"] = (signal) => this.json("/status", {}, signal);

  fileUrl(id: string, name: string): string {
    return `${this.base}/profiles/${encodeURIComponent(id)}/files/${encodeURIComponent(name)}`;
  }

  exportUrl(selection: Selection, view: View, format: string): string {
    const params = new URLSearchParams();
    selectionParams(params, selection);
    viewParams(params, { ...view, root: undefined, min: undefined });
    params.set("format", format);
    return `${this.base}/export?${params}`;
  }

  upload(file: File, progress: (share: number) => void): Promise<string> {
    const url = `${this.base}/recordings?${new URLSearchParams({ tag: `file:${file.name}` })}`;
    return new Promise((resolve, reject) => {
      // fetch does not report upload progress.
      const request = new XMLHttpRequest();
      request.open("POST", url);
      request.setRequestHeader("X-Jfrkit", "1");
      request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
      request.onerror = () => reject(new Failure(0, "The upload failed", "The server does not respond.", url));
      request.onload = () => {
        let body: Record<string, unknown> = {};
        try {
          body = JSON.parse(request.responseText) as Record<string, unknown>;
        } catch {
          // Not JSON; the status is enough.
        }
        if (request.status < 300 && typeof body["id"] === "string") resolve(body["id"]);
        else reject(new Failure(request.status, String(body["title"] ?? `The server responded with status ${request.status}`), String(body["detail"] ?? ""), url));
      };
      request.send(file);
    });
  }

  async change(id: string, change: { pinned: boolean }): Promise<void> {
    await this.ask(`/profiles/${encodeURIComponent(id)}`, undefined, {
      method: "PATCH",
      headers: { "Content-Type": "application/json", "X-Jfrkit": "1" },
      body: JSON.stringify(change),
    });
  }

  async remove(id: string): Promise<void> {
    await this.ask(`/profiles/${encodeURIComponent(id)}`, undefined, { method: "DELETE", headers: { "X-Jfrkit": "1" } });
  }

  follow: Source["follow"] = (q, on) => {
    const events = new EventSource(`${this.base}/events?${new URLSearchParams(q ? { q } : {})}`);
    events.addEventListener("profile", (event) => on.profile(JSON.parse((event as MessageEvent<string>).data) as ProfileRow));
    events.addEventListener("deleted", (event) => {
      const data = JSON.parse((event as MessageEvent<string>).data) as unknown;
      on.deleted(typeof data === "string" ? data : String((data as { id?: string }).id));
    });
    events.onopen = () => on.online(true);
    events.onerror = () => on.online(false);
    return () => events.close();
  };
}
