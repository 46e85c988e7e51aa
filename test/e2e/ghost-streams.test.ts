// Readers of streams that vanish, against the real endpoint: how long their users stay present. The worker writes to
// each reader every 15 s, and a write is what finds that nobody reads any more.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Endpoint } from "../support/endpoint.ts";
import { sharedEndpoint } from "../support/shared-endpoint.ts";
import { enter } from "./client.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

/** A write each 15 s, twice; then the grace of 5 s, the announcement, and a busy machine. */
const BOUND_MS = 45_000;

/** A request as text on a bare socket; done when the stream has begun. */
async function opened(head: string, body: string | Buffer = ""): Promise<Socket> {
  const socket = connect({ port: endpoint.port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  socket.write(`${head}\r\nhost: 127.0.0.1:${endpoint.port}\r\n\r\n`);
  if (body !== "") socket.write(body);
  let text = "";
  while (!/connected|standing/i.test(text)) text += String((await once(socket, "data"))[0]);
  socket.resume();
  return socket;
}

async function eventStream(room: string, user: string): Promise<Socket> {
  const token = await endpoint.token(user);
  return opened(
    [
      `GET /hubs/chat/groups/${room} HTTP/1.1`,
      "accept: text/event-stream",
      `authorization: Bearer ${token}`,
    ].join("\r\n"),
  );
}

async function subscription(room: string, user: string): Promise<Socket> {
  const token = await endpoint.token(user);
  const message = Buffer.from(
    JSON.stringify({ hub: "chat", topics: [{ topic: `group:${room}` }] }),
  );
  const envelope = Buffer.alloc(5);
  envelope.writeUInt32BE(message.length, 1);
  const body = Buffer.concat([envelope, message]);
  return opened(
    [
      "POST /dormouse.v1.Hub/Subscribe HTTP/1.1",
      "content-type: application/connect+json",
      "connect-protocol-version: 1",
      `content-length: ${body.length}`,
      `authorization: Bearer ${token}`,
    ].join("\r\n"),
    body,
  );
}

const READERS = { "Server-Sent Events": eventStream, gRPC: subscription } as const;

const CUTS: Readonly<Record<string, (socket: Socket) => void>> = {
  "a reset": (socket) => socket.resetAndDestroy(),
  "a FIN": (socket) => socket.destroy(),
};

/** Side by side: each waits for writes of the worker. */
it("a reader of each kind that vanishes in each way leaves within the bound", async () => {
  const took = Object.entries(READERS).flatMap(([name, open]) =>
    Object.entries(CUTS).map(async ([how, cut]) => {
      const room = `${name}-${how}`.replaceAll(/[^a-zA-Z]/g, "");
      using watcher = await enter(endpoint, `chat/group:${room}`, { user: "watcher" });
      const socket = await open(room, "reader");
      await watcher.next(({ params }) => params?.users === 2);
      cut(socket);
      const cutAt = performance.now();
      const usersHere = async () => (await watcher.call("$/presence", {})).result.users;
      await expect.poll(usersHere, { timeout: BOUND_MS, interval: 500 }).toBe(1);
      return performance.now() - cutAt;
    }),
  );
  for (const ms of await Promise.all(took)) expect(ms).toBeLessThan(BOUND_MS);
});

it("a reader that has closed its own half still reads, and is present", async () => {
  const kept = Object.entries(READERS).map(async ([name, open]) => {
    const room = `half-${name.replaceAll(/[^a-zA-Z]/g, "")}`;
    using watcher = await enter(endpoint, `chat/group:${room}`, { user: "watcher" });
    const socket = await open(room, "reader");
    socket.end();
    // Two heartbeats.
    for (let n = 0; n < 2; n++) await once(socket, "data");
    const { result } = await watcher.call("$/presence", {});
    socket.destroy();
    return result.users as number;
  });
  expect(await Promise.all(kept)).toEqual([2, 2]);
});
