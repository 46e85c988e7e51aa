// L10: clients that are lost half open in the second in which they connected: a phone that changes networks 60 times,
// and a user whose 50 connections are all lost so.

import type { Attack, Outcome, Stage } from "./attack.ts";
import { Peer, timeUntil } from "./peer.ts";
import type { Server } from "./server.ts";

const CHANGES = 60;
const CONNECTIONS = 50;
/** docs/presence.md: 75 s of silence, a sweep of 120 s, the grace of 5 s, the announcement. */
const BOUND_MS = (75 + 120 + 5 + 3) * 1_000;

const connect = (server: Server, room: string, user: string, before?: string) =>
  Peer.room(server, `hall/group:${room}`, user, `&heartbeat=1&connection=${before ?? ""}`);

async function lost(
  server: Server,
  room: string,
  user: string,
  before?: string,
): Promise<string | undefined> {
  const peer = await connect(server, room, user, before);
  const isThere = () => peer.frames.find(({ method }) => method === "$/connected");
  while (!isThere()) await new Promise((resolve) => peer.socket.once("message", resolve));
  // The client reads and sends nothing any more, and its socket stays open.
  peer.socket.pause();
  return isThere()?.params.connectionId as string | undefined;
}

async function phone(server: Server): Promise<{ refused: number; connections: number }> {
  let [id, refused]: [string | undefined, number] = [undefined, 0];
  for (let i = 0; i < CHANGES; i += 1)
    id = await lost(server, "phone", "phone", id).catch(() => ((refused += 1), id));
  using watcher = await Peer.room(server, "hall/group:phone", "watcher");
  const presence = await watcher.call("$/presence", {});
  return { refused, connections: presence?.result.connections - 1 };
}

async function ghosts(
  server: Server,
): Promise<{ gone?: number | undefined; admitted?: number | undefined }> {
  using watcher = await Peer.room(server, "hall/group:ghosts", "watcher");
  for (let i = 0; i < CONNECTIONS; i += 1) await lost(server, "ghosts", "ghost");
  const admitted = timeUntil(
    () =>
      connect(server, "ghosts", "ghost").then(
        (peer) => (peer.socket.close(1000), true),
        () => false,
      ),
    BOUND_MS * 1.5,
    1_000,
  );
  const left = async () =>
    ((await watcher.call("$/presence", {}))?.result.connections as number) <= 1;
  const gone = timeUntil(left, BOUND_MS * 1.5, 1_000);
  return { admitted: await admitted, gone: await gone };
}

async function run({ server }: Stage): Promise<Outcome> {
  const [one, many] = await Promise.all([phone(server), ghosts(server)]);
  const seconds = (value: number | undefined) =>
    value === undefined ? `> ${(BOUND_MS * 1.5) / 1_000} s` : `${(value / 1_000).toFixed(0)} s`;
  return {
    facts: [
      `phone: ${one.refused} of ${CHANGES} refused, ${one.connections} connections left`,
      `50 ghosts: the user is admitted after ${seconds(many.admitted)}, all gone after ${seconds(many.gone)}`,
    ],
    failures: [
      ...(one.refused === 0 && one.connections === 1 ? [] : ["a phone that changes networks"]),
      ...(many.gone !== undefined && many.gone <= BOUND_MS ? [] : ["ghosts beyond the bound"]),
      ...(many.admitted !== undefined && many.admitted <= BOUND_MS
        ? []
        : ["the user is locked out"]),
    ],
  };
}

export const halfOpen: Attack = {
  ...{
    name: "L10",
    title: "110 clients lost half open at once",
    isWatched: false,
    takes: 220,
    run,
  },
};
