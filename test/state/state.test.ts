// The state of a room over its own connection.

import { describe, expect, it, vi } from "vitest";
import { advance, outcomeOf } from "../client/server.ts";
import type { Auction } from "./hub.ts";
import {
  answerTo,
  connectedRoom,
  connectingRoom,
  FIRST,
  greet,
  patch,
  refusalOf,
  runsOf,
  snapshot,
  VASE,
  type RoomSetting,
} from "./room.ts";

/** Every state that listeners were called with. */
function toldTo({ room }: Pick<RoomSetting, "room">): Auction[] {
  const told: Auction[] = [];
  room.onState((state) => told.push(state));
  return told;
}

async function reconnect({ server }: Pick<RoomSetting, "server">): Promise<void> {
  const { socket } = server;
  socket.end();
  // oxlint-disable-next-line no-await-in-loop -- pauses grow with each loss
  while (server.socket === socket) await advance(100);
}

describe("the state of a room", () => {
  it("is undefined before the snapshot, which the greeting brings", async () => {
    const setting = await connectingRoom();
    const { room } = setting;
    const told = toldTo(setting);
    expect([room.state, room.position]).toEqual([undefined, undefined]);
    greet(setting, { state: FIRST });
    await advance();
    expect([room.state, room.confirmed, room.position]).toEqual([FIRST, FIRST, "e:10"]);
    expect(told).toEqual([FIRST]);
  });

  it("is told once to a listener that comes before its change is told to all", async () => {
    const { server, room } = await connectedRoom();
    server.socket.deliver(patch({ price: 120 }, 11));
    const told = toldTo({ room });
    await advance();
    expect(told).toEqual([{ ...FIRST, price: 120 }]);
  });

  it("changes by patches; what they leave as it is stays the same object", async () => {
    const { server, room } = await connectedRoom();
    const before = room.state;
    server.socket.deliver(patch({ price: 120, leader: "bob" }, 11));
    expect(room.state).toEqual({ ...FIRST, price: 120, leader: "bob" });
    expect(room.state?.bids).toBe(before?.bids);
    server.socket.deliver(patch({ leader: null }, 12));
    expect(room.state).toEqual({ ...FIRST, price: 120 });
    expect(room.position).toBe("e:12");
    expect(before).toEqual(FIRST);
  });

  it("is replaced by a snapshot in place of a patch", async () => {
    const { server, room } = await connectedRoom();
    server.socket.deliver(snapshot({ price: 1, bids: {} }, "e:11"));
    expect(room.state).toEqual({ price: 1, bids: {} });
  });

  it("is told at once to who listens later", async () => {
    const setting = await connectedRoom();
    expect(toldTo(setting)).toEqual([FIRST]);
  });

  it("is told once for all that one frame changes, behind the handlers of its messages", async () => {
    const setting = await connectedRoom();
    const { server, connection, room } = setting;
    const events: unknown[] = [];
    room.onState(({ price }) => events.push(price));
    connection.on("outbid", (by) => events.push(`${by}, ${room.state?.price}`));
    const message = { method: "outbid", params: ["bob"], room: VASE, position: "e:12" };
    server.socket.deliver(
      JSON.stringify([patch({ price: 110 }, 11), message, patch({ price: 120 }, 13)]),
    );
    await advance();
    expect(events).toEqual([100, "bob, 110", 120]);
  });

  it("is not told where nothing has changed", async () => {
    const setting = await connectedRoom();
    const told = toldTo(setting);
    setting.server.socket.deliver(patch({ price: 100 }, 11));
    setting.server.socket.deliver(snapshot(structuredClone(FIRST), "e:12"));
    await advance();
    expect(told).toEqual([FIRST]);
  });

  it("resumes by patches after a loss", async () => {
    const setting = await connectedRoom();
    setting.server.socket.deliver(patch({ price: 110 }, 11));
    await reconnect(setting);
    expect(setting.server.socket.query).toMatchObject({ since: "e:11" });
    greet(setting, { recovered: true, replayed: 1, position: "e:12" });
    setting.server.socket.deliver(patch({ price: 120 }, 12));
    expect(setting.room.state?.price).toBe(120);
  });

  it("begins anew by a snapshot, with the objects that are as they were", async () => {
    const setting = await connectedRoom();
    const before = setting.room.state;
    await reconnect(setting);
    greet(setting, { position: "f:3", state: { price: 5, bids: { a: { amount: 100 } } } });
    expect(setting.room.state).toEqual({ ...FIRST, price: 5 });
    expect(setting.room.state?.bids).toBe(before?.bids);
    setting.server.socket.deliver(patch({ price: 6 }, "f:4"));
    expect([setting.room.state?.price, setting.room.position]).toEqual([6, "f:4"]);
  });

  it("ignores what is not of the room", async () => {
    const { server, room } = await connectedRoom();
    server.socket.deliver(patch({ price: 1 }, 50, "group:other"));
    expect([room.state, room.position]).toEqual([FIRST, "e:10"]);
  });
});

