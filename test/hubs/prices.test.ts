// PriceHub: a server stream that ends when its reader cancels.

import { afterEach, describe, expect, it, vi } from "vitest";
import { calling } from "../../src/dispatch/testing/testing.ts";
import { PriceHub, priceHub, type Price } from "../../src/hubs/prices.ts";

const HOUR = 3_600_000;
const upward = () => calling(priceHub({ everyMs: 0, random: () => 0.999, now: () => 0 }));

async function read(prices: AsyncIterable<Price>, count: number): Promise<Price[]> {
  const seen: Price[] = [];
  for await (const price of prices) if (seen.push(price) === count) break;
  return seen;
}

afterEach(() => void vi.useRealTimers());

describe("prices.streamPrices", () => {
  it("walks from the symbol's opening price", async () => {
    const timestamp = "1970-01-01T00:00:00.000Z";
    expect(await read(upward().stream.streamPrices("A"), 3)).toEqual([
      { symbol: "A", price: 75, timestamp },
      { symbol: "A", price: 75.75, timestamp },
      { symbol: "A", price: 76.51, timestamp },
    ]);
  });

  it("opens each symbol at its own price, and the same for everybody", async () => {
    const open = async (symbol: string) =>
      (await read(upward().stream.streamPrices(symbol), 1)).map(({ price }) => price);
    expect(await open("AAPL")).toEqual(await open("AAPL"));
    expect(await open("AAPL")).not.toEqual(await open("MSFT"));
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
    await expect(read(upward().stream.streamPrices(""), 1)).rejects.toMatchObject({
      code: "invalid_arguments",
    });
  });

  it("refuses nobody", async () => {
    const { stream } = calling(PriceHub, { user: null });
    await expect(read(stream.streamPrices("A"), 1)).rejects.toMatchObject({ code: "forbidden" });
  });
});
