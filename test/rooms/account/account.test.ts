// One account with objects of the test's own: which of them get a command, and how often it is repeated.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { HubError } from "../../../src/model/errors.ts";
import { Account } from "../../../src/rooms/account/account.ts";
import { AccountStore } from "../../../src/rooms/account/account-store.ts";
import { PrefixedKv } from "../../../src/rooms/platform/prefixed-kv.ts";
import type { Command, Selection } from "../../../src/rooms/rpc/command.ts";
import type { RoomStubs } from "../../../src/rooms/rpc/object-names.ts";
import { memory } from "./memory.ts";

const NOW = 1_700_000_000_000;
const SECONDS = NOW / 1000;
const [CHAT, OTHER, BOARD] = ["default/chat/group/1", "default/chat/group/2", "default/board/all"];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  vi.spyOn(console, "warn").mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** An account, and what its objects get. `failing` objects throw that error; `empty` ones hold no connection. */
function accounted() {
  const [failing, empty] = [new Map<string, Error>(), new Set<string>()];
  const [commands, armed] = [[] as [object: string, ...Command["type"][]][], [] as number[]];
  let tidying = 0;
  const command = async (object: string, _: Selection, all: readonly Command[]) => {
    commands.push([object, ...all.map(({ type }) => type)]);
    const error = failing.get(object);
    if (error) throw error;
    return { matched: 1, present: empty.has(object) ? 0 : 1 };
  };
  const stubs = (object: string) => ({
    command: (selection: Selection, all: readonly Command[]) => command(object, selection, all),
  });
  const store = new AccountStore(new PrefixedKv(memory(), "user/ann/"));
  const account = new Account({
    ...{ user: "ann", store, stubs: () => stubs as unknown as RoomStubs, inBackground() {} },
    ...{ arm: (at) => void armed.push(at - NOW), tidyLater: () => void tidying++ },
  });
  const admit = async (
    object: string,
    iat = SECONDS,
    rate?: { perSecond: number; burst: number },
  ) => {
    const token = { id: "ann", jti: "t", iat };
    const reply = await account.admit({ object, token, ...(rate && { rate }) });
    return "fault" in reply ? reply.fault.code : "admitted";
  };
  /** The commands since the last call. */
  const sent = () => commands.splice(0);
  return { account, store, admit, sent, armed, failing, empty, tidying: () => tidying };
}

it("lists an object once it has admitted a connection there, and none that it has refused", async () => {
  const { account, store, admit } = accounted();
  const rate = { perSecond: 1, burst: 1 };
  expect([await admit(CHAT, SECONDS, rate), await admit(OTHER, SECONDS, rate)]).toEqual([
    ...["admitted", "rate_limited"],
  ]);
  await account.ban(60);
  expect([await admit(OTHER), store.objects]).toEqual(["banned", [CHAT]]);
  await account.unban();
  expect([await admit(OTHER), store.objects]).toEqual(["admitted", [CHAT, OTHER]]);
});

it("revokes the tokens of this second with all others, and none of the next", async () => {
  const { account, admit } = accounted();
  await account.revoke({});
  expect([await admit(CHAT, SECONDS), await admit(CHAT, SECONDS + 1)]).toEqual([
    ...["token_revoked", "admitted"],
  ]);
});

it("sends commands to the objects of a hub, and forgets those that hold nobody", async () => {
  const { account, store, admit, sent, empty } = accounted();
  for (const object of [CHAT, OTHER, BOARD]) await admit(object);
  empty.add(OTHER);
  expect(await account.command("chat", {}, [{ type: "leaveGroups" }])).toBe(2);
  expect(sent()).toEqual([
    [CHAT, "leaveGroups"],
    [OTHER, "leaveGroups"],
  ]);
  expect(store.objects).toEqual([BOARD, CHAT]);
});

it("repeats a rule each second where it failed, and nowhere else", async () => {
  const { account, admit, sent, armed, failing, store } = accounted();
  for (const object of [CHAT, OTHER]) await admit(object);
  failing.set(CHAT, new Error("gone"));
  await account.revoke({ jti: "t", until: NOW + 60_000 });
  expect([new Set(sent().map(([object]) => object)), armed]).toEqual([
    new Set([CHAT, OTHER]),
    [1_000],
  ]);
  expect(await admit(BOARD)).toBe("token_revoked");
  // Objects without connections are not asked for before all have applied the rule.
  await account.ring(NOW + 1_000);
  expect(new Set(sent().map(([object]) => object))).toEqual(new Set([CHAT]));
  failing.clear();
  await account.ring(NOW + 2_000);
  expect(sent()).toEqual([[CHAT, "close"]]);
  expect([armed.slice(1), store.outdatedObjects]).toEqual([[1_000, 60_000], []]);
  await account.ring(NOW + 3_000);
  expect(sent()).toEqual([[CHAT], [OTHER]]);
});

it("ends a membership in objects that it reached, and again where it reached none", async () => {
  const { account, store, admit, armed, failing, sent } = accounted();
  await admit(CHAT);
  await account.groups.add("chat", "club", 1);
  failing.set(CHAT, Object.assign(new Error("gone"), { retryable: true }));
  vi.setSystemTime(NOW + 1_000);
  await account.ring(NOW + 1_000);
  expect(store.expire(NOW + 1_000)).toEqual([{ hub: "chat", group: "club" }]);
  // Not at once, although its time has passed.
  expect(armed.at(-1)).toBe(2_000);
  failing.set(CHAT, new HubError("invalid_name", "Not so."));
  await account.ring(NOW + 2_000);
  expect([store.expire(NOW + 2_000), sent().at(-1)]).toEqual([[], [CHAT]]);
});

it("asks to be tidied for objects and for traces of rules, and not for nothing", async () => {
  const { account, admit, store, tidying, empty } = accounted();
  await account.unban();
  expect(tidying()).toBe(0);
  await admit(CHAT);
  expect(tidying()).toBe(1);
  empty.add(CHAT);
  await account.revoke({ jti: "t", until: NOW + 1 });
  expect([store.objects, tidying()]).toEqual([[], 2]);
  await account.ring(NOW + 1);
  expect([tidying(), store.rulesVersion]).toEqual([2, 0]);
});
