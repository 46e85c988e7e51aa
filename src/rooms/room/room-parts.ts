// The parts of a room, built in order: the core of every object, then its log, the publish path, presence, the objects
// that follow it, and in a hub's `all` room the hub's index.

import { DEFAULTS, type RoomSettings } from "../../model/options.ts";
import { formatTopic, writtenTopic, randomEpoch, type Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import { openLog } from "../log/open-log.ts";
import type { RoomLog } from "../log/room-log.ts";
import type { LocalRoom } from "../object/local-room.ts";
import { ObjectEnd } from "../object/object-end.ts";
import {
  objectCore,
  type ObjectCore,
  type ObjectEvents,
  type ObjectParts,
  type PartsInput,
} from "../object/object-parts.ts";
import { isCoreInUse, upkeep } from "../object/upkeep.ts";
import { MessageRate } from "../platform/rates.ts";
import { ObjectStorage } from "../platform/object-storage.ts";
import { PresenceAnnouncer } from "../presence/presence-announcer.ts";
import { OWN_SOCKETS } from "../presence/presence-state.ts";
import type { Occupancy } from "../rpc/activity-report.ts";
import type { ObjectNamespaces } from "../rpc/object-env.ts";
import { accountStub, parseObjectName, type RoomAddress } from "../rpc/object-names.ts";
import type { StateSpec } from "../rpc/state-rpc.ts";
import type { RoomState } from "../state/room-state.ts";
import { checkpointOffset, holdsState } from "../state/unopened-state.ts";
import { settleEarlierLog } from "./earlier-log.ts";
import { Followers } from "./followers.ts";
import { HubIndex } from "./hub-index.ts";
import { ownRoom, settingsAt } from "./own-room.ts";
import { Publisher } from "./publisher.ts";
import { migrationsOf } from "./room-migrations.ts";
import { Retention } from "./retention.ts";
import { expiryOf, statePart } from "./state-part.ts";
import { UserRoom } from "./user-room.ts";
import { endUnwatched, isWatched } from "./watched.ts";

export interface RoomParts extends ObjectParts {
  readonly topic: Topic;
  readonly log: RoomLog;
  readonly publisher: Publisher;
  readonly presence: PresenceAnnouncer;
  readonly followers: Followers;
  readonly rate: MessageRate;
  readonly own: LocalRoom;
  /** Undefined if the hub gives this kind of room no state. */
  readonly state: RoomState | undefined;
  /** Only in a user's own room, unless the hub's `reach.users` is false: then no other object follows it. */
  readonly userRoom: UserRoom | undefined;
  /** The hub's index, in the hub's `all` room. Opened when it is first needed: most wakes are for a message. */
  readonly index: (() => HubIndex) | undefined;
  readonly retention: Retention;
}

const now = (): number => Date.now();

/**
 * Presence is restored last, from the connections and followers restored before it. Runs in the object's constructor,
 * so that no event comes before it is complete.
 */
export function roomParts({ ctx, env, objects, receiver, events }: PartsInput): RoomParts {
  const address = parseObjectName(ctx.id.name ?? "") as RoomAddress;
  const { topic } = address;
  const storage = new ObjectStorage(ctx, migrationsOf(topic));
  const hubSettings = receiver.settings(address.hub);
  const settings = settingsAt(topic, hubSettings ?? DEFAULTS);
  const name = formatTopic(topic);
  const core: ObjectCore = objectCore({
    ...{ ctx, env, objects, storage, address, name, settings },
    ...{ isServed: hubSettings !== undefined, dropped: events.dropped },
    duties: () => [
      ...(path.state ? [path.state.duty] : []),
      ...[presence, path.followers, retention.holding(expiryOf(path, settings.history))],
      ...[upkeep(ctx, core), retention, ...(index ? [index()] : []), end],
    ],
    ...{ occupancy: () => occupancyOf(core, presence), stateBytes: () => path.stateBytes?.() },
    published: () => path.log.position.offset,
    isWatched: () => isWatched({ ...core, ...path }),
    // The index is in this very object.
    ...(topic.kind === "all" && { report: async (report) => index!().report(name, report, now()) }),
  });
  const index = topic.kind === "all" ? indexOf(core) : undefined;
  const freed = () => end.arm(now());
  const ofRoom = { topic, settings, events, freed, spec: receiver.state?.(address, env) };
  const { path, presence } = publishPath(ctx, core, ofRoom);
  const userRoom = userRoomOf(core, topic, objects);
  const { end, retention } = endOf(core, { ...path, presence, index, userRoom });
  const parts: RoomParts = {
    ...{ ...core, ...path, topic, presence, userRoom, index, end, retention },
    ...{ publishing: path.publisher, beforeLook: () => endUnwatched(parts) },
    own: ownRoom({ topic, settings, ...path, outbox: core.outbox, presence }),
    ...membersAndTopics(core, topic),
  };
  core.followed.restore();
  presence.restore(memberCounts(core.connections.all, path.followers));
  return parts;
}

const membersAndTopics = (
  { name, connections, followed }: ObjectCore,
  topic: Topic,
): Pick<RoomParts, "membersOf" | "topicsOf" | "resumables" | "serverPings"> => ({
  ...{ resumables: undefined, serverPings: undefined },
  membersOf: (room) =>
    room === name || room === "all" ? connections.all : followed.membersOf(room),
  topicsOf: (connection) => [topic, ...[...followed.causesOf(connection).keys()].map(writtenTopic)],
});

function userRoomOf(
  { address, settings, storage }: ObjectCore,
  { kind, name: user }: Topic,
  objects: ObjectNamespaces,
): UserRoom | undefined {
  if (kind !== "user" || settings.reachUsers === false) return undefined;
  const { tenant, hub } = address;
  return new UserRoom({
    kv: storage.kv,
    hub,
    account: () => accountStub(objects, { tenant, user }),
  });
}

function endOf(
  core: ObjectCore,
  own: Pick<RoomParts, "followers" | "index" | "log" | "presence" | "state" | "userRoom">,
): Pick<RoomParts, "end" | "retention"> {
  const { index, log, state, userRoom } = own;
  const { agenda, isServed, storage } = core;
  const retention = new Retention({
    ...{ sql: storage.sql, isServed, arm: (at) => agenda.arm(at) },
    holdsUnknown: () => (isServed ? !state && holdsState(storage) : !storage.isEmpty),
  });
  const end = new ObjectEnd({
    ...core,
    leave: async () => userRoom?.disuse(),
    keeps: (at, atWake) =>
      isCoreInUse(core) ||
      roomKeeps(own, atWake) ||
      index?.().isIdle(at) === false ||
      retention.keeps(at),
    forget: () => {
      core.activity.forget();
      state?.forget();
      log.erase(randomEpoch());
      index?.().forget();
    },
  });
  return { end, retention };
}

function indexOf({ storage, agenda }: ObjectCore): () => HubIndex {
  let index: HubIndex | undefined;
  return () => (index ??= new HubIndex(storage, (at) => agenda.arm(at)));
}

interface RoomOptions {
  readonly topic: Topic;
  readonly settings: RoomSettings;
  readonly events: ObjectEvents;
  /** The hub's declaration of this room's state, if there is one. */
  readonly spec: StateSpec | undefined;
  /** Called when something is gone that kept the room without an alarm: the room may end. */
  freed(): void;
}

/** A publication is numbered by the publisher, saved in the log, and sent by the outbox and to followers. */
function publishPath(ctx: DurableObjectState, core: ObjectCore, options: RoomOptions) {
  const { topic, settings, events, freed } = options;
  const { storage, name: room, outbox, agenda, connections } = core;
  const { stubs, activity, lanes, settled, webhooks } = core;
  const arm = (at: number) => agenda.arm(at);
  const opened = statePart(ctx, core, { ...options, others: () => ({ log, presence, publisher }) });
  settleEarlierLog({ storage, settings, hasState: opened !== undefined, now: now() });
  const reached = () => checkpointOffset(storage);
  const ports = { arm, written: freed, beside: opened?.commit, reached };
  const { log, hasLostEntries, hasBegun } = openLog(storage, settings, ports);
  if (hasLostEntries) opened?.resave();
  const rate = new MessageRate();
  const followers = new Followers({
    ...{ room, storage, log, hasLostEntries, hasBegun, now, arm, stubs },
    ...{ durability: settings.durability, history: settings.history, beside: activity.last },
    // A report may begin once all is settled.
    settled: () => settled().then(() => activity.sent),
    countsMembers: topic.kind !== "all" || settings.online,
    waitUntil: ctx.waitUntil.bind(ctx),
    removed: (follower) => {
      presence.forget(follower);
      freed();
    },
    ...(opened && { snapshot: () => opened.state.snapshotNow() }),
  });
  const publisher = new Publisher({
    ...{ topic, log, outbox, followers, webhooks, rate, activity, elsewhere: lanes },
    members: connections.all,
    publishBytes: settings.limits.publishBytes,
  });
  publisher.state = opened?.state;
  const presence = new PresenceAnnouncer({
    ...{ sql: storage.sql, settings, now, arm, publisher, outbox },
    changed: (change) => {
      webhooks?.presenceChanged(room, change);
      events.presenceChanged(change);
    },
  });
  const own = { log, rate, followers, publisher };
  return { path: { ...own, state: opened?.state, stateBytes: opened?.bytes }, presence };
}

/** Whether the room must not end: for its followers, users, entries that have not expired, or its state. */
const roomKeeps = (
  { followers, log, presence, state }: Pick<RoomParts, "followers" | "log" | "presence" | "state">,
  atWake: boolean,
): boolean =>
  followers.links.size > 0 ||
  followers.due() !== undefined ||
  presence.users > 0 ||
  presence.due() !== undefined ||
  !log.isEmpty ||
  // Checked last: after a wake the state is read from the storage for this.
  state?.keeps(atWake) === true;

function occupancyOf({ connections }: ObjectCore, presence: PresenceAnnouncer): Occupancy {
  const { connections: count, users } = presence;
  return { sockets: connections.all.size, connections: count, users };
}

/** After a wake: connections of each user in this object, and those that followers have reported. */
function* memberCounts(connections: ReadonlySet<Connection>, followers: Followers) {
  const counts = new Map<string, number>();
  for (const { user } of connections) counts.set(user.id, (counts.get(user.id) ?? 0) + 1);
  for (const [userId, count] of counts) yield [OWN_SOCKETS, userId, count] as const;
  yield* followers.members();
}
