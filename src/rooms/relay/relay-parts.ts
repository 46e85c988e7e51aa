// The parts of a relay, built in order: the core of every object, then seats, resumable connections and remembered
// groups.

import { CLOSE } from "../../model/errors.ts";
import { DEFAULTS, STATEFUL_RECONNECT } from "../../model/options.ts";
import { writtenTopic } from "../../model/topic.ts";
import { ResumableConnections } from "../connection/resumable-connections.ts";
import { ServerPings } from "../connection/server-pings.ts";
import { ObjectEnd } from "../object/object-end.ts";
import {
  objectCore,
  type ObjectCore,
  type ObjectParts,
  type PartsInput,
} from "../object/object-parts.ts";
import { countOfAccount, isWatchedOutside } from "../object/sweeps.ts";
import { isCoreInUse, upkeep } from "../object/upkeep.ts";
import { ObjectStorage } from "../platform/object-storage.ts";
import type { Occupancy } from "../rpc/activity-report.ts";
import { parseObjectName, type RelayAddress } from "../rpc/object-names.ts";
import { EarlyPosts } from "./early-posts.ts";
import { LastFrames } from "./last-frames.ts";
import { LongPolls } from "./long-polls.ts";
import { RELAY_MIGRATIONS } from "./relay-migrations.ts";
import { RememberedGroups } from "./remembered-groups.ts";
import { Seats } from "./seats.ts";

export interface RelayParts extends ObjectParts {
  readonly address: RelayAddress;
  readonly seats: Seats;
  /** Bodies that clients posted before their transport began. */
  readonly earlyPosts: EarlyPosts;
  readonly polls: LongPolls;
  /** Last frames of polling connections that have ended. */
  readonly lastFrames: LastFrames;
  readonly resumables: ResumableConnections;
  readonly serverPings: ServerPings;
  /** Groups that returning clients rejoin; undefined if the hub does not remember groups. */
  readonly remembered: RememberedGroups | undefined;
}

/**
 * Resumable connections are restored before follow links, which refer to connections. Runs in the object's constructor,
 * so that no event comes before it is complete.
 */
export function relayParts({ ctx, env, objects, receiver, events }: PartsInput): RelayParts {
  const storage = new ObjectStorage(ctx, RELAY_MIGRATIONS);
  const address = parseObjectName(ctx.id.name ?? "") as RelayAddress;
  const settings = receiver.settings(address.hub);
  const core: ObjectCore = objectCore({
    ...{ ctx, env, objects, storage, address, name: `relay:${address.relay}` },
    settings: settings ?? DEFAULTS,
    ...{ isServed: settings !== undefined, dropped: events.dropped },
    duties: () => [
      ...[resumables, parts.earlyPosts, parts.lastFrames, parts.serverPings],
      ...(remembered ? [remembered] : []),
      ...[upkeep(ctx, core), end],
    ],
    occupancy: () => occupancyOf(core),
    isWatched: () => isWatchedOutside(core),
  });
  const seats = seatsOf(core, address);
  const resumables = resumablesOf(core);
  resumables.restore(Date.now());
  const remembered = rememberedOf(core);
  const end = endOf(core, { seats, remembered });
  const parts: RelayParts = {
    ...{ ...core, address, seats, resumables, remembered, end },
    ...{
      own: undefined,
      publishing: core.lanes(),
      beforeLook: () => core.liveness().look(Date.now()),
    },
    earlyPosts: new EarlyPosts(core.connections.held),
    serverPings: serverPingsOf(ctx, core),
    polls: new LongPolls({ agenda: core.agenda, connections: core.connections, resumables }),
    lastFrames: new LastFrames(core.connections.held, core.agenda),
    membersOf: (room) => (room === "all" ? core.connections.all : core.followed.membersOf(room)),
    topicsOf: (connection) => [...core.followed.causesOf(connection).keys()].map(writtenTopic),
  };
  restoreGroups(parts);
  storage.onDamage(() => ctx.waitUntil(beginAnew(ctx)));
  return parts;
}

/**
 * Deletes a damaged storage. Parts of a relay that is awake still have the deleted data in memory, so the object is
 * aborted as by a crash, and its clients return to an empty one.
 */
async function beginAnew(ctx: DurableObjectState): Promise<void> {
  await Promise.all([ctx.storage.deleteAlarm(), ctx.storage.deleteAll()]);
  ctx.abort("storage_corrupt");
}

const endOf = (
  core: ObjectCore,
  { seats, remembered }: Pick<RelayParts, "seats" | "remembered">,
): ObjectEnd =>
  new ObjectEnd({
    ...core,
    keeps: () => isCoreInUse(core) || remembered?.due() !== undefined,
    keptUntil: () => seats.idleFrom,
    forget: () => {
      core.activity.forget();
      seats.forget();
    },
  });

const serverPingsOf = (
  ctx: DurableObjectState,
  { agenda, connections, settings: { limits } }: ObjectCore,
): ServerPings =>
  new ServerPings({
    ...{ state: ctx, connections, limits },
    arm: (at) => agenda.arm(at),
    waitUntil: (work) => ctx.waitUntil(work),
  });

function seatsOf(core: ObjectCore, address: RelayAddress): Seats {
  const { connections, liveness, storage, settings } = core;
  return new Seats({
    ...{ address, kv: storage.kv, limits: settings.limits, now: () => Date.now() },
    connectionCount: () => connections.all.size,
    connectionsOf: (user) => countOfAccount(core, user),
    endLost: (now) => liveness().look(now),
  });
}

function resumablesOf({
  agenda,
  connections,
  settings,
  storage,
}: ObjectCore): ResumableConnections {
  const { bufferBytes, awaySeconds } = settings.signalR.statefulReconnect ?? STATEFUL_RECONNECT;
  return new ResumableConnections({
    ...{ sql: storage.sql, connections },
    limits: { window: bufferBytes, maxKept: settings.limits.queuedBytes },
    awayMs: awaySeconds * 1000,
    arm: (at) => agenda.arm(at),
    expired: (connection) => connections.close(connection, CLOSE.silent),
  });
}

function rememberedOf({
  agenda,
  followed,
  storage,
  settings: { limits, rememberGroups: seconds },
}: ObjectCore): RememberedGroups | undefined {
  if (seconds === 0) return undefined;
  return new RememberedGroups({
    ...{ sql: storage.sql, seconds, clientsPerUser: limits.connectionsPerUser },
    now: () => Date.now(),
    arm: (at) => agenda.arm(at),
    positionIn: (room, connection) => followed.positionIn(room, connection),
  });
}

/**
 * After a wake: remembers the groups of connections that a crash has ended, and of resumable ones without a socket.
 */
function restoreGroups({ connections, followed, remembered }: RelayParts): void {
  const lost = followed.restore();
  remembered?.keepLost(lost);
  for (const connection of connections.all)
    if (!connection.socket && !remembered?.has(connection))
      remembered?.keep(connection, followed.causesOf(connection));
}

/** Requests over HTTP do not count as connections. */
function occupancyOf({ connections }: ObjectCore): Occupancy {
  const here = [...connections.all].filter(({ httpCaller }) => !httpCaller);
  const users = new Set(here.map(({ user }) => user.id)).size;
  return { sockets: here.length, connections: here.length, users };
}
