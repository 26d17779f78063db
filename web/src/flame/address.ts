/**
 * Addresses of nodes: a 64-bit hash of the names on a node's path, written as 16 lowercase hexadecimal digits.
 *
 * The hash is FNV-1a over the UTF-8 bytes of each name from the root's child down to the node, each name followed by a zero byte. The root's own
 * name does not count, so the root's address is the offset basis, `cbf29ce484222325`. An address survives reloads, new derivations and other
 * profiles of the same service, so links carry it. The crate `jfrkit-profile` computes the same.
 */
import type { Tree } from "./tree.ts";

/** The state of a hash: its upper and lower 32 bits. */
export type Hash = { hi: number; lo: number };

/** The FNV-1a 64-bit offset basis: the hash of the empty path. */
export const ROOT: Hash = { hi: 0xcbf29ce4, lo: 0x84222325 };

/** The address of every root. */
export const ROOT_ADDRESS = "cbf29ce484222325";

const encoder = new TextEncoder();

function step(hash: Hash, byte: number): void {
  // The FNV prime is 2^40 + 0x1b3. The low product needs more than 32 bits, so it is computed from 16-bit halves.
  const lo = (hash.lo ^ byte) >>> 0;
  const low = (lo & 0xffff) * 0x1b3;
  const mid = (lo >>> 16) * 0x1b3 + (low >>> 16);
  const carry = Math.floor(mid / 0x10000);
  hash.hi = (Math.imul(hash.hi, 0x1b3) + carry + (lo << 8)) >>> 0;
  hash.lo = (((mid & 0xffff) << 16) | (low & 0xffff)) >>> 0;
}

/** The hash of a path that continues `hash` by `name`. A lone surrogate counts as U+FFFD. */
export function child(hash: Hash, name: string): Hash {
  const next = { hi: hash.hi, lo: hash.lo };
  for (const byte of encoder.encode(name)) step(next, byte);
  step(next, 0);
  return next;
}

/** Sixteen lowercase hexadecimal digits. */
export function hex(hash: Hash): string {
  return hash.hi.toString(16).padStart(8, "0") + hash.lo.toString(16).padStart(8, "0");
}

/** The address of a node. */
export function addressOf(tree: Tree, node: number): string {
  const path: number[] = [];
  for (let at = node; at > 0; at = tree.parent[at]!) path.push(at);
  let hash = ROOT;
  for (let i = path.length - 1; i >= 0; i--) hash = child(hash, tree.names[tree.name[path[i]!]!]!);
  return hex(hash);
}

/** The node with this address, or -1. */
export function nodeAt(tree: Tree, address: string): number {
  if (address === ROOT_ADDRESS) return tree.size > 0 ? 0 : -1;
  const bytes = tree.names.map((name) => encoder.encode(name));
  const hi = new Uint32Array(tree.maxDepth + 2);
  const lo = new Uint32Array(tree.maxDepth + 2);
  hi[0] = ROOT.hi;
  lo[0] = ROOT.lo;
  const want = [parseInt(address.slice(0, 8), 16), parseInt(address.slice(8), 16)];
  const hash = { hi: 0, lo: 0 };
  for (let node = 1; node < tree.size; node++) {
    const depth = tree.depth[node]!;
    hash.hi = hi[depth - 1]!;
    hash.lo = lo[depth - 1]!;
    for (const byte of bytes[tree.name[node]!]!) step(hash, byte);
    step(hash, 0);
    if (hash.hi === want[0] && hash.lo === want[1]) return node;
    hi[depth] = hash.hi;
    lo[depth] = hash.lo;
  }
  return -1;
}
