// L9: readers of event streams and of gRPC's Subscribe that vanish, by a FIN or a reset: how long they are present.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Attack, Outcome, Stage } from "./attack.ts";
import { Peer, timeUntil } from "./peer.ts";
import type { Server } from "./server.ts";

const READERS = 50;
/** docs/presence.md: a write each 15 s, twice; the grace of 5 s, the announcement, and a second of a busy machine. */
const BOUND_MS = 30_000 + 5_000 + 2_000;

async function opened(
  server: Server,
  head: readonly string[],
  body = Buffer.alloc(0),
): Promise<Socket> {
  const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  socket.write([...head, `host: 127.0.0.1:${server.port}`, "", ""].join("\r\n"));
  socket.write(body);
  let text = "";
  while (!/connected|standing/i.test(text)) text += String((await once(socket, "data"))[0]);
  return socket.resume();
}

const events = (server: Server, room: string, user: string) =>
  opened(server, [
    `GET /hubs/hall/groups/${room} HTTP/1.1`,
    "accept: text/event-stream",
    `authorization: Bearer ${server.token(user)}`,
  ]);

function subscribe(server: Server, room: string, user: string): Promise<Socket> {
  const message = Buffer.from(
    JSON.stringify({ hub: "hall", topics: [{ topic: `group:${room}` }] }),
  );
  const envelope = Buffer.alloc(5);
  envelope.writeUInt32BE(message.length, 1);
  const body = Buffer.concat([envelope, message]);
  const head = [
    "POST /dormouse.v1.Hub/Subscribe HTTP/1.1",
    ...["content-type: application/connect+json", "connect-protocol-version: 1"],
    `content-length: ${body.length}`,
    `authorization: Bearer ${server.token(user)}`,
  ];
  return opened(server, head, body);
}

async function run({ server }: Stage): Promise<Outcome> {
  const kinds = { events, subscribe };
  const cuts = {
    FIN: (socket: Socket) => void socket.destroy(),
    reset: (socket: Socket) => void socket.resetAndDestroy(),
  };
  const pairs = Object.entries(kinds).flatMap(([kind, open]) =>
    Object.entries(cuts).map(([how, cut]) => ({ name: `${kind}, ${how}`, open, cut })),
  );
  const took = pairs.map(async ({ name, open, cut }, p) => {
    const room = `readers-${p}`;
    using watcher = await Peer.room(server, `hall/group:${room}`, "watcher");
    const sockets: Socket[] = [];
    for (let i = 0; i < READERS; i += 1) sockets.push(await open(server, room, `reader-${i}`));
    const users = async () => (await watcher.call("$/presence", {}))?.result.users as number;
    const before = await users();
    for (const socket of sockets) cut(socket);
    const ms = await timeUntil(async () => (await users()) === 1, 90_000);
    return { name, before, ms };
  });
  const all = await Promise.all(took);
  return {
    facts: all.map(
      ({ name, ms }) => `${name}: ${ms === undefined ? "> 90" : (ms / 1_000).toFixed(1)} s`,
    ),
    failures: all.flatMap(({ name, before, ms }) => [
      ...(before === READERS + 1 ? [] : [`${name}: ${before} were present`]),
      ...(ms !== undefined && ms <= BOUND_MS ? [] : [`${name}: beyond ${BOUND_MS / 1_000} s`]),
    ]),
  };
}

export const readers: Attack = {
  ...{ name: "L9", title: "200 readers of streams vanish", isWatched: false, takes: 60, run },
};
