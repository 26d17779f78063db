/**
 * Where the page gets its data. The pages only know this interface, so the API of a server and the responses embedded in a report look the same to them.
 */
import type {
  AnalysisJson,
  DiffJson,
  DiffTableJson,
  FacetsJson,
  FlameJson,
  MetricsJson,
  ProfileDetail,
  ProfileRow,
  SearchJson,
  Selection,
  StatusJson,
  Suggestion,
  TableJson,
  View,
} from "./types.ts";

/** A failed request: what to show the user, and what was requested. */
export class Failure extends Error {
  constructor(
    /** HTTP status; 0 if there was no response. */
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    /** The request, as shown to the user. */
    readonly request: string,
    /** The position of the mistake in the query, if the server reports it. */
    readonly at?: { start: number; end: number },
  ) {
    super(title);
  }
}

/** The response while a profile is being processed. */
export class Processing extends Failure {
  constructor(request: string) {
    super(202, "Processing", "The profile has been received and is being processed.", request);
  }
}

export interface TableQuery {
  by: string;
  sort: string;
  filter: string;
  limit: number;
}

export interface Source {
  /** Whether there is a server, which provides search, comparison of any profiles, uploads and grouping by label. */
  readonly server: boolean;
  profiles(query: { q: string; from: string; to: string; sort: string; limit?: number; cursor?: string }, signal?: AbortSignal): Promise<SearchJson>;
  facets(query: { q: string; from: string; to: string; top?: number; names?: string }, signal?: AbortSignal): Promise<FacetsJson>;
  suggest(query: { prefix: string; from: string; to: string }, signal?: AbortSignal): Promise<Suggestion[]>;
  profile(id: string, signal?: AbortSignal): Promise<ProfileDetail>;
  flame(selection: Selection, view: View, signal?: AbortSignal): Promise<FlameJson>;
  table(selection: Selection, view: View, table: TableQuery, signal?: AbortSignal): Promise<TableJson>;
  diff(a: Selection, b: Selection, view: View, per: string, signal?: AbortSignal): Promise<DiffJson>;
  diffTable(a: Selection, b: Selection, view: View, per: string, signal?: AbortSignal): Promise<DiffTableJson>;
  analysis(id: string, signal?: AbortSignal): Promise<AnalysisJson>;
  metrics(query: { service: string; env: string; from: string; to: string; by: string }, signal?: AbortSignal): Promise<MetricsJson>;
  runtime(id: string, signal?: AbortSignal): Promise<string>;
  status(signal?: AbortSignal): Promise<StatusJson>;
  /** The URL of a download, or null if there is none. */
  fileUrl(id: string, name: string): string | null;
  exportUrl(selection: Selection, view: View, format: string): string | null;
  upload(file: File, progress: (share: number) => void): Promise<string>;
  change(id: string, change: { pinned: boolean }): Promise<void>;
  remove(id: string): Promise<void>;
  /** Subscribes to new profiles; the returned function unsubscribes. */
  follow(q: string, on: { profile(row: ProfileRow): void; deleted(id: string): void; online(up: boolean): void }): () => void;
}
