/**
 * The cells of a heat map: which stacks were sampled in each.
 *
 * The bytes are unsigned LEB128 numbers, cell after cell: the number of stacks in the cell, then for each its rank less the rank of the one before it
 * (the first as it is), and its count. A cell without stacks is a 0, followed by how many more empty cells come after it.
 */

export interface Cells {
  /** Samples of each cell. */
  readonly counts: Float64Array;
  /** Where the entries of each cell begin; one more than there are cells. */
  readonly begin: Uint32Array;
  readonly stack: Uint32Array;
  readonly count: Uint32Array;
}

/** Reads the cells; too few or damaged bytes throw. */
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

/** The own value of each node in the cells `from` to `to` (exclusive). */
export function selfOf(cells: Cells, nodes: ArrayLike<number>, size: number, from: number, to: number, weight: number): Float64Array {
  const self = new Float64Array(size);
  const end = cells.begin[Math.min(to, cells.counts.length)]!;
  for (let i = cells.begin[from]!; i < end; i++) {
    const node = nodes[cells.stack[i]!];
    if (node !== undefined && node < size) self[node]! += cells.count[i]! * weight;
  }
  return self;
}
