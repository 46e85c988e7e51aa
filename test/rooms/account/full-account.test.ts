// An account whose user is in as many objects as it may be.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Account } from "../../../src/rooms/account/account.ts";
import { AccountStore, OBJECTS_AT_MOST } from "../../../src/rooms/account/account-store.ts";
import { PrefixedKv } from "../../../src/rooms/platform/prefixed-kv.ts";
import type { CommandOutcome } from "../../../src/rooms/rpc/command.ts";
import type { RoomStubs } from "../../../src/rooms/rpc/object-names.ts";
import { memory } from "./memory.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

/** `present`: the number of connections that each object has. */
async function fullAccount(present: Map<string, number>) {
  const command = vi.fn<(object: string) => Promise<CommandOutcome>>(async (object) => ({
    ...{ matched: 0, present: present.get(object) ?? 0 },
  }));
  const stubs = ((object: string) => ({ command: () => command(object) })) as unknown as RoomStubs;
  const store = new AccountStore(new PrefixedKv(memory(), "user/alice/"));
  const account = new Account({
    ...{ user: "alice", store, stubs: () => stubs },
    ...{ arm() {}, tidyLater() {}, inBackground() {} },
  });
  const enter = async (object: string) => {
    const reply = await account.admit({ object, token: { id: "alice" } });
    return "fault" in reply ? reply.fault.code : "in";
  };
  for (let at = 0; at < OBJECTS_AT_MOST; at++) await enter(`default/chat/group/${at}`);
  return { command, enter };
}

/** Objects that one attempt asks. */
const AT_ONCE = 100;

const everywhere = () =>
  new Map(Array.from({ length: OBJECTS_AT_MOST }, (_, at) => [`default/chat/group/${at}`, 1]));

it("asks a few of its objects for many attempts, and others later", async () => {
  const present = everywhere();
  const { command, enter } = await fullAccount(present);
  const attempt = (at: number) => enter(`default/chat/group/more-${at}`);
  const attempts = await Promise.all(Array.from({ length: 50 }, (_, at) => attempt(at)));
  expect(new Set(attempts)).toEqual(new Set(["too_many_connections"]));
  expect(command).toHaveBeenCalledTimes(AT_ONCE);
  present.delete("default/chat/group/7");
  expect(await attempt(50)).toBe("too_many_connections");
  for (let round = 1; round < OBJECTS_AT_MOST / AT_ONCE; round++) {
    vi.setSystemTime(Date.now() + 10_000);
    if ((await attempt(50 + round)) === "in") break;
    expect(command).toHaveBeenCalledTimes((round + 1) * AT_ONCE);
  }
  expect(await attempt(99)).toBe("too_many_connections");
});

it("has room as soon as one of its objects is found empty", async () => {
  const present = everywhere();
  present.delete("default/chat/group/1");
  const { enter } = await fullAccount(present);
  expect(await enter("default/chat/group/more")).toBe("in");
});

it("asks ten for each second since the last look, so that others do not wait behind a hundred", async () => {
  const { command, enter } = await fullAccount(everywhere());
  const asked = async (ms: number) => {
    const before = command.mock.calls.length;
    vi.setSystemTime(Date.now() + ms);
    await enter("default/chat/group/more");
    return command.mock.calls.length - before;
  };
  expect([await asked(1_000), await asked(1_000), await asked(2_500), await asked(500)]).toEqual([
    10, 10, 25, 0,
  ]);
  expect(await asked(3_600_000)).toBe(AT_ONCE);
});
