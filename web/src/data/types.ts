/** The responses of the API, as far as the page reads them. `/api/v1/openapi.json` describes them. */
import type { DiffRow, Row } from "../flame/table.ts";
import type { TreeJson } from "../flame/tree.ts";

/** One row of the search. */
export interface ProfileRow {
  id: string;
  start: string;
  end: string;
  service: string;
  env: string;
  version: string;
  host: string;
  runtime: string;
  language: string;
  types: string[];
  cpu_cores: number | null;
  alloc_rate: number | null;
  cpu_cores_at_least?: boolean;
  alloc_rate_at_least?: boolean;
  bytes: number;
  status: "received" | "processing" | "ready" | "failed";
  findings?: { warning: number; info: number } | null;
  warnings?: number | string[];
  pinned?: boolean;
}

/** A value of a profile type. */
export interface ValueInfo {
  name: string;
  unit: string;
  total: number;
  samples?: number;
}

/** A profile type of a profile. */
export interface TypeInfo {
  type: string;
  name: string;
  definition: string;
  values: ValueInfo[];
  absent?: string | null;
  /** Whether the type is one of the language's main types; the others follow below a divider. */
  core?: boolean;
}

/** A profile, with everything that its page shows above the tabs. */
export interface ProfileDetail extends Omit<ProfileRow, "types" | "warnings"> {
  types: TypeInfo[];
  tags?: Record<string, string> | [string, string][];
  /** What was received, and what was made of it. */
  files?: { name: string; kind: "received" | "derived"; bytes: number; label: string }[];
  process?: { previous?: string | null; next?: string | null };
  warnings?: string[];
  how?: string[];
  received_until?: string | null;
  derived?: unknown;
  main?: string | null;
  profiler?: string | null;
  /** Why the upload could not be read. */
  reason?: string | null;
  processors?: number | null;
  /** In a report: the time range of its metrics. */
  metrics_from?: string;
  metrics_to?: string;
}

/** Which profiles: by id, or the results of a query. */
export interface Selection {
  profile?: string[];
  q?: string;
  from?: string;
  to?: string;
}

/** How to show them. */
export interface View {
  type: string;
  value?: string;
  view?: "flame" | "callers" | "sandwich";
  function?: string;
  group?: string;
  recursion?: boolean;
  library?: string[];
  lines?: boolean;
  per?: "total" | "second";
  include?: string[];
  exclude?: string[];
  hide?: string[];
  thread?: string;
  root?: string;
  min?: number;
  /** Counts matches in the complete tree. */
  search?: string;
}

/** A flame graph; a sandwich has a separate tree for the callees. */
export interface FlameJson extends TreeJson {
  /** The keys of the labels that the samples have. */
  labels?: string[];
  callees?: TreeJson;
}

export interface TableJson {
  total: number;
  unit: string;
  rows: Row[];
  count: number;
  samples?: number;
  rest?: { self?: number; total?: number } | null;
  /** In a page from disk that has only the first rows: how many it has, and how many there are. */
  cut?: [number, number];
}

/** One side of a comparison. */
export interface Side {
  total: number;
  samples?: number;
  seconds?: number;
  label?: string;
  profiles?: { matched: number; merged: number };
}

export interface DiffJson extends TreeJson {
  a: Side;
  b: Side;
  per?: "second" | "share";
}

export interface DiffTableJson {
  a: Side;
  b: Side;
  unit: string;
  rows: DiffRow[];
  count: number;
}

export interface SearchJson {
  total: number;
  rows: ProfileRow[];
  next?: string | null;
}

export interface FacetsJson {
  facets: Record<string, { values: { value: string; count: number }[]; more: number }>;
  histogram?: { step_ms: number; start: string | number; counts: number[] };
  measures?: Record<string, { min: number | null; p50: number | null; p95: number | null; max: number | null }>;
}

export interface Suggestion {
  text: string;
  kind?: string;
  count?: number;
}

/** A point: time, minimum, mean, maximum, and the profile with the maximum. */
export type Point = [number | string, number, number, number, string?];

export interface MetricsJson {
  step_ms: number;
  metrics: {
    name: string;
    title: string;
    unit: string;
    how: string;
    group?: string;
    series: {
      key: Record<string, string>;
      points: Point[];
      /** In a report: the profile, its value as a whole, and whether that is a lower bound. */
      profile?: string;
      value?: number;
      at_least?: boolean;
    }[];
  }[];
}

/** A value of evidence (`docs/analysis.schema.json`). */
export type Evidence =
  | { type: "number"; value: number; unit: string }
  | { type: "text"; value: string }
  | { type: "flag"; value: boolean }
  | { type: "duration"; nanos: number }
  | { type: "bytes"; value: number }
  | { type: "percent"; value: number }
  | { type: "instant"; epoch_nanos: number }
  | { type: "window"; from_nanos: number; to_nanos: number }
  | { type: "stack"; frames: Frame[] }
  | { type: "methods"; rows: { method: Frame; application_frame: Frame | null; value: Evidence; percent: number }[] }
  | { type: "list"; of: string; items: string[] }
  | { type: "table"; columns: string[]; rows: Evidence[][] }
  | { type: "series"; from_nanos?: number; to_nanos?: number; unit?: string; values: number[] };

export interface Frame {
  method: string;
  line: number | null;
}

export interface Rule {
  id: string;
  title: string;
  category: string;
  severity: "warning" | "info" | "ok" | "not-applicable";
  score: number | null;
  summary: string;
  explanation: string;
  remedy: string;
  evidence: Record<string, Evidence>;
  not_applicable_because?: string | null;
  failed?: boolean;
  section?: string;
  cost?: { share?: number | null; text?: string | null } | number | string | null;
}

export interface AnalysisJson {
  recording?: { file?: string; start_nanos?: number; duration_nanos?: number; notes?: string[]; warnings?: string[] };
  rules?: Rule[];
  findings?: (Rule | string)[];
}

export interface StatusJson {
  version?: string;
  [key: string]: unknown;
}