describe("an action", () => {
  it("is run under a key, and resolves when its effects have come", async () => {
    const setting = await connectedRoom();
    const { server, room } = setting;
    const done = room.run.bid(120).then((result) => [result, room.confirmed?.price, room.pending]);
    await advance();
    const [run] = runsOf(server.socket);
    const key = run?.idempotencyKey;
    expect(run?.params).toEqual([
      { room: VASE, action: "bid", params: [120], idempotencyKey: key },
    ]);
    expect(key).toMatch(/^[0-9a-z]{16,128}$/);
    expect(room.pending).toBe(1);
    server.socket.deliver(JSON.stringify([patch({ price: 120 }, 11), answerTo(run, 11, 7)]));
    expect(await done).toEqual([7, 120, 0]);
  });

  it("has another key each time, and sends no undefined argument at the end", async () => {
    const { server, room } = await connectedRoom();
    void outcomeOf(room.run.name("bob"));
    void outcomeOf(room.run.name("bob", undefined));
    await advance();
    const [one, two] = runsOf(server.socket);
    expect(one?.idempotencyKey).not.toBe(two?.idempotencyKey);
    expect(two?.params).toMatchObject([{ params: ["bob"] }]);
  });

  it("rejects with the error of the action", async () => {
    const { server, room } = await connectedRoom();
    const outcome = outcomeOf(room.run.bid(1));
    await advance();
    server.socket.deliver(refusalOf(runsOf(server.socket)[0], "too_low"));
    expect([await outcome, room.pending]).toEqual([{ code: "too_low" }, 0]);
  });

  it("is sent again under its key after a loss", async () => {
    const setting = await connectedRoom();
    const outcome = outcomeOf(setting.room.run.bid(120));
    await advance();
    const [first] = runsOf(setting.server.socket);
    await reconnect(setting);
    greet(setting, { recovered: true, replayed: 1, position: "e:11" });
    setting.server.socket.deliver(patch({ price: 120 }, 11));
    await advance();
    const [again] = runsOf(setting.server.socket);
    expect(again?.params).toEqual(first?.params);
    setting.server.socket.deliver(answerTo(again, 11, 1));
    expect(await outcome).toEqual({ value: 1 });
  });

  it("asks for a snapshot where the answer came before its effects, or clients do not see them", async () => {
    const { server, room } = await connectedRoom();
    const { socket } = server;
    const seen = vi.fn<(price: number | undefined) => void>();
    void outcomeOf(room.run.bid(120)).then(() => seen(room.confirmed?.price));
    await advance();
    socket.deliver(answerTo(runsOf(socket)[0], 12));
    await advance();
    socket.deliver(patch({ price: 110 }, 11));
    await advance();
    expect([room.state?.price, room.pending, seen.mock.calls]).toEqual([110, 1, []]);
    const request = socket.sentMessages.find(({ method }) => method === "$/snapshot");
    const state = { ...FIRST, price: 120 };
    socket.deliver({ id: request?.id, result: { state, position: "e:12" } });
    await advance();
    expect([room.pending, seen.mock.calls]).toEqual([0, [[120]]]);
    socket.deliver(patch({ price: 120 }, 12));
    expect([room.state, room.position]).toEqual([state, "e:12"]);
  });

  it("is done where the snapshot cannot be had", async () => {
    const { server, room, connection } = await connectedRoom();
    const outcome = outcomeOf(room.run.bid(120));
    await advance();
    server.socket.deliver(answerTo(runsOf(server.socket)[0], 11, 3));
    await advance();
    connection.close();
    expect(await outcome).toEqual({ value: 3 });
  });

  it("takes a key, a position and a time limit of the application", async () => {
    const { server, room } = await connectedRoom();
    const options = { idempotencyKey: "k", at: "e:10", timeoutSeconds: 5 };
    const outcome = outcomeOf(room.with(options).run.bid(120));
    await advance();
    expect(runsOf(server.socket)[0]?.params).toMatchObject([{ idempotencyKey: "k", at: "e:10" }]);
    await advance(5_000);
    expect(await outcome).toEqual({ code: "timed_out" });
  });

  it("fails with the connection", async () => {
    const { room, connection } = await connectedRoom();
    const outcome = outcomeOf(room.run.bid(120));
    connection.close();
    expect(await outcome).toEqual({ code: "closed" });
    expect(await outcomeOf(room.run.bid(120))).toEqual({ code: "closed" });
  });
});

