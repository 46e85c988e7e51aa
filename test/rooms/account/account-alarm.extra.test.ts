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
