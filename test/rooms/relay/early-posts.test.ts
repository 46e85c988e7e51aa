// Bodies that wait for their transport: a few users must not take all that a relay keeps.

import { expect, it } from "vitest";
import { Budget } from "../../../src/rooms/platform/budget.ts";
import { EarlyPosts } from "../../../src/rooms/relay/early-posts.ts";

const KIB = 1024;
/** Memory of a body, beside its bytes. */
const BODY = 256;
const NOW = 1_000;

it("keeps 64 KiB a connection and 1 MiB a user, and counts them in the relay's budget", () => {
  let held = 0;
  const posts = new EarlyPosts({ fits: () => true, add: (bytes) => void (held += bytes) });
  const keep = (id: string, account: string) =>
    posts.keep({ id, account, body: new ArrayBuffer(64 * KIB), until: NOW + 1 }, NOW);
  const kept = Array.from({ length: 20 }, (_, n) => keep(`m${n}`, "mallory"));
  expect(kept.filter(Boolean)).toHaveLength(15);
  const each = 64 * KIB + BODY;
  expect([keep("m0", "mallory"), keep("b0", "bob"), held]).toEqual([false, true, 16 * each]);
  posts.take("m0");
  expect([held, keep("m20", "mallory")]).toEqual([15 * each, true]);
});

it("counts the memory of bodies that are empty or small", () => {
  let held = 0;
  const posts = new EarlyPosts({ fits: () => true, add: (bytes) => void (held += bytes) });
  const keep = (account: string) =>
    posts.keep({ id: account, account, body: new ArrayBuffer(0), until: NOW + 1 }, NOW);
  const kept = Array.from({ length: 5_000 }, () => keep("mallory")).filter(Boolean).length;
  expect([kept, held, keep("bob")]).toEqual([4 * KIB, KIB * KIB, true]);
  posts.take("mallory");
  expect(held).toBe(BODY);
});

it("bodies that have lapsed go with the next alarm, and no longer count", () => {
  let held = 0;
  const posts = new EarlyPosts({ fits: () => true, add: (bytes) => void (held += bytes) });
  for (const [id, until] of Object.entries({ m0: NOW + 1, m1: NOW + 2 }))
    posts.keep({ id, account: "mallory", body: new ArrayBuffer(KIB), until }, NOW);
  posts.run(NOW + 1);
  expect([held, posts.take("m0").length, posts.take("m1").length]).toEqual([KIB + BODY, 0, 1]);
});

it("a budget is refilled by time, and what is charged beyond it is paid back first", () => {
  const budget = new Budget(10, 20, NOW);
  expect([budget.spend(20, NOW), budget.spend(1, NOW), budget.spend(1, NOW + 100)]).toEqual([
    ...[true, false, true],
  ]);
  budget.charge(30);
  expect([budget.spend(1, NOW + 2_000), budget.spend(1, NOW + 4_000)]).toEqual([false, true]);
  expect(budget.spend(1, NOW - 60_000)).toBe(true);
});
