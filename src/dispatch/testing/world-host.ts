// The ports of a world's objects (rooms/object/host.ts). All objects of a world share one server, so that no room is
// elsewhere: hosts differ in their room only.

import { HubError, type CloseCode } from "../../model/errors.ts";
import { formatTopic, parseTopic, type Position, type Topic } from "../../model/topic.ts";
import { limitsOf } from "../../rooms/connection/connection-limits.ts";
import { save, type Connection } from "../../rooms/connection/connection.ts";
import { checkDraft, messageOf } from "../../rooms/delivery/outbox.ts";
import type {
  ConnectionControl,
  Host,
  Publishing,
  ClientMethodCall,
  RemoteClients,
  ReplayOutcome,
  RoomAccess,
  StateAccess,
  TokenRenewal,
} from "../../rooms/object/host.ts";
import { viewOf, wholeOf } from "../../rooms/object/state-access.ts";
import type { Domain } from "../../rooms/rpc/object-names.ts";
import { missedSince } from "../../rooms/room/enter-room.ts";
import { noStateIn } from "./memory-rooms.ts";
import { turn } from "./world-clock.ts";
import type { WorldServer } from "./world-server.ts";

interface WorldHostOptions {
  readonly domain: Domain;
  readonly env: object;
}

export function worldHost(
  server: WorldServer,
  room: Topic,
  { domain, env }: WorldHostOptions,
): Host {
  const { settings, options } = server;
  return {
    ...{ domain, room, settings, env, clock: options.clock },
    roomOf: (connection) => server.roomOf(connection),
    publishing: publishingOf(server),
    rooms: roomsOf(server),
    states: statesOf(server),
    replies: server.outbox,
    clients: clientsOf(server),
    connections: controlOf(server),
    renewal: renewalOf(server),
    activity: {
      counters: { in: 0, calls: { instant: 0 } },
      isDue: true,
      note: () => {},
      refused: () => {},
      answered: () => {},
    },
    // All rooms are in one object: no publication is under way.
    inOrder: (_about, send) => void send(),
    waitUntil: (work) => void work.catch(() => {}),
  };
}

const publishingOf = (server: WorldServer): Publishing => ({
  publish: (topic, draft) => server.room(topic).publisher.publish(topic, draft),
  publishAndSave: (topic, draft) => server.room(topic).publisher.publishAndSave(topic, draft),
});

const statesOf = (server: WorldServer): StateAccess => {
  const stateAt = (topic: Topic) => server.room(topic).own.state ?? noStateIn("world");
  return {
    run: async (topic, run) => stateAt(topic).run(run),
    async runAndSave(topic, run) {
      const state = stateAt(topic);
      const { ticket, ...ran } = await state.run(run);
      await state.untilSaved();
      if (ticket.error) throw ticket.error;
      return ran;
    },
    reload: async (topic) => stateAt(topic).transfer.reload(),
    view: async (topic) => viewOf(stateAt(topic)),
    state: async (topic) => wholeOf(stateAt(topic)),
  };
};

const roomsOf = (server: WorldServer): RoomAccess => ({
  async join(connection, topic) {
    if (isOwn(server, connection, topic)) return;
    checkJoin(server, connection, topic);
    server.join(connection, topic, "hub");
  },
  checkCount: () => {},
  async leave(connection, topic) {
    if (isOwn(server, connection, topic))
      throw new HubError(
        "invalid_request",
        "The connection is attached to that room: to leave, close it.",
      );
    server.leave(connection, topic);
  },
  joinWithReplay: async (connection, topic, since) =>
    joinWithReplay(server, connection, { topic, since }),
  history: async (topic, query) => server.room(topic).own.history(query),
  presence: async (topic, query) => server.room(topic).own.presence(query),
  track: async (userId, topic, state) => server.room(topic).own.track(userId, state),
});

/** Whether it is the room that the connection is attached to. */
const isOwn = (server: WorldServer, connection: Connection, topic: Topic): boolean =>
  formatTopic(topic) === formatTopic(server.roomOf(connection));

/** Flushes earlier publications, which are for the members of that time. Throws `too_many_groups`. */
function checkJoin(server: WorldServer, connection: Connection, topic: Topic): void {
  server.outbox.flush();
  const { groupsPerConnection } = limitsOf(connection, server.settings.limits);
  if (!server.memberships.has(connection, formatTopic(topic)))
    server.memberships.checkLimit(connection, groupsPerConnection);
}

/** Joins, and queues the replay before later live messages. */
function joinWithReplay(
  server: WorldServer,
  connection: Connection,
  { topic, since }: { readonly topic: Topic; readonly since: Position | undefined },
): ReplayOutcome {
  checkJoin(server, connection, topic);
  const { log, name, settings } = server.room(topic);
  const now = server.options.clock.now();
  const { entries, position, recovered } = missedSince({ log, settings }, since, now);
  server.join(connection, topic, "client");
  for (const entry of entries)
    server.outbox.send(connection, messageOf(name, position.epoch, entry));
  return { position, recovered, replayed: entries.length, chars: 0 };
}

const clientsOf = (server: WorldServer): RemoteClients => ({
  async tell(id, call) {
    checkMessage(server, call);
    const connection = server.get(id);
    if (connection) server.outbox.send(connection, { type: "invocation", ...call });
  },
  async ask(id, call) {
    checkMessage(server, call);
    const connection = server.get(id);
    if (!connection)
      throw new HubError("connection_not_found", "There is no connection with that id.");
    const host = server.hostOf(connection);
    return server.options.receiver.ask(host, connection, call);
  },
  async move(id, topic, how) {
    const connection = server.get(id);
    if (connection) await roomsOf(server)[how](connection, topic);
  },
});

const checkMessage = ({ settings }: WorldServer, call: ClientMethodCall): void =>
  checkDraft(call, settings.limits.publishBytes);

const controlOf = (server: WorldServer): ConnectionControl => ({
  close: (connection, why, detail) => server.close(connection, why, detail),
  end: (connection, why, detail) => {
    server.outbox.flush();
    server.close(connection, why, detail);
  },
  dismiss: (connection, why, detail) => void dismiss(server, connection, { why, detail }),
  pong: () => {},
  takeResumed: () => true,
  keep: (connection, change) => save(connection, change),
  remember: (connection, openCalls) => save(connection, { openCalls }),
});

async function dismiss(
  server: WorldServer,
  connection: Connection,
  { why, detail }: { readonly why: CloseCode; readonly detail: string | undefined },
): Promise<void> {
  await turn();
  await server.outbox.flushed();
  server.close(connection, why, detail);
}

/** Token renewal without services: there are no groups by services and no revocations. */
const renewalOf = (server: WorldServer): TokenRenewal => ({
  admit: async () => [],
  renew(connection, user) {
    if (!server.all.has(connection)) throw new HubError("interrupted", "The connection is gone.");
    save(connection, { user });
  },
  requestedRooms: (connection) => requestedRooms(server, connection),
  expel(connection, room) {
    if (!requestedRooms(server, connection).includes(room)) return false;
    server.leave(connection, parseTopic(room));
    const params = { room, reason: "forbidden" };
    server.outbox.send(connection, { type: "control", name: "left", params });
    return true;
  },
  async belong(connection, topics) {
    for (const topic of topics) server.join(connection, topic, "token");
  },
});

const requestedRooms = ({ memberships }: WorldServer, connection: Connection): string[] =>
  [...memberships.causesOf(connection)].flatMap(([room, cause]) => (cause === "hub" ? [] : [room]));