describe("a guess", () => {
  const guesses = {
    bid: (state: { price: number }, amount: number) => {
      if (amount > 900) throw new Error("No guess.");
      state.price += amount;
    },
  };

  it("shows at once, and gives way to the effects without showing both", async () => {
    const setting = await connectedRoom(guesses);
    const told = toldTo(setting);
    const { server, room } = setting;
    void room.run.bid(20);
    expect([room.state?.price, room.confirmed?.price]).toEqual([120, 100]);
    await advance();
    const run = runsOf(server.socket)[0];
    server.socket.deliver(JSON.stringify([patch({ price: 120 }, 11), answerTo(run, 11)]));
    await advance();
    expect(told.map(({ price }) => price)).toEqual([100, 120]);
    expect(room.confirmed?.price).toBe(120);
  });

  it("is rebased on every change of others", async () => {
    const { server, room } = await connectedRoom(guesses);
    void outcomeOf(room.run.bid(20));
    await advance();
    server.socket.deliver(patch({ price: 500, leader: "bob" }, 11));
    expect(room.state).toEqual({ ...FIRST, price: 520, leader: "bob" });
    expect(room.confirmed?.price).toBe(500);
  });

  it("is taken back where the action is refused, and those after it stay", async () => {
    const { server, room } = await connectedRoom(guesses);
    void outcomeOf(room.run.bid(20));
    void outcomeOf(room.run.bid(3));
    await advance();
    expect(room.state?.price).toBe(123);
    server.socket.deliver(refusalOf(runsOf(server.socket)[0], "too_low"));
    await advance();
    expect([room.state?.price, room.pending]).toEqual([103, 1]);
  });

  it("shows nothing where it throws", async () => {
    const { room } = await connectedRoom(guesses);
    const before = room.state;
    void outcomeOf(room.run.bid(901));
    expect(room.state).toBe(before);
    void outcomeOf(room.run.bid(1));
    expect(room.state?.price).toBe(101);
  });

  it("stays through a loss", async () => {
    const setting = await connectedRoom(guesses);
    void outcomeOf(setting.room.run.bid(20));
    await reconnect(setting);
    greet(setting, { state: { ...FIRST, price: 300 }, position: "f:1" });
    expect(setting.room.state?.price).toBe(320);
  });
});
