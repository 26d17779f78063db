/**
 * The cells of a heat map: which stacks were sampled in each, in three columns of unsigned LEB128 numbers, cell after cell. README.md describes them.
 *
 * A day has 30 million entries and more, so they stay as they are in the page. Where to begin is noted for each [`STRIDE`]th cell.
 */

export interface Columns {
  /** How many stacks a cell has; after a 0, how many more empty cells follow. */
  readonly stacks: Uint8Array;
  /** Which stacks, as differences. */
  readonly ranks: Uint8Array;
  /** How often each. */
  readonly counts: Uint8Array;
}

/** What differences of stack numbers refer to: the previous number in the cell, or the number at the same position in the previous cell. */
export type Base = "cell" | "before";

export interface Cells extends Columns {
  readonly base: Base;
  /** The number of samples in each cell. */
  readonly samples: Float64Array;
  /** Where a cell begins in each column, and the numbers of the cell before it. */
  readonly marks: readonly Mark[];
}

interface Mark {
  readonly cell: number;
  readonly at: readonly [number, number, number];
  readonly before: readonly number[];
}

/** A minute of cells of 20 ms. */
const STRIDE = 3000;

class Reader {
  private read: [number, number, number];
  private before: number[];
  /** Empty cells that are left of a run. */
  private empty = 0;

  constructor(
    private readonly columns: readonly Uint8Array[],
    private readonly base: Base,
    public cell: number,
    mark?: Mark,
  ) {
    this.read = mark ? [...mark.at] : [0, 0, 0];
    this.before = mark ? [...mark.before] : [];
  }

  private number(column: 0 | 1 | 2): number {
    const bytes = this.columns[column]!;
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[this.read[column]++];
      if (byte === undefined) throw new Error("heat map: the cells end too early");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
      if (scale > 2 ** 49) throw new Error("heat map: a number is too long");
    }
  }

  /** Whether a mark can be made here: not within a run of empty cells. */
  get between(): boolean {
    return this.empty === 0;
  }

  mark(): Mark {
    return { cell: this.cell, at: [...this.read], before: [...this.before] };
  }

  /** Reads the next cell and calls `entry` with each stack and its count. */
  next(entry: (stack: number, count: number) => void): void {
    this.cell++;
    if (this.empty > 0) {
      this.empty--;
      return;
    }
    const n = this.number(0);
    if (n === 0) {
      this.empty = this.number(0);
      return;
    }
    const known = this.before.length;
    const last = known > 0 ? this.before[known - 1]! : 0;
    let left = 0;
    for (let i = 0; i < n; i++) {
      const delta = this.number(1);
      let stack: number;
      if (this.base === "cell") stack = left += delta;
      else {
        const before = i < known ? this.before[i]! : last;
        stack = before + (delta % 2 === 0 ? delta / 2 : -(delta + 1) / 2);
        this.before[i] = stack;
      }
      entry(stack, this.number(2));
    }
    if (this.base === "before") this.before.length = n;
  }
}

/** Parses the cells; throws if bytes are missing or damaged. */
export function readCells(columns: Columns, cells: number, base: Base): Cells {
  const samples = new Float64Array(cells);
  const marks: Mark[] = [];
  const reader = new Reader([columns.stacks, columns.ranks, columns.counts], base, 0);
  let sum = 0;
  for (let cell = 0; cell < cells; cell++) {
    if (reader.between && cell >= marks.length * STRIDE) marks.push(reader.mark());
    sum = 0;
    reader.next((_, count) => (sum += count));
    samples[cell] = sum;
  }
  return { ...columns, base, samples, marks };
}

/** The self value of each node in the cells `from` to `to` (exclusive). */
export function selfOf(cells: Cells, nodes: ArrayLike<number>, size: number, from: number, to: number, weight: number): Float64Array {
  const self = new Float64Array(size);
  const mark = cells.marks.findLast((mark) => mark.cell <= from);
  const reader = new Reader([cells.stacks, cells.ranks, cells.counts], cells.base, mark?.cell ?? 0, mark);
  const skip = (): void => {};
  const add = (stack: number, count: number): void => {
    const node = nodes[stack];
    if (node !== undefined && node < size) self[node]! += count * weight;
  };
  const end = Math.min(to, cells.samples.length);
  while (reader.cell < end) reader.next(reader.cell < from ? skip : add);
  return self;
}
