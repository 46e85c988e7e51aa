// Our `events` in Node, as a service has it, against the real `wrangler dev`: what it hears, what it is refused, and
// that it leaves when it stops. Under load and kills: event-source.test.ts.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, events, type EventsOptions, type RoomEvent } from "../../src/client/index.ts";
import type { AdminHub } from "../../src/hubs/admin.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";
import { startEngine } from "../support/engine.ts";
import type { OwnEndpoint } from "../support/endpoint.ts";

let endpoint: OwnEndpoint;
let hub: string;
beforeAll(async () => {
  endpoint = await startEngine();
  hub = `${endpoint.url}/hubs/chat`;
});
afterAll(() => endpoint[Symbol.asyncDispose]());

const token = () => endpoint.token("alice");
const chatting = (room: `group:${string}`) =>
  connect<ChatHub>(hub, { room, token: () => endpoint.token("bob") });

/** Reads until it holds. */
async function until(
  options: EventsOptions,
  holds: (event: RoomEvent<ChatHub>) => unknown,
): Promise<RoomEvent<ChatHub>[]> {
  const heard: RoomEvent<ChatHub>[] = [];
  for await (const event of events<ChatHub>(hub, options)) {
    heard.push(event);
    if (await holds(event)) break;
  }
  return heard;
}

const says = (text: string) => (event: RoomEvent<ChatHub>) =>
  event.method === "receiveMessage" && event.params[1] === text;
const textsOf = (heard: readonly RoomEvent<ChatHub>[]) =>
  heard.flatMap(({ method, params }) => (method === "receiveMessage" ? [params[1]] : []));

describe("a service that reads a room", () => {
  it("hears what is said, and who comes, from where it begins", async () => {
    await using bob = chatting("group:news");
    const heard = await until({ room: "group:news", token }, async ({ type, ...event }) => {
      if (type === "connected") await bob.invoke.sendToRoom("news", "hello");
      return says("hello")({ type, ...event } as RoomEvent<ChatHub>);
    });
    expect(heard[0]).toMatchObject({ type: "connected", hello: { userId: "alice" } });
    expect(heard.at(-1)).toMatchObject({ params: ["bob", "hello"], room: "group:news" });
  });

  it("goes on where another stopped, in all rooms, with names of every kind", async () => {
    const rooms = ["group:one, with a comma", "group:two = 漢?&%"] as const;
    const [one, two] = rooms.map((room) => room.slice("group:".length)) as [string, string];
    await using bob = chatting("group:elsewhere");
    const say = async (texts: readonly (readonly [room: string, text: string])[]) => {
      for (const text of texts) await bob.invoke.sendToRoom(...text);
    };
    let greeted = 0;
    const before = await until({ rooms, token }, async (event) => {
      if (event.type === "connected" && ++greeted === 2)
        await say([
          [one, "1"],
          [two, "2"],
        ]);
      return says("2")(event);
    });
    await say([
      [two, "3"],
      [one, "4"],
    ]);
    const { id: since } = before.at(-1) as { id: string };
    const missing = new Set(["3", "4"]);
    const after = await until({ rooms, token, since }, (event) => {
      if (event.method === "receiveMessage") missing.delete(event.params[1]);
      return missing.size === 0;
    });
    expect(after.filter(({ type }) => type === "recovered")).toHaveLength(2);
    const said = [...before, ...after].flatMap((event) =>
      event.method === "receiveMessage" ? [`${event.room} ${event.params[1]}`] : [],
    );
    expect(said.toSorted()).toEqual(
      [`${rooms[0]} 1`, `${rooms[1]} 2`, `${rooms[1]} 3`, `${rooms[0]} 4`].toSorted(),
    );
  });

  it("hangs up when its loop ends", async () => {
    const hello = JSON.stringify({ room: "group:door" });
    const left = Promise.withResolvers<boolean>();
    const server = createServer((_request, response) => {
      response.on("close", () => left.resolve(!response.writableFinished));
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`event: connected\nid: e:0\ndata: ${hello}\n\n`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const options = { room: "group:door", token } as const;
    for await (const { type } of events<ChatHub>(`http://127.0.0.1:${port}/hubs/chat`, options)) {
      expect(type).toBe("connected");
      break;
    }
    expect(await left.promise).toBe(true);
    server.close();
  });

  it("is back after a kill, with a fresh token, and has missed nothing", async () => {
    await using bob = chatting("group:den");
    const tokens: string[] = [];
    const fresh = async () => {
      tokens.push(await endpoint.token("alice", { n: tokens.length }));
      return tokens.at(-1)!;
    };
    const heard = await until(
      { room: "group:den", token: fresh, backoff: { baseMs: 50, capMs: 500 } },
      async (event) => {
        if (event.type === "connected") await bob.invoke.sendToRoom("den", "before");
        if (!says("before")(event)) return says("after")(event);
        await endpoint.restart();
        await bob.with({ idempotencyKey: "k" }).invoke.sendToRoom("den", "after");
        return false;
      },
    );
    expect(textsOf(heard)).toEqual(["before", "after"]);
    expect(heard.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["reconnecting", "recovered"]),
    );
    expect(new Set(tokens).size).toBeGreaterThan(1);
  });
});

describe("a service that may not read a room", () => {
  const outcome = async (address: string, options: EventsOptions) => {
    try {
      for await (const event of events<AdminHub>(address, { maxRetries: 1, ...options }))
        if (event.type === "connected") return "connected";
      return "ended";
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  it("is told why, at once", async () => {
    const [room, wrong] = ["group:staff", "group:lobby"] as const;
    const carol = await endpoint.token("carol");
    const old = await endpoint.token("carol", {}, -3_600);
    const backoff = { baseMs: 10 };
    expect(await outcome(`${endpoint.url}/hubs/admin`, { room, token: carol })).toBe("forbidden");
    expect(await outcome(`${endpoint.url}/hubs/none`, { room, token: carol })).toBe(
      "hub_not_found",
    );
    expect(await outcome(hub, { rooms: [wrong, "user:bob"], token: carol })).toBe("forbidden");
    expect(await outcome(hub, { room: wrong, token: old })).toBe("token_expired");
    expect(await outcome(hub, { room: wrong, token: async () => old, backoff })).toBe(
      "token_expired",
    );
    expect(await outcome(hub, { room: wrong, token: carol })).toBe("connected");
  });
});
