/** Which number a metric shows: the value of the whole profile, not one of its points over time. */
import type { MetricsJson, ProfileDetail } from "../data/types.ts";
import { value as show } from "../flame/format.ts";

type Metric = MetricsJson["metrics"][number];

/** The value of a profile, and whether it is a lower bound. */
export interface Whole {
  value: number;
  atLeast: boolean;
}

/** A value with its unit, marked if it is a lower bound. */
export function atLeast(value: number | null | undefined, unit: string, bound?: boolean): string {
  return value === null || value === undefined ? "–" : (bound ? "≥ " : "") + show(value, unit);
}

/** The value of this profile: from a report, or its point among those of a server, whose maximum belongs to the profile that it names. */
export function wholeOf(metric: Metric, profile: Pick<ProfileDetail, "id" | "cpu_cores_at_least" | "alloc_rate_at_least">): Whole | null {
  const own = metric.series.find((s) => s.profile === profile.id);
  if (own?.value !== undefined) return { value: own.value, atLeast: !!own.at_least };
  const points = metric.series.flatMap((s) => s.points.filter((p) => p[4] === profile.id));
  const bound = { "cpu.cores": profile.cpu_cores_at_least, "alloc.rate": profile.alloc_rate_at_least }[metric.name];
  return points.length === 1 ? { value: points[0]![3], atLeast: !!bound } : null;
}

/** Whether a metric has points over time to draw, not only values of whole profiles. On a server, several of those are its points. */
export function hasCourse(metric: Metric, server: boolean): boolean {
  const points = metric.series.map((s) => s.points.length);
  return server ? points.reduce((sum, n) => sum + n, 0) > 1 : points.some((n) => n > 1);
}
