// PriceHub: a server stream that ends when its reader cancels.

import { afterEach, describe, expect, it, vi } from "vitest";
import { calling } from "../../src/dispatch/testing/testing.ts";
import { priceAt, PriceHub, priceHub, type Price } from "../../src/hubs/prices.ts";

const HOUR = 3_600_000;

/** A hub whose clock is a second later at each look. */
function ticking(from = 0) {
  let at = from - 500;
  return calling(priceHub({ everyMs: 1, now: () => Math.floor((at += 500) / 1_000) }));
}

async function read(prices: AsyncIterable<Price>, count: number): Promise<Price[]> {
  const seen: Price[] = [];
  for await (const price of prices) if (seen.push(price) === count) break;
  return seen;
}

afterEach(() => void vi.useRealTimers());

describe("prices.streamPrices", () => {
  it("is one walk for each symbol: everybody sees the same price at the same time", async () => {
    const [first, second] = await Promise.all([
      read(ticking().stream.streamPrices("A"), 100),
      read(ticking().stream.streamPrices("A"), 100),
    ]);
    expect(first).toEqual(second);
    expect(first.map(({ price }, step) => [price, priceAt("A", step)])).toEqual(
      first.map(({ price }) => [price, price]),
    );
    expect(await read(ticking(50_000).stream.streamPrices("A"), 50)).toEqual(first.slice(50));
  });

  it("moves by little at a time, around a price of the symbol's own", () => {
    const steps = Array.from({ length: 20_000 }, (_, step) => step + 1_800_000_000);
    for (const [symbol, opening] of [
      ["A", 75],
      ["HAZEL", 142],
    ] as const) {
      const prices = steps.map((step) => priceAt(symbol, step));
      const moves = prices.slice(1).map((price, at) => Math.abs(price / prices[at]! - 1));
      expect(Math.max(...moves)).toBeLessThan(0.03);
      expect(moves.filter((move) => move > 0).length).toBeGreaterThan(19_000);
      const middle = prices.reduce((sum, price) => sum + price, 0) / prices.length;
      expect(middle / opening).toBeGreaterThan(0.8);
      expect(middle / opening).toBeLessThan(1.25);
      expect(Math.min(...prices)).toBeGreaterThan(0);
    }
  });

  it("gives each price once, with its own time, though a timer rings early", async () => {
    const times = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3];
    const early = calling(priceHub({ everyMs: 1, now: () => times.shift() ?? 4 }));
    const seen = await read(early.stream.streamPrices("A"), 3);
    expect(seen.map(({ timestamp }) => timestamp.slice(-4))).toEqual(["000Z", "001Z", "002Z"]);
  });

  it("ends at once when the reader is gone, and leaves no timer behind", async () => {
    vi.useFakeTimers();
    const { stream, stop } = calling(priceHub({ everyMs: HOUR }));
    const prices = stream.streamPrices("A")[Symbol.asyncIterator]();
    await prices.next();
    const pending = prices.next();
    await vi.waitUntil(() => vi.getTimerCount() === 1);
    stop();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends at once when the reader goes between two prices", async () => {
    const { stream, stop } = calling(priceHub({ everyMs: HOUR }));
    const seen: Price[] = [];
    for await (const price of stream.streamPrices("A")) {
      seen.push(price);
      stop();
    }
    expect(seen).toHaveLength(1);
  });

  it("refuses a symbol without a name", async () => {
    await expect(read(ticking().stream.streamPrices(""), 1)).rejects.toMatchObject({
      code: "invalid_arguments",
    });
  });

  it("refuses nobody", async () => {
    const { stream } = calling(PriceHub, { user: null });
    await expect(read(stream.streamPrices("A"), 1)).rejects.toMatchObject({ code: "forbidden" });
  });
});
