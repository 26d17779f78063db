/**
 * The cells of a heat map: which stacks were sampled in each.
 *
 * The bytes are unsigned LEB128 numbers, cell after cell: the number of stacks in the cell, then for each stack the difference from the previous rank
 * (for the first one, the rank itself) and its count. A cell without stacks is a 0, followed by the number of further empty cells after it.
 */

export interface Cells {
  /** The number of samples in each cell. */
  readonly counts: Float64Array;
  /** The start of each cell's entries, followed by the end of the last cell. */
  readonly begin: Uint32Array;
  readonly stack: Uint32Array;
  readonly count: Uint32Array;
}

/** Parses the cells; throws if bytes are missing or damaged. */
export function readCells(bytes: Uint8Array, cells: number): Cells {
  const counts = new Float64Array(cells);
  const begin = new Uint32Array(cells + 1);
  let stack = new Uint32Array(1024);
  let count = new Uint32Array(1024);
  let used = 0;
  let at = 0;
  const number = (): number => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error("heat map: the cells end too early");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
      if (scale > 2 ** 49) throw new Error("heat map: a number is too long");
    }
  };
  for (let cell = 0; cell < cells; ) {
    begin[cell] = used;
    const n = number();
    if (n === 0) {
      const more = number();
      for (let k = 1; k <= more && cell + k < cells; k++) begin[cell + k] = used;
      cell += 1 + more;
      continue;
    }
    let rank = 0;
    for (let i = 0; i < n; i++) {
      rank += number();
      const c = number();
      if (used === stack.length) {
        const wider = new Uint32Array(used * 2);
        wider.set(stack);
        stack = wider;
        const longer = new Uint32Array(used * 2);
        longer.set(count);
        count = longer;
      }
      stack[used] = rank;
      count[used++] = c;
      counts[cell]! += c;
    }
    cell++;
  }
  begin[cells] = used;
  return { counts, begin, stack, count };
}

/** The self value of each node in the cells `from` to `to` (exclusive). */
export function selfOf(cells: Cells, nodes: ArrayLike<number>, size: number, from: number, to: number, weight: number): Float64Array {
  const self = new Float64Array(size);
  const end = cells.begin[Math.min(to, cells.counts.length)]!;
  for (let i = cells.begin[from]!; i < end; i++) {
    const node = nodes[cells.stack[i]!];
    if (node !== undefined && node < size) self[node]! += cells.count[i]! * weight;
  }
  return self;
}
