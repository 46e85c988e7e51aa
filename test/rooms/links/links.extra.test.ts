// Links to rooms elsewhere that fail, hang or break off: nobody stays behind in them, and nobody is left out.

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import { request } from "../../dispatch/frames.ts";
import { enter, roomAt, type Client, type Joining } from "../client.ts";
import { failOnce, failTwice, hold, replace, rowsOf } from "../replaced.ts";
import { range } from "../storage.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const entering = async (room: string, joining: Joining): Promise<Client> => {
  const client = await enter(room, joining);
  onTestFinished(() => client[Symbol.dispose]());
  return client;
};

async function ring(room: string, seconds: number): Promise<void> {
  vi.setSystemTime(Date.now() + seconds * 1000);
  await runDurableObjectAlarm(roomAt(room));
}

async function close(client: Client): Promise<void> {
  client.socket.close(1000);
  await client.closed;
}

async function userIdsIn(room: string): Promise<string[]> {
  const peer: RoomRpc = roomAt(room);
  return (await peer.presence({})).members.map(({ userId }) => userId);
}

/** What an object knows of its links, beside that to its hub's `all` room. */
const linksOf = async (room: string) => ({
  joins: await rowsOf(room, "joins"),
  follows: await rowsOf(room, "follows WHERE room <> 'all'"),
});
const NONE = { joins: [], follows: [] };

const outcome = ({ result, error }: Awaited<ReturnType<Client["call"]>>) =>
  error ? error.data.code : result;

describe("a join", () => {
  it("by a handler that outlives its caller is refused, and leaves nothing behind", async () => {
    const [home, away] = ["meddling/group:late", "meddling/group:late-away"];
    await entering(away, { user: "watch" });
    const bob = await entering(home, { user: "bob" });
    const eve = await entering(home, { user: "eve" });
    const seen: string[] = [];
    const trace = async () => {
      seen.push(...((await bob.call("trace")).result as string[]));
      return seen;
    };
    eve.send(request("late", "joinLate", ["gate", "late-away"]));
    await expect.poll(trace).toEqual(["waits"]);
    await close(eve);
    await bob.call("release", ["gate"]);
    await expect.poll(trace).toEqual(["waits", "interrupted"]);
    expect(await linksOf(home)).toEqual(NONE);
    expect([await userIdsIn(away), await rowsOf(away, "followers")]).toEqual([["watch"], []]);
  });

  it.each([
    ["leaves nobody behind", "lost", []],
    ["leaves nobody behind who was there otherwise, too", "lost-too", ["eve"]],
  ])("whose answer was lost %s", async (_, name, others) => {
    const [home, away] = [`meddling/group:${name}`, `meddling/group:${name}-away`];
    const bob = await entering(away, { user: "bob" });
    const there = await Promise.all(others.map((user) => entering(away, { user })));
    // Presence that is still to be said would find out that the follower is gone.
    await bob.heardFrame(({ params }) => params?.users === 1 + others.length);
    await failTwice(away, "follow", "done");
    const eve = await entering(home, { user: "eve" });
    expect(outcome(await eve.call("join", [`${name}-away`]))).toBe("unavailable");
    for (const one of [eve, ...there]) await close(one);
    await ring(home, 6);
    await expect.poll(() => rowsOf(away, "followers")).toEqual([]);
    await ring(away, 7);
    expect([await userIdsIn(away), await linksOf(home)]).toEqual([["bob"], NONE]);
  });

  it("whose room is reset meanwhile is tried once more", async () => {
    const [home, away] = ["meddling/group:once-more", "meddling/group:once-more-away"];
    const eve = await entering(home, { user: "eve" });
    await roomAt(away).history({});
    await failOnce(away, "follow", "done");
    expect(outcome(await eve.call("join", ["once-more-away"]))).toBe(null);
    expect(await userIdsIn(away)).toEqual(["eve"]);
  });

  it("that failed can be made again", async () => {
    const [home, away] = ["meddling/group:again", "meddling/group:again-away"];
    await roomAt(away).history({});
    await failTwice(away, "follow", "undone");
    const eve = await entering(home, { user: "eve" });
    const joined = [await eve.call("join", ["again-away"]), await eve.call("join", ["again-away"])];
    expect(joined.map(outcome)).toEqual(["unavailable", null]);
    await eve.call("tellGroup", ["again-away", "heard"]);
    expect((await eve.said("told")).params).toEqual(["heard"]);
    expect(await userIdsIn(away)).toEqual(["eve"]);
  });
});

it("a channel of the token that could not be followed at first is followed by alarm, two seconds later", async () => {
  const [home, away] = ["meddling/group:channel", "meddling/group:channel-away"];
  await roomAt(away).history({});
  await failTwice(away, "follow", "undone");
  const claims = { channels: ["group:channel-away"] };
  const eve = await entering(home, { user: "eve", claims });
  const alarm = () => runInDurableObject(roomAt(home), (_, { storage }) => storage.getAlarm());
  await expect.poll(async () => (await alarm())! - Date.now()).toBe(2_000);
  await ring(home, 2);
  await expect.poll(() => userIdsIn(away)).toEqual(["eve"]);
  await eve.call("tellGroup", ["channel-away", "heard"]);
  expect(await eve.said("told")).toMatchObject({ params: ["heard"], room: "group:channel-away" });
});

it(
  "a room elsewhere that hangs keeps nobody's expired token alive",
  { timeout: 5_000 },
  async () => {
    const [home, away] = ["meddling/group:hung", "meddling/group:hung-away"];
    await roomAt(away).history({});
    const { held, letGo } = await hold(away, "follow");
    onTestFinished(letGo);
    const keeper = await entering(home, { user: "keeper" });
    const exp = Math.floor(Date.now() / 1000) + 150;
    const eve = await entering(home, { user: "eve", claims: { exp } });
    keeper.send(request("join", "join", ["hung-away"]));
    await held();
    await ring(home, 130);
    await ring(home, 90);
    expect(await eve.closed).toMatchObject({ code: 4401 });
  },
);

it("what is said in a room elsewhere is said once although that room is reset under it", async () => {
  const [home, away] = ["meddling/group:reset", "meddling/group:reset-away"];
  const eve = await entering(home, { user: "eve" });
  await roomAt(away).history({});
  await runInDurableObject(roomAt(away), (_, state) =>
    replace(away, "publish", () => async () => {
      state.abort("reset by a test");
      throw new Error("Not reached.");
    }),
  );
  const said = [
    await eve.call("tellGroup", ["reset-away", "one"]),
    await eve.call("tellGroup", ["reset-away", "two"]),
  ];
  expect(said.map(outcome)).toEqual([null, null]);
  const { entries } = await roomAt(away).history({});
  expect(entries.map(({ params }) => JSON.parse(params))).toEqual([["one"], ["two"]]);
});

it("followers hear more at once than one RPC carries", async () => {
  const [home, away] = ["meddling/group:much", "meddling/group:much-away"];
  const eve = await entering(home, { user: "eve" });
  await eve.call("join", ["much-away"]);
  const text = "x".repeat(250 * 1024);
  await Promise.all(
    range(1, 140).map((n) =>
      roomAt(away).publish({ target: "told", params: JSON.stringify([n, text]) }),
    ),
  );
  await eve.heardFrame(({ params }) => params?.[0] === 140);
  expect(eve.messages("told").map(({ params }) => params[0] as number)).toEqual(range(1, 140));
});
