// Chance that can be repeated: every random test draws from a seed, and says which one when it fails.

import { onTestFailed } from "vitest";

export interface Chance {
  readonly seed: number;
  /** 0 ≤ x < 1. */
  next(): number;
  /** A whole number, 0 ≤ n < below. */
  below(below: number): number;
  pick<T>(from: readonly T[]): T;
}

/**
 * Call it inside a test. `DORMOUSE_SEED=…` repeats one. `usual`: the seed of a run without `DORMOUSE_LONG=1`; default: a
 * random one.
 */
export function chance(usual?: number): Chance {
  const random = Math.floor(Math.random() * 2 ** 31);
  const seed = Number(process.env["DORMOUSE_SEED"] ?? sizeOf(usual ?? random, random));
  onTestFailed(() => console.error(`To repeat it: DORMOUSE_SEED=${seed}`));
  return chanceOf(seed);
}

/** mulberry32. */
export function chanceOf(seed: number): Chance {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return { seed, next, below, pick: (from) => from[below(from.length)]! };
}

/** The size of a test: the usual, or with `DORMOUSE_LONG=1` the full one. */
export const sizeOf = (usual: number, full: number): number =>
  process.env["DORMOUSE_LONG"] === "1" ? full : usual;
