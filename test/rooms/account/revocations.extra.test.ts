// How long revocations are remembered: no longer than the tokens that they are about, where a service says when those
// end.

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { accountName } from "../../../src/rooms/rpc/object-names.ts";
import { ask } from "../../edge/rest/service.ts";

afterEach(() => void vi.useRealTimers());

const now = () => Math.floor(Date.now() / 1000);
const accountOf = (user: string) =>
  env.ACCOUNTS.getByName(accountName({ tenant: "default", user }));
const revoke = async (user: string, body: object) =>
  expect((await ask("POST", `/hubs/chat/users/${user}/:revoke`, { body })).status).toBe(200);

it("forgets a revocation by time when its tokens have ended, unless one was for good", async () => {
  const kept = (user: string) =>
    runInDurableObject(accountOf(user), (_, { storage }) =>
      [...storage.kv.list({ prefix: `user/${user}/` })].map(([key]) => key.split("/")[2]),
    );
  const hour = now() + 3_600;
  await revoke("ends", { issued_before: now(), expire_at: hour });
  await revoke("ends", { expire_at: now() + 60 });
  await revoke("stays", { issued_before: now() });
  await revoke("stays", { expire_at: hour });
  expect(await kept("ends")).toEqual(["before", "changes", "ends"]);
  expect(await kept("stays")).toEqual(["before", "changes"]);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 600_000 });
  await runDurableObjectAlarm(accountOf("ends"));
  expect(await kept("ends")).toContain("before");
  vi.setSystemTime(Date.now() + 3_100_000);
  for (const user of ["ends", "stays"]) await runDurableObjectAlarm(accountOf(user));
  expect(await kept("ends")).toEqual([]);
  expect(await kept("stays")).toEqual(["before", "changes"]);
});
