// An account's alarm is kept until the account was rung; the accounts of one object share its alarm.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { Account } from "../../../src/rooms/account/account.ts";
import { accountName } from "../../../src/rooms/rpc/object-names.ts";

const account = env.ACCOUNTS.getByName(accountName({ tenant: "default", user: "half" }));
const dueAt = (user = "half") =>
  runInDurableObject(account, (_, { storage }) => storage.kv.get<number>(`due/${user}`));
const alarmAt = () => runInDurableObject(account, (_, { storage }) => storage.getAlarm());

/** Begins with these alarms and keys alone, as at a wake. */
async function begin(due: Record<string, number>, keys: readonly string[] = []): Promise<void> {
  await runInDurableObject(account, async (_, { storage }) => {
    for (const [key] of storage.kv.list()) if (/^(?:due|user)\//.test(key)) storage.kv.delete(key);
    for (const [user, at] of Object.entries(due)) storage.kv.put(`due/${user}`, at);
    for (const key of keys) storage.kv.put(key, true);
    await storage.setAlarm(Math.max(Date.now() + 60_000, ...Object.values(due)));
  });
  await evictDurableObject(account);
}

afterEach(() => void vi.restoreAllMocks());

it("an account is rung again after an alarm that failed half-way", async () => {
  await begin({ half: Date.now() });
  const ring = vi.spyOn(Account.prototype, "ring").mockRejectedValueOnce(new Error("reset"));
  await expect(runInDurableObject(account, (object) => object.alarm!())).rejects.toThrow("reset");
  expect(await dueAt()).toBeTypeOf("number");
  expect(await runDurableObjectAlarm(account)).toBe(true);
  expect([ring.mock.calls.length, await dueAt()]).toEqual([2, undefined]);
});

it("an account that sets its alarm while it is rung is rung again", async () => {
  await begin({ half: Date.now() });
  vi.spyOn(Account.prototype, "ring").mockImplementationOnce(async function (this: Account) {
    await this.groups.add("chat", "club", 600);
  });
  expect(await runDurableObjectAlarm(account)).toBe(true);
  const again = await dueAt();
  expect(again).toBeGreaterThan(Date.now());
  expect(await alarmAt()).toBe(again);
});

it("an account does not put off the alarm of another, of which this wake knows nothing", async () => {
  const at = Date.now() + 120_000;
  await begin({ other: at });
  await runInDurableObject(account, (object) =>
    (object as unknown as { addToGroup(...of: unknown[]): Promise<void> }).addToGroup(
      ...["half", "chat", "club", 600],
    ),
  );
  expect([await alarmAt(), await dueAt("other")]).toEqual([at, at]);
  expect(await dueAt()).toBeGreaterThan(at);
});

it("all accounts are rung each day, a hundred at a time", async () => {
  const users = Array.from({ length: 150 }, (_, n) => `user/u${n}/grouped`);
  await begin({ "": Date.now() }, users);
  const ring = vi.spyOn(Account.prototype, "ring").mockResolvedValue();
  const rung = () => new Set(ring.mock.contexts).size;
  expect(await runDurableObjectAlarm(account)).toBe(true);
  expect([rung(), await dueAt("")]).toEqual([100, expect.any(Number)]);
  expect(await runDurableObjectAlarm(account)).toBe(true);
  expect([rung(), ring.mock.calls.length, await dueAt("")]).toEqual([150, 150, undefined]);
});

it("an account whose alarm the platform gave up sets it again at its next wake", async () => {
  const ada = env.ACCOUNTS.getByName(accountName({ tenant: "given-up", user: "ada" }));
  const ringsAt = () => runInDurableObject(ada, (_, { storage }) => storage.getAlarm());
  const due = Date.now() + 3_600_000;
  await runInDurableObject(ada, (_, { storage }) => {
    storage.kv.put("user/ada/changes", 1);
    storage.kv.put("due/ada", due);
    storage.kv.put("due/", due + 1);
  });
  await evictDurableObject(ada);
  await ada.check("ada", { id: "ada" });
  await vi.waitFor(async () => expect(await ringsAt()).toBe(due));
  await runInDurableObject(ada, (_, { storage }) => storage.setAlarm(due + 2));
  await evictDurableObject(ada);
  await ada.check("ada", { id: "ada" });
  // An alarm that is set is left as it is: the promise of the wake's read has settled before this one's.
  expect(await ringsAt()).toBe(due + 2);
});

it("an account whose alarm has failed often is rung again ten minutes later", async () => {
  const ada = env.ACCOUNTS.getByName(accountName({ tenant: "failing", user: "ada" }));
  await runInDurableObject(ada, (_, { storage }) => {
    storage.kv.put("user/ada/changes", 1);
    storage.kv.put("due/ada", Date.now());
  });
  await evictDurableObject(ada);
  const ring = vi.spyOn(Account.prototype, "ring").mockRejectedValue(new Error("reset"));
  const fail = (retryCount: number) =>
    runInDurableObject(ada, async (object, { storage }) => {
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
