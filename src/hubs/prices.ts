// PriceHub: prices as a server stream, one random walk for each symbol. It calls no client methods, and so declares
// none.

import * as z from "zod/mini";
import { hub, named, returns, signedIn } from "../hub.ts";

export const Symbol = z.string().check(z.minLength(1), z.maxLength(128));

export const Price = z.object({
  symbol: z.string(),
  price: z.number(),
  /** ISO 8601, UTC. */
  timestamp: z.string(),
});
export type Price = z.output<typeof Price>;

interface Market {
  /** Milliseconds between prices. Default: 1,000. */
  readonly everyMs?: number;
  readonly now?: () => number;
}

/** Makes the hub. Tests replace the interval and the clock. */
export const priceHub = (market: Market = {}) =>
  hub("prices", {
    authorize: signedIn,
    rooms: { group: { enter: signedIn }, order: { enter: signedIn } },
  }).methods({
    /** Streams prices until the caller cancels or disconnects. The present price is sent at once. */
    streamPrices: returns(Price).stream([named("symbol", Symbol)], ({ signal }, symbol) =>
      pricesOf(symbol, signal, market),
    ),
  });

export const PriceHub = priceHub();
export type PriceHub = typeof PriceHub;

/** Prices of a symbol, the present one at once, until the signal is aborted. */
export async function* pricesOf(
  symbol: string,
  signal: AbortSignal,
  { everyMs = 1_000, now = Date.now }: Market = {},
): AsyncIterable<Price> {
  for (let last = -1; !signal.aborted;) {
    const step = Math.floor(now() / everyMs);
    // A timer may ring a little early.
    if (step > last)
      yield {
        symbol,
        price: priceAt(symbol, step),
        timestamp: new Date(step * everyMs).toISOString(),
      };
    last = step;
    await pause(everyMs - (now() % everyMs), signal);
  }
}

/** Periods of the walk's parts, in steps: 1, 2, 4, … 2,048. Longer ones have larger amplitudes, as in a random walk. */
const SCALES = Array.from({ length: 12 }, (_, power) => 2 ** power);
/** The relative change of the price in one step of the shortest period. */
const VOLATILITY = 0.002;

/**
 * The price of a symbol at a step of the clock. It is a function of both, without memory, so that all streams in all
 * objects have the same price: with a walk for each viewer, two windows would show different prices.
 */
export function priceAt(symbol: string, step: number): number {
  const walk = SCALES.reduce(
    (sum, scale) => sum + Math.sqrt(scale) * noise(symbol, step / scale),
    0,
  );
  return Math.round(openingPrice(symbol) * Math.exp(VOLATILITY * walk) * 100) / 100;
}

/** The price around which a symbol moves, 10–509. */
const openingPrice = (symbol: string): number =>
  10 + ([...symbol].reduce((sum, letter) => sum * 31 + letter.codePointAt(0)!, 0) % 500);

/** −1 to 1: a fixed number at each whole place, linear between two of them. */
function noise(symbol: string, place: number): number {
  const whole = Math.floor(place);
  const [from, to] = [numberAt(symbol, whole), numberAt(symbol, whole + 1)];
  return from + (to - from) * (place - whole);
}

/** The FNV-1a hash of symbol and place, with its bits mixed once more. */
function numberAt(symbol: string, place: number): number {
  let hash = 2_166_136_261;
  for (const letter of `${symbol} ${place}`)
    hash = Math.imul(hash ^ letter.codePointAt(0)!, 16_777_619);
  hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_507);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 31 - 1;
}

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
