// One frame that names many rooms: each is a call to another object. The hub `pinched` lets a connection into 5 rooms,
// by 2 joins at once.

import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { JoinLimits } from "../../../src/dispatch/run/join-limits.ts";
import { LIMITS } from "../../../src/model/options.ts";
import { Client, token, upgrade } from "../../rooms/client.ts";
import { rowsAt } from "../../rooms/relay/attacking.ts";
import { relayOf } from "../../rooms/relay/client.ts";
import { range } from "../../rooms/storage.ts";

async function entered(user: string): Promise<Client> {
  const response = await upgrade(`/hubs/pinched/rpc?access_token=${await token(user)}`);
  const client = new Client(response.webSocket!);
  client.hello = await client.next(({ method }) => method === "$/connected");
  return client;
}

const rooms = (of: string, count: number) =>
  Object.fromEntries(range(1, count).map((n) => [`group:${of}${n}`, "none:0"]));
const idOf = ({ hello }: Client): string => hello.params.connectionId;
const followedBy = async (client: Client) =>
  (await rowsAt("pinched", idOf(client), "follows")).map((row) => Object.values(row)[0]);

it("refuses to resume more rooms than a connection may be in, and touches none", async () => {
  using mallory = await entered("mallory");
  const { error } = await mallory.call("$/resume", { rooms: rooms("many", 1_500 / 3) });
  expect(error?.data.code).toBe("too_many_groups");
  expect((await followedBy(mallory)).filter((room) => String(room).includes("many"))).toEqual([]);
  const { result } = await mallory.call("$/resume", { rooms: rooms("few", 5) });
  expect(Object.values(result).filter((one) => !("error" in (one as object)))).toHaveLength(5);
});

it("refuses to resume again and again", async () => {
  using mallory = await entered("mallory");
  const again = range(1, 6).map(() => mallory.call("$/resume", { rooms: rooms("again", 5) }));
  const codes = (await Promise.all(again)).map(({ error }) => error?.data.code);
  expect(codes).toContain("rate_limited");
  expect(codes[0]).toBeUndefined();
});

it("leaves nothing behind of a join that is refused", async () => {
  using mallory = await entered("mallory");
  await mallory.call("$/resume", { rooms: rooms("own", 5) });
  const { error } = await mallory.call("$/join", { room: "group:one-more" });
  expect(error?.data.code).toBe("too_many_groups");
  const since = { room: "group:one-more", since: "none:0" };
  expect((await mallory.call("$/join", since)).error?.data.code).toBe("too_many_groups");
  expect(await followedBy(mallory)).not.toContain("group:one-more");
  // A room without members would be stale.
  const isStale = await runInDurableObject(
    relayOf("pinched", idOf(mallory)),
    (relay) =>
      (relay as unknown as { parts: { followed: { rooms: { isStale: boolean } } } }).parts.followed
        .rooms.isStale,
  );
  expect(isStale).toBe(false);
});

it("runs so many joins at once, and the others in their order", async () => {
  const joins = new JoinLimits({ ...LIMITS, joinsAtOnce: 2 });
  const gates = range(0, 3).map(() => Promise.withResolvers<void>());
  const begun: number[] = [];
  const all = gates.map(({ promise }, n) =>
    joins.inTurn(async () => {
      begun.push(n);
      await promise;
      if (n === 0) throw new Error("fails");
    }),
  );
  await scheduler.wait(0);
  expect(begun).toEqual([0, 1]);
  gates[0]!.resolve();
  await expect(all[0]).rejects.toThrow("fails");
  expect(begun).toEqual([0, 1, 2]);
  const late = joins.inTurn(async () => void begun.push(4));
  await scheduler.wait(0);
  expect(begun).toEqual([0, 1, 2]);
  for (const { resolve } of gates) resolve();
  await Promise.all([...all.slice(1), late]);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});
