// Prices as a server stream: a random walk per symbol. Pushes nothing by name, so it declares no client interface.

import { z } from "zod";
import { hub, signedIn, stream } from "../hub.ts";

const Symbol = z.string().min(1).max(128);

export interface Price {
  readonly symbol: string;
  readonly price: number;
  /** ISO 8601, UTC. */
  readonly timestamp: string;
}

export interface Market {
  /** Milliseconds between prices. Default: 1,000. */
  readonly everyMs?: number;
  /** 0 ≤ x < 1; 0.5 leaves a price where it is. */
  readonly random?: () => number;
  readonly now?: () => number;
}

export const priceHub = ({ everyMs = 1_000, random = Math.random, now = Date.now }: Market = {}) =>
  hub("prices", {
    authorize: signedIn,
    rooms: { group: { enter: signedIn }, order: { enter: signedIn } },
  }).methods({
    streamPrices: stream([Symbol], async function* ({ signal }, symbol): AsyncIterable<Price> {
      for (let price = opening(symbol); !signal.aborted; price = walk(price, random())) {
        yield { symbol, price, timestamp: new Date(now()).toISOString() };
        await pause(everyMs, signal);
      }
    }),
  });

export const PriceHub = priceHub();
export type PriceHub = typeof PriceHub;

/** 10–509, the same for everybody who asks for the symbol. */
const opening = (symbol: string): number =>
  10 + ([...symbol].reduce((sum, letter) => sum * 31 + letter.codePointAt(0)!, 0) % 500);

/** At most 1 % up or down, in whole cents: rounding holds what costs 50 or less, so nothing becomes worthless. */
const walk = (price: number, random: number): number =>
  Math.round(price * (1 + (random - 0.5) / 50) * 100) / 100;

/** Ends at once on abort and leaves no timer: a pending one would keep the object awake. */
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
