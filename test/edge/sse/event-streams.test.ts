// Rooms as Server-Sent Events: what comes, where it stands, and what becomes of streams that end.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import { enter, roomAt, token } from "../../rooms/client.ts";
import { listen, type Told } from "./listener.ts";
import { unlessRefused } from "../../../src/rooms/rpc/fault.ts";

const say = (room: string, ...words: unknown[]) =>
  roomAt(room).publish({ target: "said", params: JSON.stringify(words) });
const MANY = Array.from({ length: 20 }, (_, i) => `order:${i}`).join();
const words = (told: readonly Told[]) =>
  told.filter(({ event }) => event === "said").map(({ data }) => data[0]);

describe("a room's events", () => {
  it("begin with where the client stands, and carry what is said with its position", async () => {
    const events = await listen("/hubs/orders/orders/e1");
    expect(events.response.status).toBe(200);
    expect(events.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(events.response.headers.get("cache-control")).toMatch(/no-store.*no-transform/);
    const hello = await events.next(({ event }) => event === "connected");
    expect(hello.data).toMatchObject({ room: "order:e1", userId: "alice" });
    expect(hello.id).toBe(hello.data.position);
    expect(events.raw[0]).toMatch(/^retry: (1\d{3}|2000)\nevent: connected\n/);
    const { epoch, offset } = await say("orders/order:e1", "hi", { n: 1 });
    expect(await events.next(({ event }) => event === "said")).toEqual({
      event: "said",
      id: `${epoch}:${offset}`,
      data: ["hi", { n: 1 }],
    });
  });

  it("resume after the last event's id, in header or query, and say whether they could", async () => {
    for (const [name, way] of [
      ["e2", (id: string) => ["", { "last-event-id": id }] as const],
      ["e2-by-query", (id: string) => [`?lastEventId=${id}`, {}] as const],
    ] as const) {
      const { epoch, offset } = await say(`orders/order:${name}`, "1");
      await say(`orders/order:${name}`, "2");
      const [query, headers] = way(`${epoch}:${offset}`);
      const events = await listen(`/hubs/orders/orders/${name}${query}`, headers);
      expect((await events.next(({ event }) => event === "recovered")).data.replayed).toBe(1);
      await events.next(({ event }) => event === "said");
      expect(words(events.told)).toEqual(["2"]);
    }
    const lost = await listen("/hubs/orders/orders/e2", { "last-event-id": "nowhere1:7" });
    expect((await lost.next(({ event }) => event === "reset")).data.recovered).toBe(false);
  });

  it("of several rooms come on one stream, with a position for each", async () => {
    const path = "/hubs/orders/orders/e3?rooms=group:e4,order:e5";
    const events = await listen(path);
    await events.next(({ data }) => data?.room === "order:e5");
    await events.next(({ data }) => data?.room === "group:e4");
    await say("orders/group:e4", "four");
    await say("orders/order:e5", "five");
    const five = await events.next(({ data }) => data?.[0] === "five");
    await events.next(({ data }) => data?.[0] === "four");
    await events.stop();
    await say("orders/order:e3", "three");
    await say("orders/group:e4", "four again");
    const again = await listen(path, { "last-event-id": five.id! });
    await again.next(({ data }) => data?.[0] === "three");
    await again.next(({ data }) => data?.[0] === "four again");
    expect(words(again.told)).not.toContain("five");
    expect(again.told.filter(({ event }) => event === "recovered")).toHaveLength(3);
  });

  it("of rooms whose names have commas are asked for one by one", async () => {
    const path = "/hubs/orders/orders/e11?rooms=order:e12&room=order:e,13&room=order:e,14";
    const events = await listen(path);
    for (const room of ["order:e11", "order:e12", "order:e,13", "order:e,14"])
      await events.next(({ data }) => data?.room === room);
    expect(events.told.filter(({ event }) => event === "connected")).toHaveLength(4);
  });

  it("are for those who may enter every room, refused before anything begins", async () => {
    for (const [path, status, code] of [
      ["/hubs/orders/users/bob", 403, "forbidden"],
      ["/hubs/orders/orders/e6?rooms=user:bob", 403, "forbidden"],
      ["/hubs/orders/orders/e6?rooms=planet:mars", 404, "room_kind_not_found"],
      ["/hubs/orders/orders/e6?lastEventId=nonsense", 400, "invalid_position"],
      [`/hubs/orders/orders/e6?rooms=${MANY}`, 400, "too_many_groups"],
    ] as const) {
      const { response } = await listen(path);
      expect([response.status, response.headers.get("x-dormouse-error")]).toEqual([status, code]);
    }
  });
});

describe("a stream of events", () => {
  it("has no block without data: comments end no block", async () => {
    const begin = globalThis.setInterval;
    const hastened = vi.spyOn(globalThis, "setInterval");
    let comments = 0;
    hastened.mockImplementation(((run: () => void) =>
      begin(() => {
        run();
        comments++;
      }, 5)) as typeof setInterval);
    const events = await listen("/hubs/orders/orders/e15");
    hastened.mockRestore();
    await events.next(({ event }) => event === "connected");
    await expect.poll(() => comments).toBeGreaterThan(2);
    await say("orders/order:e15", "hi");
    await events.next(({ event }) => event === "said");
    expect(events.raw.join("\n\n")).toMatch(/^:\n(?:.*\n)*event: said\n/m);
    for (const block of events.raw) expect(block).toMatch(/^data: ./m);
  });

  it("leaves the room when its reader does, and lets the room sleep while it stays", async () => {
    const room = "orders/order:e7";
    const events = await listen("/hubs/orders/orders/e7");
    await events.next(({ event }) => event === "connected");
    const sockets = () =>
      runInDurableObject(roomAt(room), (_, state) => state.getWebSockets().length);
    expect(await sockets()).toBe(1);
    await evictDurableObject(roomAt(room));
    await expect(evictDurableObject(roomAt(room))).rejects.toThrow(/not .*running/i);
    await say(room, "still here");
    await events.next(({ data }) => data?.[0] === "still here");
    await events.stop();
    await expect.poll(sockets).toBe(0);
  });

  it("is mended by position when the object is reset under it", async () => {
    const room = "orders/order:e8";
    const events = await listen("/hubs/orders/orders/e8");
    await say(room, "1");
    await events.next(({ data }) => data?.[0] === "1");
    await runInDurableObject(roomAt(room), (_, state) => state.abort("reset by a test")).catch(
      () => {},
    );
    await say(room, "2");
    await events.next(({ data }) => data?.[0] === "2");
    await say(room, "3");
    await events.next(({ data }) => data?.[0] === "3");
    expect(words(events.told)).toEqual(["1", "2", "3"]);
  });

  it("ends where its token does, and says why", async () => {
    const room = "orders/order:e9";
    const events = await listen("/hubs/orders/orders/e9");
    await events.next(({ event }) => event === "connected");
    await runInDurableObject(roomAt(room), (_, state) => {
      for (const socket of state.getWebSockets()) socket.close(4401, "The token has expired.");
    });
    expect((await events.next(({ event }) => event === "end")).data).toMatchObject({ code: 4401 });
    await events.isOver;
  });

  it("answers no questions: who asks is told at once", async () => {
    using bob = await enter("orders/order:e10", { user: "bob" });
    const events = await listen("/hubs/orders/orders/e10");
    const { data } = await events.next(({ event }) => event === "connected");
    const room: RoomRpc = roomAt("orders/order:e10");
    const asked = await room.ask(data.connectionId, "confirm", { params: "[]" });
    expect(asked).toMatchObject({ fault: { code: "client_error" } });
    expect((await bob.call("$/presence")).result.users).toBe(2);
  });
});

it("is asked for by its media type in any case, among others", async () => {
  const accept = "text/html, Text/Event-Stream;q=0.9";
  const events = await listen("/hubs/chat/groups/accepted", { accept });
  expect(events.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
});

it("opens nothing for a HEAD, which nobody would ever close", async () => {
  const url = `https://edge.example/hubs/chat/groups/headed?access_token=${await token("alice")}`;
  const headers = { accept: "text/event-stream" };
  const response = await exports.default.fetch(url, { method: "HEAD", headers });
  expect([response.status, response.body]).toEqual([200, null]);
  const sockets = runInDurableObject(
    roomAt("chat/group:headed"),
    (_room, state) => state.getWebSockets().length,
  );
  expect(await sockets).toBe(0);
});

it("tells once what all of the hub hears, however many rooms the stream has", async () => {
  using bob = await enter("chat/group:crowd1", { user: "bob" });
  const stream = await listen("/hubs/chat/groups/crowd1?rooms=group:crowd2,group:crowd3");
  for (const room of ["crowd1", "crowd2", "crowd3"])
    // oxlint-disable-next-line no-await-in-loop -- each has begun
    await stream.next(({ event, data }) => event === "connected" && data.room === `group:${room}`);
  await bob.call("broadcastExceptSelf", ["to all"]);
  for (const room of ["crowd1", "crowd2", "crowd3"]) {
    // oxlint-disable-next-line no-await-in-loop -- what all have heard stands before this
    await bob.call("sendToRoom", [room, `end ${room}`]);
    // oxlint-disable-next-line no-await-in-loop
    await stream.next(({ data }) => data?.[1] === `end ${room}`);
  }
  await expect.poll(() => stream.told.filter(({ data }) => data?.[1] === "to all")).toHaveLength(1);
});

it("ends for a reader that does not read, and takes it back where it stood", async () => {
  const url = `https://edge.example/hubs/chat/groups/unread?access_token=${await token("alice")}`;
  const headers = { accept: "text/event-stream" };
  const room: RoomRpc = roomAt("chat/group:unread");
  const { body } = await exports.default.fetch(url, { headers });
  const sockets = () =>
    runInDurableObject(roomAt("chat/group:unread"), (_room, state) => state.getWebSockets().length);
  expect(await sockets()).toBe(1);
  const before = unlessRefused(await room.missed(undefined));
  for (let i = 0; i < 8; i += 1)
    // oxlint-disable-next-line no-await-in-loop -- one after another, as they are said
    await say("chat/group:unread", `${i}`, "x".repeat(200_000));
  await expect.poll(sockets).toBe(0);
  // What waits is read to its end: the stream goes on from there.
  expect(await new Response(body).text()).toMatch(/\nevent: said\nid: \S+\ndata: \["5",.*\n\n$/);
  // What is kept may be more than is replayed at once: it goes on from the middle.
  const { epoch, offset } = before.position;
  const stream = await listen("/hubs/chat/groups/unread", {
    "last-event-id": `${epoch}:${offset + 5}`,
  });
  await stream.next(({ event, data }) => event === "said" && data[0] === "7");
  expect(stream.told[0]!.event).toBe("recovered");
  expect(words(stream.told)).toEqual(["5", "6", "7"]);
});
