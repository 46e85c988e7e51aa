// The rate at which a user may begin connections, in hubs that allow different ones.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Account } from "../../../src/rooms/account/account.ts";
import type { AccountStore } from "../../../src/rooms/account/account-store.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

const STRICT = { perSecond: 1, burst: 2 };
const LAX = { perSecond: 20, burst: 200 };

function connecting() {
  const store = { ban: () => undefined, isRevoked: () => false, roomUse: () => undefined };
  const account = new Account({
    ...{ user: "alice", stubs: () => ({}) as never },
    store: { ...store, groups: () => [], hasObject: () => true } as unknown as AccountStore,
    ...{ arm() {}, tidyLater() {}, inBackground() {} },
  });
  const admit = (hub: string, rate: typeof STRICT) =>
    account.admit({ object: `t/${hub}/group/g`, token: { id: "alice" }, rate });
  /** How many of so many connects are let in. */
  const connect = async (hub: string, rate: typeof STRICT, times: number) => {
    let admitted = 0;
    for (let at = 0; at < times; at++) if (!("fault" in (await admit(hub, rate)))) admitted++;
    return admitted;
  };
  return { admit, connect };
}

it("is that of the hub, whichever hub was first", async () => {
  for (const hubs of [
    { strict: STRICT, lax: LAX },
    { lax: LAX, strict: STRICT },
  ]) {
    const { connect } = connecting();
    for (const [hub, rate] of Object.entries(hubs))
      expect([hub, await connect(hub, rate, 210)]).toEqual([hub, rate.burst]);
  }
});

it("is one for all hubs that allow the same", async () => {
  const { connect } = connecting();
  expect(await connect("chat", LAX, 150)).toBe(150);
  expect(await connect("orders", LAX, 150)).toBe(50);
});

it("says when the next connection may begin", async () => {
  const { admit } = connecting();
  const seldom = { perSecond: 0.3, burst: 1 };
  await admit("chat", seldom);
  expect(await admit("chat", seldom)).toMatchObject({
    fault: { code: "rate_limited", retryAfter: 4 },
  });
});
