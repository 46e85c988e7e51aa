// The events that a reader receives, and the position that it resumes from.

import { describe, expect, it } from "vitest";
import { events } from "../../../src/client/index.ts";
import { VERSION } from "../../../src/model/package-version.ts";
import { startReader, texts } from "./event-server.ts";
import type { TestHub } from "../hubs.ts";
import { HELLO, advance } from "../server.ts";

function thrownBy(run: () => unknown): { readonly code?: string } {
  try {
    run();
  } catch (error) {
    return error as { code?: string };
  }
  throw new Error("Nothing was thrown.");
}

const BOTH = { rooms: ["group:a, or b", "order:1"] as const };
const [A, B] = ["group%3Aa%2C%20or%20b", "order%3A1"];

describe("a room's events", () => {
  it("are asked for at the room's address, with the token in a header", async () => {
    const { request } = await startReader({ room: "order:4/2", token: async () => "fresh" });
    expect(request.url.href).toBe(`https://host/hubs/test/orders/4%2F2?dormouse=${VERSION}`);
    expect(Object.fromEntries(request.headers)).toEqual({
      accept: "text/event-stream",
      authorization: "Bearer fresh",
    });
  });

  it("are asked for without that header by a guest", async () => {
    const { request } = await startReader({ token: "" });
    expect(Object.fromEntries(request.headers)).toEqual({ accept: "text/event-stream" });
  });

  it("come with what the hub says, where, and where one stands then", async () => {
    const { request, received } = await startReader();
    request.greet();
    request.deliverMessage("hi", "e:11");
    const joined = [{ userId: "bob", since: 1 }];
    request.deliver(
      "presence",
      { users: 1, connections: 1, joined, left: [], more: false },
      "e:12",
    );
    request.deliverMessage("to you alone");
    await advance();
    const place = (n: number) => ({ room: "group:lobby", position: `e:${n}`, id: id(n) });
    const id = (n: number) => `group%3Alobby=e:${n}`;
    expect(received).toEqual([
      { type: "connected", ...place(10), hello: HELLO },
      { type: "message", method: "said", params: ["bob", "hi"], ...place(11) },
      { type: "presence", change: expect.objectContaining({ joined }), ...place(12) },
      { type: "message", method: "said", params: ["bob", "to you alone"], id: id(12) },
    ]);
  });

  it("have changes of the room's state, each once, and those of a followed room", async () => {
    const { request, received } = await startReader();
    request.greet();
    const at = (room: string, position: string) => ({ room, position });
    const lobby = (position: string) => at("group:lobby", position);
    request.deliver("state", { ...lobby("e:11"), patch: { count: 1 } }, "e:11");
    request.deliver("state", { ...lobby("e:11"), patch: { count: 1 } }, "e:11");
    request.deliver("state", { ...lobby("f:0"), state: { count: 0 } }, "f:0");
    request.deliver("state", { ...at("user:bob", "g:3"), patch: { mail: 1 } });
    await advance();
    const id = "group%3Alobby=f:0";
    expect(received.slice(1)).toEqual([
      { type: "state", patch: { count: 1 }, ...lobby("e:11"), id: "group%3Alobby=e:11" },
      { type: "state", state: { count: 0 }, ...lobby("f:0"), id },
      { type: "state", patch: { mail: 1 }, ...at("user:bob", "g:3"), id },
    ]);
  });

  it("are whole, however they come in pieces, and words of newer servers are none", async () => {
    const { request, received } = await startReader();
    request.greet();
    request.deliver("weather", { sun: true });
    for (const piece of [":\n", "\nevent: said\r\nid: e:1", '1\ndata: ["bob",', '"🐭"]\n', "\n"])
      request.write(piece);
    await advance();
    expect(texts(received)).toEqual(["connected", "🐭"]);
  });

  it("named as the stream's own are what the hub says, by their arguments", async () => {
    const { request, received } = await startReader();
    request.greet();
    request.deliver("reset", ["the game"], "e:11");
    await advance();
    expect(received[1]).toMatchObject({ type: "message", method: "reset", params: ["the game"] });
  });

  it("are heard once, and another epoch is another count", async () => {
    const { request, received } = await startReader();
    request.greet();
    for (const at of ["e:11", "e:11", "e:10", "e:12", "f:3", "f:3", "f:4"])
      request.deliverMessage(at, at);
    await advance();
    expect(texts(received)).toEqual(["connected", "e:11", "e:12", "f:3", "f:4"]);
  });
});

