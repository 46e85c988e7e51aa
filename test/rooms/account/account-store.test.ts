// What an account stores of its user: how long rules and memberships hold, how many there may be, and what is left.

import { expect, it } from "vitest";
import type { KeyValues } from "../../../src/model/stored-values.ts";
import { AccountStore } from "../../../src/rooms/account/account-store.ts";
import { PrefixedKv } from "../../../src/rooms/platform/prefixed-kv.ts";
import { memory } from "./memory.ts";

const NOW = 1_700_000_000_000;
const SECONDS = NOW / 1000;
const YEAR_MS = 366 * 86_400_000;
const HUB = "chat";
const range = (length: number) => Array.from({ length }, (_, n) => n);

/** `again`: the store after a loss of memory. */
function stored() {
  const kv = memory();
  const again = () => new AccountStore(new PrefixedKv(kv, "user/ann/"));
  const keys = () => [...(kv as KeyValues).list()].map(([key]) => key.slice("user/ann/".length));
  return { store: again(), again, keys };
}

const token = (jti: string, iat = SECONDS) => ({ id: "ann", jti, iat });
const add = (store: AccountStore, group: string, ttlSeconds?: number, now = NOW) =>
  store.addGroup({ hub: HUB, group, ttlSeconds }, now);

it("revokes a token until it has expired, by default for a year", () => {
  const { store, again } = stored();
  store.revokeToken("a", NOW + 10, NOW);
  store.revokeToken("b", undefined, NOW);
  for (const one of [store, again()]) {
    const revoked = (jti: string, now: number) => one.isRevoked(token(jti), now);
    expect([revoked("a", NOW + 9), revoked("a", NOW + 10)]).toEqual([true, false]);
    expect([revoked("b", NOW + YEAR_MS - 1), revoked("b", NOW + YEAR_MS)]).toEqual([true, false]);
    expect(revoked("c", NOW)).toBe(false);
  }
});

it("revokes a thousand tokens by id, and those once more", () => {
  const { store } = stored();
  for (const n of range(1_000)) store.revokeToken(`t${n}`, undefined, NOW);
  expect(() => store.revokeToken("more", undefined, NOW)).toThrow(
    expect.objectContaining({ code: "too_large" }),
  );
  store.revokeToken("t0", undefined, NOW);
  expect([store.isRevoked(token("t999"), NOW), store.isRevoked(token("more"), NOW)]).toEqual([
    ...[true, false],
  ]);
});

it("revokes by time up to the latest of all times", () => {
  const { store } = stored();
  store.revokeBefore(SECONDS);
  store.revokeBefore(SECONDS - 100);
  expect(store.isRevoked(token("a", SECONDS - 1), NOW)).toBe(true);
  expect(store.isRevoked(token("a", SECONDS), NOW)).toBe(false);
});

it("bans until a time, of which its alarm is no later", () => {
  const { store } = stored();
  store.setBan(NOW + 10, "Rude.");
  expect([store.ban(NOW + 9)?.reason, store.ban(NOW + 10)]).toEqual(["Rude.", undefined]);
  expect(store.nextExpiry).toBe(NOW + 10);
  expect([store.rules(NOW).all, store.rules(NOW + 10).all]).toEqual([true, undefined]);
});

it("counts its objects as it adds and removes them", () => {
  const { store, again } = stored();
  store.setBan(NOW + 10, undefined);
  for (const name of ["a", "b"]) store.addObject(name);
  expect(store.objectCount).toBe(2);
  store.addObject("c");
  store.removeObject("a");
  store.removeObject("unknown");
  expect([store.objectCount, again().objectCount, store.outdatedObjects]).toEqual([2, 2, []]);
  store.setBan(NOW + 20, undefined);
  store.setObjectVersion("b", store.rulesVersion);
  expect(store.outdatedObjects).toEqual(["c"]);
});

it("is in a group for a time, or a year, and stays in it where that was renewed", () => {
  const { store, again } = stored();
  expect(store.groups(HUB, NOW)).toEqual([]);
  add(store, "timed", 10);
  add(store, "kept");
  expect([store.groups(HUB, NOW), again().groups("other", NOW)]).toEqual([["kept", "timed"], []]);
  expect(store.groups(HUB, NOW + 10_000)).toEqual(["kept"]);
  expect(store.groups(HUB, NOW + YEAR_MS)).toEqual([]);
  expect([store.nextExpiry, store.expire(NOW + 9_999)]).toEqual([NOW + 10_000, []]);
  expect(store.expire(NOW + 10_000)).toEqual([{ hub: HUB, group: "timed" }]);
  add(store, "timed", 20);
  store.expireGroup(HUB, "timed", NOW + 10_000);
  expect(store.groups(HUB, NOW)).toContain("timed");
  store.expireGroup(HUB, "timed", NOW + 20_000);
  expect(store.groups(HUB, NOW)).toEqual(["kept"]);
});

it("is in a hundred groups without a time, which evict each other and none with a time", () => {
  const { store } = stored();
  add(store, "timed", 1_000, NOW - 1);
  for (const n of range(101)) add(store, `g${n}`, undefined, NOW + n);
  const groups = store.groups(HUB, NOW);
  expect([groups.length, groups.includes("timed"), groups.includes("g0")]).toEqual([
    ...[101, true, false],
  ]);
});

it("is in two hundred groups when one with a time is added, which may be renewed", () => {
  const { store } = stored();
  for (const n of range(200)) add(store, `g${n}`, 10);
  const full = expect.objectContaining({ code: "too_many_groups" });
  expect(() => add(store, "more", 10)).toThrow(full);
  add(store, "g0", 20);
  add(store, "more", 10, NOW + 10_000);
  expect(store.groups(HUB, NOW + 10_000)).toEqual(["g0", "more"]);
});

it("forgets what has ended, and the version of its rules once no object has applied it", () => {
  const { store, again, keys } = stored();
  store.addObject("a");
  store.revokeToken("t", NOW + 10, NOW);
  store.setBan(NOW + 20, undefined);
  add(store, "timed", 30);
  const tidied = (now: number) => {
    for (const { hub, group } of store.expire(now)) store.expireGroup(hub, group, now);
    store.tidy();
    return keys();
  };
  expect(tidied(NOW + 10)).toEqual(["object a", "changes", "ban", "grouped", "group chat timed"]);
  store.removeObject("a");
  expect(tidied(NOW + 19)).toContain("changes");
  expect(tidied(NOW + 20)).toEqual(["grouped", "group chat timed"]);
  expect([store.rulesVersion, store.needsTidying]).toEqual([0, true]);
  expect(tidied(NOW + 30_000)).toEqual([]);
  for (const one of [store, again()])
    expect([one.needsTidying, one.groups(HUB, NOW), one.nextExpiry]).toEqual([
      ...[false, [], Infinity],
    ]);
  store.revokeToken("u", NOW + 40_000, NOW);
  expect([store.rulesVersion, store.needsTidying]).toEqual([1, true]);
});

it("keeps the version of its rules while an object has applied it, though no rule is left", () => {
  const { store, keys } = stored();
  store.revokeToken("t", NOW + 10, NOW);
  store.addObject("a");
  store.expire(NOW + 10);
  store.tidy();
  expect([keys(), store.rulesVersion]).toEqual([["changes", "object a"], 1]);
});
