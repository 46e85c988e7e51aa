// Accounts in memory: one for a user at a time, however many users there are.

import { expect, it } from "vitest";
import type { Account } from "../../../src/rooms/account/account.ts";
import { AccountsInMemory } from "../../../src/rooms/account/accounts-in-memory.ts";

const MOST = 10_000;

function accounts() {
  const made: string[] = [];
  const inMemory = new AccountsInMemory(
    (user) => ({ user: made.push(user) }) as unknown as Account,
  );
  const many = async (count: number, prefix: string) => {
    for (let at = 0; at < count; at++) await inMemory.use(`${prefix}${at}`, () => {});
  };
  return { inMemory, made, many };
}

it("keeps the account of a user whose call is under way, whoever comes meanwhile", async () => {
  const { inMemory, made, many } = accounts();
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = inMemory.use("alice", async (account) => (await promise, account));
  await many(MOST + 5, "user-");
  const second = await inMemory.use("alice", (account) => account);
  resolve();
  expect(await first).toBe(second);
  expect(made.filter((user) => user === "alice")).toHaveLength(1);
});

it("drops the oldest that is idle, also after a call that failed", async () => {
  const { inMemory, made, many } = accounts();
  await expect(inMemory.use("alice", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await many(MOST - 1, "user-");
  await inMemory.use("alice", () => {});
  expect(made.filter((user) => user === "alice")).toHaveLength(1);
  await inMemory.use("one more", () => {});
  await inMemory.use("alice", () => {});
  expect(made.filter((user) => user === "alice")).toHaveLength(2);
});
