// What one object is made of, put together once for each wake. The parts know each other only through the functions
// they are given here.

import { DEFAULTS, type RoomSettings } from "../model/options.ts";
import { formatTopic, type Topic } from "../model/topic.ts";
import { objectName, parseObjectName, type Address } from "./address.ts";
import { Agenda } from "./agenda.ts";
import type { Connection } from "./connection.ts";
import { Connections, type Dropped } from "./connections.ts";
import { Followers } from "./followers.ts";
import { Follows } from "./follows.ts";
import type { RoomLog } from "./log.ts";
import { openLog } from "./log-modes.ts";
import { peerAt, peersOf, type Peer } from "./peers.ts";
import { OWN } from "./presence.ts";
import { Publisher } from "./publisher.ts";
import type { Receiver } from "./receiver.ts";
import { Roster } from "./roster.ts";

export interface RoomEnv {
  readonly ROOMS: DurableObjectNamespace;
}

/** What happens in an object that its parts cannot answer themselves. */
export interface Events {
  dropped: Dropped;
  presenceChanged(joined: readonly string[], left: readonly string[]): void;
}

export interface Parts {
  readonly address: Address;
  readonly settings: RoomSettings;
  /** False where the hub is no longer served. */
  readonly served: boolean;
  readonly connections: Connections;
  readonly log: RoomLog;
  readonly publisher: Publisher;
  readonly roster: Roster;
  readonly followers: Followers;
  readonly follows: Follows;
  readonly agenda: Agenda;
  peer(topic: Topic): Peer;
}

export function assemble(
  ctx: DurableObjectState,
  env: RoomEnv,
  receiver: Receiver,
  events: Events,
): Parts {
  const address = parseObjectName(ctx.id.name ?? "");
  const room = formatTopic(address.topic);
  const served = receiver.settings(address.hub);
  const settings = settingsOf(served ?? DEFAULTS, address.topic);
  const { storage } = ctx;
  const now = () => Date.now();
  const arm = (at: number) => agenda.arm(at);
  const peers = peersOf(env.ROOMS);
  const peer = (topic: Topic) => peerAt(peers, { ...address, topic });

  const connections = new Connections(ctx, settings, events.dropped);
  const log = openLog(storage, settings);
  const publisher: Publisher = new Publisher({
    room,
    log,
    now,
    own: connections.all,
    find: (id) => connections.get(id),
    send: (connection, frames) => connections.send(connection, frames),
    saved: (entries) => followers.said(entries),
  });
  const roster = new Roster({
    sql: storage.sql,
    settings,
    now,
    arm,
    publish: (draft) => void publisher.publish(draft),
    changed: events.presenceChanged,
  });
  const followers: Followers = new Followers({
    room,
    storage,
    log,
    peers,
    now,
    arm,
    waitUntil: (work) => ctx.waitUntil(work),
    gone: (follower) => roster.forget(follower),
  });
  const follows = new Follows(
    {
      sql: storage.sql,
      self: objectName(address),
      groupsPerConnection: settings.limits.groupsPerConnection,
      peer,
      tellsWho: (topic) => topic.kind !== "all" || settings.online,
      heard: (followed, epoch, entry, members) => publisher.hear(followed, epoch, entry, members),
      missed: (followed, members) => {
        for (const connection of members)
          publisher.send(connection, {
            type: "control",
            name: "reset",
            params: {},
            room: followed,
          });
      },
    },
    (id) => connections.get(id),
  );
  const agenda: Agenda = new Agenda(storage, [
    connections,
    roster,
    followers,
    upkeep(
      settings,
      () => connections.all.size + roster.users > 0 || follows.any,
      () => follows.settle(),
    ),
  ]);
  roster.restore(countsOf(connections.all, followers));
  return {
    address,
    settings,
    served: served !== undefined,
    connections,
    log,
    publisher,
    roster,
    followers,
    follows,
    agenda,
    peer,
  };
}

/** Nobody is attached to a hub's `all` room, so it has presence only where the hub keeps who is online. */
const settingsOf = (settings: RoomSettings, topic: Topic): RoomSettings =>
  topic.kind === "all" && !settings.online ? { ...settings, presence: "none" } : settings;

/** While there is anything a crash could leave behind, an alarm stands that will look after it. */
const upkeep = (settings: RoomSettings, needed: () => boolean, run: () => Promise<void>) => ({
  due: (now: number) => (needed() ? now + settings.sweepSeconds * 1000 : undefined),
  run,
});

function* countsOf(own: Iterable<Connection>, followers: Followers) {
  const counts = new Map<string, number>();
  for (const { user } of own) counts.set(user.id, (counts.get(user.id) ?? 0) + 1);
  for (const [userId, count] of counts) yield [OWN, userId, count] as const;
  yield* followers.members();
}
