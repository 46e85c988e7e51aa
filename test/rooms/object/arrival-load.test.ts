// An object that cannot keep up refuses new connections, at once and for little.

import { expect, it } from "vitest";
import { LIMITS } from "../../../src/model/options.ts";
import { ArrivalLoad } from "../../../src/rooms/object/arrival-load.ts";
import { handOver, sentAtOf } from "../../../src/rooms/rpc/arrival.ts";

const HELD = { fits: () => true };
const NOW = Date.now();

/** As the worker hands a client over, `ms` ago. */
async function arrived(ms: number): Promise<Request> {
  let request: Request | undefined;
  const fetch = async (input: string | Request, init?: object) => {
    request = new Request(input, init);
    return new Response(null);
  };
  await handOver({ fetch }, {});
  const sentAt = String(NOW - ms);
  return new Request(request!, {
    headers: { ...Object.fromEntries(request!.headers), "x-dormouse-sent-at": sentAt },
  });
}

const codeOf = (check: () => void): string => {
  try {
    check();
    return "in";
  } catch (error) {
    return (error as { code: string }).code;
  }
};

it("lets clients in that come in time, and refuses those that have waited too long", async () => {
  const load = new ArrivalLoad({ limits: LIMITS, held: HELD });
  const codes = await Promise.all(
    [0, 4_900, 5_100, 60_000, -60_000].map(async (ms) => {
      const request = await arrived(ms);
      return codeOf(() => load.check(sentAtOf(request), NOW));
    }),
  );
  expect(codes).toEqual(["in", "in", "unavailable", "unavailable", "in"]);
});

it("lets so many be under way at once, and further ones once these are in", async () => {
  const load = new ArrivalLoad({ limits: { ...LIMITS, arrivalsAtOnce: 2 }, held: HELD });
  const request = await arrived(0);
  const ways = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const done = ways.map(({ promise }) => load.during(promise));
  expect(codeOf(() => load.check(sentAtOf(request), NOW))).toBe("unavailable");
  ways[0]!.resolve();
  ways[1]!.reject(new Error("failed"));
  await Promise.allSettled(done);
  expect(codeOf(() => load.check(sentAtOf(request), NOW))).toBe("in");
});

it("refuses where the object's memory is spent", async () => {
  const load = new ArrivalLoad({ limits: LIMITS, held: { fits: () => false } });
  const request = await arrived(0);
  expect(codeOf(() => load.check(sentAtOf(request), NOW))).toBe("busy");
});
