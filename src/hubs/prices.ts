// PriceHub: prices as a server stream, a random walk per symbol. It calls no client methods, and so declares no client
// interface.

import { z } from "zod";
import { hub, signedIn, stream } from "../hub.ts";

export const Symbol = z.string().min(1).max(128);

export interface Price {
  readonly symbol: string;
  readonly price: number;
  /** ISO 8601, UTC. */
  readonly timestamp: string;
}

interface Market {
  /** Milliseconds between prices. Default: 1,000. */
  readonly everyMs?: number;
  /** Random numbers, 0 ≤ x < 1. At 0.5 a price stays as it is. */
  readonly random?: () => number;
  readonly now?: () => number;
}

/** Makes the hub. Tests replace the interval, the clock and the random numbers. */
export const priceHub = (market: Market = {}) =>
  hub("prices", {
    authorize: signedIn,
    rooms: { group: { enter: signedIn }, order: { enter: signedIn } },
  }).methods({
    /** Streams prices until the caller cancels or disconnects. The opening price comes at once. */
    streamPrices: stream([Symbol], ({ signal }, symbol) => pricesOf(symbol, signal, market)),
  });

export const PriceHub = priceHub();
export type PriceHub = typeof PriceHub;

/** Prices of a symbol, the opening price at once, until the signal is aborted. */
export async function* pricesOf(
  symbol: string,
  signal: AbortSignal,
  { everyMs = 1_000, random = Math.random, now = Date.now }: Market = {},
): AsyncIterable<Price> {
  for (let price = openingPrice(symbol); !signal.aborted; price = nextPrice(price, random())) {
    yield { symbol, price, timestamp: new Date(now()).toISOString() };
    await pause(everyMs, signal);
  }
}

/** The first price, 10–509; equal for all callers of a symbol. */
const openingPrice = (symbol: string): number =>
  10 + ([...symbol].reduce((sum, letter) => sum * 31 + letter.codePointAt(0)!, 0) % 500);

/** Moves a price by at most 1 %, in whole cents. Rounding keeps prices of 50 cents or less, so none reaches zero. */
const nextPrice = (price: number, random: number): number =>
  Math.round(price * (1 + (random - 0.5) / 50) * 100) / 100;

/** Resolves after the delay, or at once on abort. Leaves no timer behind: a pending one would keep the object awake. */
function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(end, delayMs);
  signal.addEventListener("abort", end);
  function end() {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    resolve();
  }
  return promise;
}
