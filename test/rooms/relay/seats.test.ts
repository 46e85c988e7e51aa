// What a relay keeps for clients that are about to connect.

import { expect, it } from "vitest";
import { LIMITS } from "../../../src/model/options.ts";
import { Seats } from "../../../src/rooms/relay/seats.ts";
import { objectStorageOf, range, withStorage } from "../storage.ts";

const GRANTED = {
  ...{ hasSecretToken: true, statefulReconnect: false, pings: false },
  grant: { claims: { plan: "gold" } },
};

it("reads the grants of others once in a while, and deletes those whose clients did not come", () =>
  withStorage(async (storage) => {
    const { kv } = objectStorageOf(storage);
    let [now, read] = [1_000, 0];
    const counted = {
      ...kv,
      list(options: SyncKvListOptions) {
        const found = [...kv.list(options)];
        read += found.length;
        return found;
      },
    };
    const seats = new Seats({
      ...{ address: { tenant: "t", hub: "h", relay: "any-0-0" }, kv: counted as never },
      ...{ limits: { ...LIMITS, connectionsPerUser: 1_000 }, now: () => now },
      ...{ connectionCount: () => 0, connectionsOf: () => 0, endLost() {} },
    });
    for (const n of range(1, 300)) await seats.reserve({ id: `user${n}` }, GRANTED as never);
    const grants = () => [...kv.list({ prefix: "grant:" })].length;
    expect([grants(), read]).toEqual([300, 0]);
    now += 20_000;
    await seats.reserve({ id: "late" }, GRANTED as never);
    expect([grants(), read]).toEqual([1, 300]);
  }));
