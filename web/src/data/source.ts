/**
 * Where the page gets its data. The pages know this interface only: a server's API and the answers inside a report are the same to them.
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

/** An answer that is not one: what to tell the user, and what was asked. */
export class Failure extends Error {
  constructor(
    /** HTTP status; 0 where there was no answer. */
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    /** The request, as it is shown. */
    readonly request: string,
    /** Where in the query a mistake is, where the server says so. */
    readonly at?: { start: number; end: number },
  ) {
    super(title);
  }
}

/** The answer while a profile is being derived. */
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
  /** Whether there is a server behind it: search, comparison of any profiles, uploads, groups by label. */
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
  /** The address of a download, or null where there is none. */
  fileUrl(id: string, name: string): string | null;
  exportUrl(selection: Selection, view: View, format: string): string | null;
  upload(file: File, progress: (share: number) => void): Promise<string>;
  change(id: string, change: { pinned?: boolean; note?: string }): Promise<void>;
  remove(id: string): Promise<void>;
  /** Follows what arrives; the result ends it. */
  follow(q: string, on: { profile(row: ProfileRow): void; deleted(id: string): void; online(up: boolean): void }): () => void;
}
