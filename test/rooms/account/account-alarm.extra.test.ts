// An account's alarm is kept until the account was rung.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { Account } from "../../../src/rooms/account/account.ts";
import { accountName } from "../../../src/rooms/rpc/object-names.ts";

it("an account is rung again after an alarm that failed half-way", async () => {
  const account = env.ACCOUNTS.getByName(accountName({ tenant: "default", user: "half" }));
  const dueAt = () => runInDurableObject(account, (_, { storage }) => storage.kv.get("due/half"));
  await runInDurableObject(account, async (_, { storage }) => {
    // Accounts share an object here: no other is due.
    for (const [key] of storage.kv.list({ prefix: "due/" })) storage.kv.delete(key);
    storage.kv.put("due/half", Date.now());
    await storage.setAlarm(Date.now() + 60_000);
  });
  await evictDurableObject(account); // It finds the key when it starts.
  const ring = vi.spyOn(Account.prototype, "ring").mockRejectedValueOnce(new Error("reset"));
  await expect(runInDurableObject(account, (object) => object.alarm!())).rejects.toThrow("reset");
  expect(await dueAt()).toBeTypeOf("number");
  expect(await runDurableObjectAlarm(account)).toBe(true);
  expect([ring.mock.calls.length, await dueAt()]).toEqual([2, undefined]);
  ring.mockRestore();
});

it("an account whose alarm the platform gave up sets it again at its next wake", async () => {
  const account = env.ACCOUNTS.getByName(accountName({ tenant: "given-up", user: "ada" }));
  const alarmAt = () => runInDurableObject(account, (_, { storage }) => storage.getAlarm());
  const dueAt = Date.now() + 3_600_000;
  await runInDurableObject(account, (_, { storage }) => {
    storage.kv.put("user/ada/changes", 1);
    storage.kv.put("due/ada", dueAt);
    storage.kv.put("due/", dueAt + 1);
  });
  await evictDurableObject(account);
  await account.check("ada", { id: "ada" });
  await vi.waitFor(async () => expect(await alarmAt()).toBe(dueAt));
  await runInDurableObject(account, (_, { storage }) => storage.setAlarm(dueAt + 2));
  await evictDurableObject(account);
  await account.check("ada", { id: "ada" });
  // An alarm that is set is left as it is: the promise of the wake's read has settled before this one's.
  expect(await alarmAt()).toBe(dueAt + 2);
});

it("an account whose alarm has failed often is rung again ten minutes later", async () => {
  const account = env.ACCOUNTS.getByName(accountName({ tenant: "failing", user: "ada" }));
  await runInDurableObject(account, (_, { storage }) => {
    storage.kv.put("user/ada/changes", 1);
    storage.kv.put("due/ada", Date.now());
  });
  await evictDurableObject(account);
  const ring = vi.spyOn(Account.prototype, "ring").mockRejectedValue(new Error("reset"));
  const fail = (retryCount: number) =>
    runInDurableObject(account, async (object, { storage }) => {
      await storage.deleteAlarm();
      const info = { scheduledTime: Date.now(), retryCount, isRetry: true };
      await expect(object.alarm!(info)).rejects.toThrow("reset");
      return storage.getAlarm();
    });
  // The platform tries again by itself.
  expect(await fail(3)).toBeNull();
  const start = Date.now();
  expect(await fail(4)).toBeGreaterThanOrEqual(start + 600_000);
  ring.mockRestore();
});