describe("the events of several rooms", () => {
  it.each([BOTH.rooms, BOTH.rooms.toReversed()])(
    "are asked for together: %s, %s",
    async (...rooms) => {
      const { request } = await startReader({ rooms: rooms as never });
      const { pathname, searchParams } = request.url;
      const first = decodeURIComponent(pathname).replace("/hubs/test/", "").replace("s/", ":");
      expect([first, ...searchParams.getAll("room")]).toEqual(rooms);
    },
  );

  it("belong to the room whose position has moved", async () => {
    const { request, received } = await startReader(BOTH);
    request.greet("connected", `${B}=f:7`, { room: "order:1" });
    request.deliverMessage("one", `${B}=f:8`);
    request.deliver("connected", { ...HELLO, room: "group:a, or b" }, `${B}=f:8;${A}=e:10`);
    request.deliverMessage("two", `${B}=f:8;${A}=e:11`);
    request.deliverMessage("three", `${B}=f:9;${A}=e:11`);
    await advance();
    const messages = received.filter(({ type }) => type === "message");
    expect(messages).toMatchObject([
      { room: "order:1", position: "f:8", id: `${B}=f:8` },
      { room: "group:a, or b", position: "e:11", id: `${B}=f:8;${A}=e:11` },
      { room: "order:1", position: "f:9", id: `${B}=f:9;${A}=e:11` },
    ]);
  });

  it("that come twice move nothing, in no room", async () => {
    const { request, received } = await startReader({ ...BOTH, since: `${A}=e:10;${B}=f:7` });
    request.accept();
    request.deliverMessage("new", `${A}=e:11;${B}=f:7`);
    request.deliverMessage("old", `${A}=e:9;${B}=f:7`);
    request.deliverMessage("new there", `${A}=e:9;${B}=f:8`);
    await advance();
    expect(texts(received)).toEqual(["new", "new there"]);
    request.end();
    await advance(500);
    expect(request.lastEventId).toBe(`${A}=e:11;${B}=f:8`);
  });
});

describe("a reader that comes back", () => {
  it("hears what had come, names where it stands, and hears what it missed", async () => {
    const { request, requests, received } = await startReader();
    request.greet();
    request.deliverMessage("1", "e:11");
    request.deliverMessage("2", "e:12");
    request.write('event: said\nid: e:13\ndata: ["bob","half"]\n');
    await advance();
    request.fail();
    await advance(500);
    request.greet("recovered", "e:12", { recovered: true, replayed: 1, position: "e:13" });
    request.deliverMessage("3", "e:13");
    await advance();
    expect(texts(received).slice(-3)).toEqual(["reconnecting", "recovered", "3"]);
    expect(requests.map(({ lastEventId }) => lastEventId)).toEqual([null, "group%3Alobby=e:12"]);
  });

  it("stands where it stood, as long as a replay is under way", async () => {
    const { request, requests } = await startReader({ since: "e:5" });
    request.greet("recovered", "e:5", { recovered: true, replayed: 2, position: "e:7" });
    request.deliverMessage("6", "e:6");
    await advance();
    request.fail();
    await advance(500);
    const ids = ["group%3Alobby=e:5", "group%3Alobby=e:6"];
    expect(requests.map(({ lastEventId }) => lastEventId)).toEqual(ids);
  });

  it("is told where it was away for too long, and stands where the room does", async () => {
    const { request, received } = await startReader({ since: "old:5" });
    request.greet("reset", "e:2");
    request.deliverMessage("3", "e:3");
    await advance();
    expect(received[0]).toMatchObject({ type: "reset", room: "group:lobby", position: "e:2" });
    expect(texts(received)).toEqual(["reset", "3"]);
  });

  it("is told of a loss elsewhere, and goes on as it was", async () => {
    const { request, received } = await startReader();
    request.greet();
    request.deliver("reset", { room: "all" });
    request.deliverMessage("11", "e:11");
    await advance();
    expect(received[1]).toEqual({ type: "reset", room: "all", id: "group%3Alobby=e:10" });
    expect(texts(received)).toEqual(["connected", "reset", "11"]);
  });

  it.each([
    ["no JSON", "event: said\nid: e:11\ndata: {\n\n"],
    ["an id that is none", 'event: said\nid: eleven\ndata: ["bob","x"]\n\n'],
    ["a hello from nowhere", 'event: reset\nid: e:11\ndata: {"room":"group:b"}\n\n'],
    ["a hello of nobody", "event: reset\nid: e:11\ndata: null\n\n"],
  ])("after %s asks for all of it again", async (_what, nonsense) => {
    const { request, received } = await startReader();
    request.greet();
    request.write(nonsense);
    await advance(500);
    expect(received[1]).toMatchObject({ type: "reconnecting" });
    expect(request.lastEventId).toBe("group%3Alobby=e:10");
  });
});

describe("an address", () => {
  const where = { room: "group:lobby", token: "t" } as const;
  it.each([
    ["a room that is none", "https://host/hubs/test", { ...where, room: "lobby" }],
    ["no room at all", "https://host/hubs/test", { token: "t", rooms: [] }],
    ["a second room that is none", "https://host/hubs/test", { ...BOTH, rooms: ["order:1", "x"] }],
    ["a path without a page", "/hubs/test", where],
    ["a position that is none", "https://host/hubs/test", { ...where, since: "yesterday" }],
  ])("with %s is refused at once", (_what, hub, options) => {
    expect(() => events<TestHub>(hub, options as never)).toThrow(/room|name|URL|position/);
  });

  it.each(["%zz=e:1", "group%3Alobby=e:1;%=e:2"])(
    "with an id whose room is wrongly encoded is refused by its code (%s)",
    (since) => {
      const options = { ...where, since };
      const { code } = thrownBy(() => events<TestHub>("https://host/hubs/test", options));
      expect(code).toBe("invalid_position");
    },
  );

  it("that is right is not visited before anybody iterates", async () => {
    const urls: string[] = [];
    const fetch = (async (url: string) =>
      void urls.push(url)) as unknown as typeof globalThis.fetch;
    const iterable = events<TestHub>("wss://host/hubs/test", { ...where, fetch });
    await iterable[Symbol.asyncIterator]().return!();
    expect(urls).toEqual([]);
  });
});
