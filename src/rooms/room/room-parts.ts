// The parts of a room, built in order: the core of every object, then its log, the publish path, presence, the objects
// that follow it, and in a hub's `all` room the hub's index.

import { DEFAULTS, type RoomSettings } from "../../model/options.ts";
import { formatTopic, parseTopic, randomEpoch, type Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import { logExpiry, openLog } from "../log/open-log.ts";
import type { RoomLog } from "../log/room-log.ts";
import type { LocalRoom } from "../object/local-room.ts";
import { ObjectEnd } from "../object/object-end.ts";
import {
  coreKeeps,
  objectCore,
  upkeep,
  type ObjectCore,
  type ObjectEvents,
  type ObjectParts,
  type PartsInput,
} from "../object/object-parts.ts";
import { MessageRate } from "../platform/rates.ts";
import { ObjectStorage } from "../platform/object-storage.ts";
import { PresenceAnnouncer } from "../presence/presence-announcer.ts";
import { OWN_SOCKETS } from "../presence/presence-state.ts";
import type { Occupancy } from "../rpc/activity-report.ts";
import { parseObjectName, type RoomAddress } from "../rpc/object-names.ts";
import { Followers } from "./followers.ts";
import { HubIndex } from "./hub-index.ts";
import { OwnRoom, settingsAt } from "./own-room.ts";
import { Publisher } from "./publisher.ts";
import { ROOM_MIGRATIONS } from "./room-migrations.ts";

export interface RoomParts extends ObjectParts {
  readonly topic: Topic;
  readonly log: RoomLog;
  readonly publisher: Publisher;
  readonly presence: PresenceAnnouncer;
  readonly followers: Followers;
  readonly rate: MessageRate;
  readonly own: LocalRoom;
  /** The hub's index, in the hub's `all` room. Opened when it is first needed: most wakes are for a message. */
  readonly index: (() => HubIndex) | undefined;
  /** In one commit: a crash leaves the old log under its old epoch, or none under the new one. */
  renewEpoch(erase: (epoch: string) => void): void;
}

const now = (): number => Date.now();

/**
 * Presence is restored last, from the connections and followers restored before it. Runs in the object's constructor,
 * so that no event comes before it is complete.
 */
export function roomParts({ ctx, env, receiver, events }: PartsInput): RoomParts {
  const storage = new ObjectStorage(ctx, ROOM_MIGRATIONS);
  const address = parseObjectName(ctx.id.name ?? "") as RoomAddress;
  const { topic } = address;
  const hubSettings = receiver.settings(address.hub);
  const settings = settingsAt(topic, hubSettings ?? DEFAULTS);
  const name = formatTopic(topic);
  const core: ObjectCore = objectCore({
    ...{ ctx, env, storage, address, name, settings },
    isServed: hubSettings !== undefined,
    isUnlogged: settings.durability !== "logged",
    dropped: events.dropped,
    duties: () => [
      ...[presence, path.followers, logExpiry(path.log), upkeep(ctx, parts)],
      ...(index ? [index()] : []),
      end,
    ],
    occupancy: () => occupancyOf(core, presence),
    // The index is in this very object.
    ...(topic.kind === "all" && { report: async (report) => index!().report(name, report, now()) }),
  });
  const index = topic.kind === "all" ? indexOf(core) : undefined;
  const unfollowed = (follower: string) => {
    presence.forget(follower);
    end.arm(now());
  };
  const { path, presence } = publishPath(ctx, core, { topic, settings, events, unfollowed });
  const end = endOf(core, { ...path, presence, index });
  const own = new OwnRoom({ topic, settings, log: path.log, outbox: core.outbox, presence });
  const parts: RoomParts = {
    ...{ ...core, ...path, topic, presence, index, own, end, resumables: undefined },
    serverPings: undefined,
    publishing: path.publisher,
    isUsed: () => core.connections.all.size > 0 || core.followed.isFollowing || presence.users > 0,
    ...membersAndTopics(core, topic),
    renewEpoch: (erase) => renewEpoch(storage, erase),
  };
  core.followed.restore();
  presence.restore(memberCounts(core.connections.all, path.followers));
  return parts;
}

const membersAndTopics = (
  { name, connections, followed }: ObjectCore,
  topic: Topic,
): Pick<RoomParts, "membersOf" | "topicsOf"> => ({
  membersOf: (room) =>
    room === name || room === "all" ? connections.all : followed.membersOf(room),
  topicsOf: (connection) => [topic, ...[...followed.causesOf(connection).keys()].map(parseTopic)],
});

function endOf(
  core: ObjectCore,
  own: Pick<RoomParts, "followers" | "index" | "log" | "presence">,
): ObjectEnd {
  const { index, log } = own;
  return new ObjectEnd({
    ...core,
    keeps: (at) => coreKeeps(core) || roomKeeps(own) || index?.().isIdle(at) === false,
    forget: () => {
      core.activity.forget();
      log.erase(randomEpoch());
      index?.().forget();
    },
  });
}

function indexOf({ storage, agenda }: ObjectCore): () => HubIndex {
  let index: HubIndex | undefined;
  return () => (index ??= new HubIndex(storage, (at) => agenda.arm(at)));
}

interface RoomOptions {
  readonly topic: Topic;
  readonly settings: RoomSettings;
  readonly events: ObjectEvents;
  /** A follower was removed. */
  unfollowed(follower: string): void;
}

/** A publication is numbered by the publisher, saved in the log, and sent by the outbox and to followers. */
function publishPath(
  ctx: DurableObjectState,
  core: ObjectCore,
  { topic, settings, events, unfollowed }: RoomOptions,
) {
  const {
    storage,
    name: room,
    outbox,
    agenda,
    connections,
    stubs,
    activity,
    lanes,
    webhooks,
  } = core;
  const arm = (at: number) => agenda.arm(at);
  const { log, hasLostEntries } = openLog(storage, settings, arm);
  const rate = new MessageRate();
  const followers = new Followers({
    ...{ room, storage, log, hasLostEntries, now, arm, stubs },
    isInMemory: settings.durability === "none",
    waitUntil: ctx.waitUntil.bind(ctx),
    removed: unfollowed,
  });
  const publisher = new Publisher({
    ...{ topic, log, outbox, followers, webhooks, rate, activity, elsewhere: lanes },
    members: connections.all,
    publishBytes: settings.limits.publishBytes,
  });
  const presence = new PresenceAnnouncer({
    ...{ sql: storage.sql, settings, now, arm, publisher, outbox },
    changed: (joined, left) => {
      webhooks?.presenceChanged(room, joined, left);
      events.presenceChanged(joined, left);
    },
  });
  return { path: { log, rate, followers, publisher }, presence };
}

/** Followers end with their last batch; entries, with their age. */
const roomKeeps = ({
  followers,
  log,
  presence,
}: Pick<RoomParts, "followers" | "log" | "presence">): boolean =>
  followers.links.size > 0 ||
  followers.due() !== undefined ||
  presence.users > 0 ||
  presence.due() !== undefined ||
  !log.isEmpty;

function occupancyOf({ connections }: ObjectCore, presence: PresenceAnnouncer): Occupancy {
  const { connections: count, users } = presence;
  return { sockets: connections.all.size, connections: count, users };
}

/** The epoch's row and the log's rows change in one transaction. */
function renewEpoch(storage: ObjectStorage, erase: (epoch: string) => void): void {
  storage.transactionSync(() => {
    const epoch = randomEpoch();
    storage.kv.put("epoch", epoch);
    erase(epoch);
  });
}

/** After a wake: connections of each user in this object, and those that followers have reported. */
function* memberCounts(connections: ReadonlySet<Connection>, followers: Followers) {
  const counts = new Map<string, number>();
  for (const { user } of connections) counts.set(user.id, (counts.get(user.id) ?? 0) + 1);
  for (const [userId, count] of counts) yield [OWN_SOCKETS, userId, count] as const;
  yield* followers.members();
}
