// The alarm of the accounts in one object, with a storage that the test makes fail.

import { expect, it, vi } from "vitest";
import { DueUsers } from "../../../src/rooms/account/due-users.ts";
import type { KeyValues } from "../../../src/model/stored-values.ts";

/** Users who are due, and every time that the alarm was set for. */
function dueUsers(found: number | null = null) {
  const keys = new Map<string, unknown>();
  const kv = {
    get: (key: string) => keys.get(key),
    put: (key: string, value: unknown) => void keys.set(key, value),
    delete: (key: string) => keys.delete(key),
    list: () => keys,
  } as unknown as KeyValues;
  const setAlarm = vi.fn<(at: number | Date) => Promise<void>>(async () => {});
  const due = new DueUsers({ getAlarm: async () => found, setAlarm }, () => kv);
  return { due, setAlarm, set: () => setAlarm.mock.calls.map(([at]) => at) };
}

it("an alarm that could not be set is set with the next user", async () => {
  const { due, setAlarm, set } = dueUsers();
  setAlarm.mockRejectedValueOnce(new Error("Exceeded the account's spending cap."));
  due.arm("ada", 500);
  await vi.waitFor(() => {
    due.arm("bob", 900);
    expect(set()).toEqual([500, 500]);
  });
});

it.each(["recover", "setAlarm"] as const)(
  "an alarm that %s could not set is set with the next user",
  async (method) => {
    const { due, setAlarm, set } = dueUsers();
    due.arm("ada", 500);
    due.forget();
    setAlarm.mockRejectedValueOnce(new Error("Exceeded the account's spending cap."));
    await expect(due[method]()).rejects.toThrow("spending cap");
    due.arm("bob", 900);
    expect(set()).toEqual([500, 500, 500]);
  },
);

it.each([
  ["that is lost is set for the first user", null, [500]],
  ["that was given up is set for the first user", Date.now() - 3_600_000, [500]],
  ["that is set is left", Date.now() + 3_600_000, []],
] as const)("at a wake an alarm %s", async (_, found, times) => {
  const { due, setAlarm, set } = dueUsers(found);
  for (const [user, at] of [
    ["bob", 900],
    ["ada", 500],
  ] as const)
    due.arm(user, at);
  due.forget();
  setAlarm.mockClear();
  await due.recover();
  expect(set()).toEqual(times);
});

it("an alarm that rings is not taken for a lost one", async () => {
  const { due, setAlarm, set } = dueUsers();
  due.arm("ada", 500);
  expect(due.ring(600, 10)).toEqual(["ada"]);
  setAlarm.mockClear();
  await due.recover();
  expect(set()).toEqual([]);
});
