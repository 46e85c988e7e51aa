// The end of a user's own room, where its account cannot be reached or its answer is lost.

import { expect, it } from "vitest";
import type { KeyValues } from "../../../src/model/stored-values.ts";
import { UserRoom } from "../../../src/rooms/room/user-room.ts";

/** A room and its user's account; `wake` builds the room again from its keys. */
function user() {
  const kv = new Map<string, unknown>();
  const account = { use: undefined as string | undefined, fails: "never" };
  const rpc = {
    useRoom: async (_: string, { id }: { id: string }) => ((account.use = id), true),
    async disuseRoom(_: string, id: string) {
      if (account.fails === "before") throw new Error("Not reached.");
      if (account.use === id) account.use = undefined;
      if (account.fails === "after") throw new Error("The answer was lost.");
    },
  };
  const keys = {
    get: (key: string) => kv.get(key),
    put: kv.set.bind(kv),
    delete: kv.delete.bind(kv),
  };
  const wake = () =>
    new UserRoom({ kv: keys as unknown as KeyValues, hub: "chat", account: () => rpc });
  return { account, kv, wake };
}

it.each(["awake", "after a sleep"])("an end that failed is tried again, %s", async (when) => {
  const { account, kv, wake } = user();
  const room = wake();
  await room.use();
  account.fails = "before";
  await expect(room.disuse()).rejects.toThrow("Not reached.");
  account.fails = "never";
  await (when === "awake" ? room : wake()).disuse();
  expect([account.use, kv.size]).toEqual([undefined, 0]);
});

it.each(["awake", "after a sleep"])(
  "is in use again behind an end of unknown success, %s",
  async (when) => {
    const { account, kv, wake } = user();
    const room = wake();
    await room.use();
    account.fails = "after";
    await expect(room.disuse()).rejects.toThrow("The answer was lost.");
    await (when === "awake" ? room : wake()).use();
    expect(account.use).toBeTypeOf("string");
    expect(kv.get("use")).toBe(account.use);
  },
);

it("keeps the use that a publication begins while the room ends", async () => {
  const { account, kv, wake } = user();
  const room = wake();
  await room.use();
  const first = account.use;
  await Promise.all([room.disuse(), room.use()]);
  expect([account.use === first, kv.get("use")]).toEqual([false, account.use]);
  expect(room.use()).toBeUndefined();
});
