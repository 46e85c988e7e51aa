// Messages of actions to other rooms: delivered after the commit, and never more of them in waiting than the limits
// say.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { enter, roomAt, type Client } from "../client.ts";

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const id = () => crypto.randomUUID();
const run = async (client: Client, action: string, ...params: unknown[]) => {
  const { result, error } = await client.call("$/run", { action, params });
  return result ? "done" : error!.data.code;
};
const rowsOf = (name: string) =>
  runInDurableObject(roomAt(name), (_, { storage }) =>
    storage.sql.exec<{ json: string }>("SELECT json FROM room_outgoing").toArray(),
  );
/** As a crash leaves it: messages that were committed, and not delivered. */
async function leave(name: string, other: string, messages: number): Promise<void> {
  const draft = (n: number) => ({ target: "said", params: `["${n}"]`, id: `e:9/${n}` });
  const all = Array.from({ length: messages }, (_, n) => [`group:${other}`, draft(n)]);
  // A message of the test itself may have this offset, and be on its way.
  await vi.waitFor(async () => expect(await rowsOf(name)).toEqual([]));
  await runInDurableObject(roomAt(name), (_, { storage }) =>
    storage.sql.exec("INSERT INTO room_outgoing VALUES (9, ?)", JSON.stringify(all)),
  );
  await evictDurableObject(roomAt(name));
}

describe("messages to other rooms that wait", () => {
  it("[F24] are bounded: an action that would send more is refused, and changes nothing", async () => {
    const [room, other] = [`odd-bounded/group:${id()}`, id()];
    using alice = await enter(room);
    expect(await run(alice, "tell", other, "first")).toBe("done");
    await vi.waitFor(async () => expect(await rowsOf(room)).toEqual([]));
    await leave(room, other, 3);
    expect(await run(alice, "flood", other, 2, 1)).toBe("busy");
    expect(await run(alice, "add", 0)).toBe("done");
    expect((await alice.said("added")).params).toEqual([1]);
    // The alarm of a real crash would have been set before it.
    await run(alice, "tell", other, "second");
    await runDurableObjectAlarm(roomAt(room));
    await vi.waitFor(async () => expect(await rowsOf(room)).toEqual([]));
    expect(await run(alice, "flood", other, 4, 1)).toBe("done");
    expect(await run(alice, "flood", other, 5, 1)).toBe("busy");
  });

  it("are no more than 100 of one action, nor 1 MiB", async () => {
    using alice = await enter(`odd/group:${id()}`);
    expect(await run(alice, "flood", id(), 101, 1)).toBe("too_large");
    expect(await run(alice, "flood", id(), 6, 200_000)).toBe("too_large");
    expect(await run(alice, "flood", id(), 5, 200_000)).toBe("done");
  });

  it("are as many rows as they need, where many actions send at once", async () => {
    const [room, other] = [`odd/group:${id()}`, id()];
    using alice = await enter(room);
    using bob = await enter(`odd/group:${other}`, { user: "bob" });
    const runs = [1, 2, 3, 4].map(() => run(alice, "flood", other, 3, 200_000));
    expect(await Promise.all(runs)).toEqual(["done", "done", "done", "done"]);
    await expect.poll(() => bob.heard.filter(({ method }) => method === "said").length).toBe(12);
    await vi.waitFor(async () => expect(await rowsOf(room)).toEqual([]));
  });

  it("[F3] for a room come before those that are sent there after a crash", async () => {
    const [room, other] = [`odd/group:${id()}`, id()];
    using alice = await enter(room);
    using bob = await enter(`odd/group:${other}`, { user: "bob" });
    for (let n = 0; n < 10; n++) await run(alice, "tell", id(), "elsewhere");
    await leave(room, other, 3);
    expect(await run(alice, "tell", other, "later")).toBe("done");
    const texts = () =>
      bob.heard.filter(({ method }) => method === "said").map(({ params }) => params[0]);
    await expect.poll(texts).toEqual(["0", "1", "2", "later"]);
  });

  it("[F24] of two rooms that send to each other hold neither up", async () => {
    const [one, two] = [id(), id()];
    using alice = await enter(`odd/group:${one}`);
    using bob = await enter(`odd/group:${two}`, { user: "bob" });
    const rounds = Array.from({ length: 20 }, (_, n) => `${n}`);
    const answers = await Promise.all(
      rounds.flatMap((text) => [run(alice, "tell", two, text), run(bob, "tell", one, text)]),
    );
    expect(new Set(answers)).toEqual(new Set(["done"]));
    const texts = (client: Client) =>
      client.heard.filter(({ method }) => method === "said").map(({ params }) => params[0]);
    for (const client of [alice, bob]) await expect.poll(() => texts(client)).toEqual(rounds);
  });
});
