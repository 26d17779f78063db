/** Noise of sampling in comparisons, as the server judges it: the number of samples varies by its square root. */

/** Twice the standard deviation of `b − a`, for sums of samples that are worth `wa` and `wb` each; 0 if that is not known. */
export function spread(a: number, wa: number, b: number, wb: number): number {
  return 2 * Math.sqrt(a * wa + b * wb);
}

/** Whether sampling alone can explain the difference. */
export function isNoise(a: number, wa: number, b: number, wb: number): boolean {
  return a === b || Math.abs(a - b) < spread(a, wa, b, wb);
}

/** Twice the standard deviation of `b / a`. */
export function relativeSpread(a: number, wa: number, b: number, wb: number): number {
  return a > 0 && b > 0 ? (b / a) * spread(1, wa / a, 1, wb / b) : 0;
}
