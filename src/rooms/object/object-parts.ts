// The parts that every object with connections has, built in order once for each wake. Rooms (room-parts.ts) and relays
// (relay-parts.ts) add their own to this core, and complete it.

import type { RoomSettings } from "../../model/options.ts";
import { ALL, type Topic } from "../../model/topic.ts";
import { webhooksOr } from "../../webhooks/webhook-config.ts";
import type { Connection } from "../connection/connection.ts";
import { ConnectionTable, type DropListener } from "../connection/connection-table.ts";
import type { ServerPings } from "../connection/server-pings.ts";
import type { ResumableConnections } from "../connection/resumable-connections.ts";
import { Outbox } from "../delivery/outbox.ts";
import { FollowedRooms } from "../links/followed-rooms.ts";
import { PublishLanes } from "../links/publish-lanes.ts";
import { ActivityReports } from "../observe/activity-reports.ts";
import { AttachedCounts } from "../observe/attached-counts.ts";
import { writeReport } from "../observe/analytics.ts";
import { countClose, countWebhooks, snapshotOf, newCounters } from "../observe/counters.ts";
import { WebhookEvents } from "../observe/webhook-events.ts";
import { AlarmAgenda, type Duty } from "../platform/alarm-agenda.ts";
import type { ObjectStorage } from "../platform/object-storage.ts";
import { settledSoon, WorkUnderWay } from "../platform/loop-timing.ts";
import type { Command } from "../rpc/command.ts";
import type { Occupancy, Report, WaitingEvents } from "../rpc/activity-report.ts";
import type { ObjectEnv, ObjectNamespaces } from "../rpc/object-env.ts";
import {
  hubRooms,
  type ObjectAddress,
  objectName,
  randomId,
  type RoomStubs,
  roomStubs,
} from "../rpc/object-names.ts";
import type { Place } from "../rpc/place.ts";
import type { UserChanges } from "../rpc/presence-view.ts";
import type { RoomRpc } from "../rpc/room-rpc.ts";
import type { Publishing, Receiver } from "./host.ts";
import { ArrivalLoad } from "./arrival-load.ts";
import type { LocalRoom } from "./local-room.ts";
import type { ObjectEnd } from "./object-end.ts";
import { type Sweeps, sweepsOf } from "./sweeps.ts";

/** Events of the parts that the object itself handles. */
export interface ObjectEvents {
  readonly dropped: DropListener;
  /** Called after joins and leaves were published in this object's own room. */
  presenceChanged(change: UserChanges): void;
}

/** Everything that the parts of an object are built from. */
export interface PartsInput {
  readonly ctx: DurableObjectState;
  readonly env: ObjectEnv;
  /** Namespaces of other objects, at their places. */
  readonly objects: ObjectNamespaces;
  readonly receiver: Receiver;
  readonly events: ObjectEvents;
}

/** The code that serves objects. */
export interface ObjectCode {
  readonly receiver: Receiver;
  /** Where other objects are. */
  readonly place?: Place | undefined;
}

/** The differences between a room and a relay for `HubObject`. */
export interface ObjectKind<P> extends ObjectCode {
  /** Whether it restarts with empty storage if its storage cannot be read: only its own clients lose something. */
  readonly healsItself?: boolean;
  /** Makes the parts. No event comes before the object is complete. */
  build(input: PartsInput): P;
}

/** The differences between rooms and relays that the core depends on. */
interface CoreOptions {
  readonly ctx: DurableObjectState;
  readonly storage: ObjectStorage;
  readonly env: ObjectEnv;
  readonly objects: ObjectNamespaces;
  readonly address: ObjectAddress;
  /** This object's name in the hub's index: a topic, or `relay:` and a relay's name. */
  readonly name: string;
  /** The hub's settings, as this kind of object has them. */
  readonly settings: RoomSettings;
  /** False if the hub is no longer served. */
  readonly isServed: boolean;
  readonly dropped: DropListener;
  /** The alarm's duties that only this kind of object has. Called once, at the first alarm. */
  duties(): readonly Duty[];
  /** Sockets, connections and users now. Not called before the object is complete. */
  occupancy(): Occupancy;
  /** Size of the room's state, if it has one. */
  stateBytes?(): number | undefined;
  /** Offset of the newest entry of this object's own room. */
  published?(): number;
  /** Whether anybody could notice that a connection here is gone. */
  isWatched(): boolean;
  /** Sends a report to the hub's index; default: to the hub's `all` room. */
  report?(report: Report): Promise<void>;
}

export interface ObjectCore extends Sweeps {
  /** Rows and keys of the parts; empty until the first of them is written. */
  readonly storage: ObjectStorage;
  readonly address: ObjectAddress;
  readonly name: string;
  readonly settings: RoomSettings;
  readonly isServed: boolean;
  readonly agenda: AlarmAgenda;
  readonly stubs: RoomStubs;
  readonly activity: ActivityReports;
  /** Resolves when what the object is doing now is over. False if that takes longer than moments. */
  readonly settled: () => Promise<boolean>;
  readonly connections: ConnectionTable;
  readonly arrivals: ArrivalLoad;
  readonly handlers: WorkUnderWay;
  readonly outbox: Outbox;
  readonly followed: FollowedRooms;
  /** Publications in rooms elsewhere. Made at the first one: most rooms have none. */
  lanes(): PublishLanes;
  /** Undefined if no webhook is configured. */
  readonly webhooks: WebhookEvents | undefined;
  /** A fresh stub of another room of this hub and tenant. */
  room(topic: Topic): RoomRpc;
}

/** Clients that are not connected, and whose rooms are remembered. */
interface AwayClients {
  /** Removes the user's clients from the rooms that the commands name. */
  forgetUser(user: string, commands: readonly Command[]): void;
  /** Whether clients of the user are remembered in any room. */
  hasUser(user: string): boolean;
}

/** The complete parts of a room or a relay. */
export interface ObjectParts extends ObjectCore {
  readonly publishing: Publishing;
  /** Deletes the storage of an object that has nothing to keep: the last of its duties. */
  readonly end: ObjectEnd;
  /** This object's own room; undefined in a relay. */
  readonly own: LocalRoom | undefined;
  /** Connections that may be resumed on another socket; undefined in a room. */
  readonly resumables: ResumableConnections | undefined;
  /** Undefined in a room: its clients need no pings. */
  readonly serverPings: ServerPings | undefined;
  /** Clients that are away and may rejoin their rooms. Undefined in a room. */
  readonly remembered?: AwayClients | undefined;
  /** Called before connections are read: an object that sweeps only once an hour ends lost ones now. */
  beforeLook(): void;
  /** This object's connections that are in a room, and the rooms of a connection. */
  membersOf(room: string): Iterable<Connection>;
  topicsOf(connection: Connection): Topic[];
}

export function objectCore(options: CoreOptions): ObjectCore {
  const { ctx, objects, storage, address, settings, isServed } = options;
  const agenda = new AlarmAgenda(ctx.storage, () => [
    liveness(),
    ...(isServed ? [activity] : []),
    ...(webhooks ? [webhooks] : []),
    ...options.duties(),
  ]);
  const stubs = roomStubs(objects);
  const room = hubRooms(stubs, { tenant: address.tenant, hub: address.hub });
  const connections = new ConnectionTable(ctx, settings, (connection, ...reason) => {
    countClose(counters, reason[0]);
    options.dropped(connection, ...reason);
  });
  const { liveness, sweepMs } = sweepsOf(options, connections);
  const settled = () => settledSoon(handlers, () => outbox.flushed());
  const waiting = () => webhooks?.waiting;
  const activity = activityOf(options, { agenda, connections, room }, { settled, waiting });
  const waitUntil = ctx.waitUntil.bind(ctx);
  const handlers = new WorkUnderWay(waitUntil);
  const { counters } = activity;
  const stateNames = settings.signalR.state;
  const outbox = new Outbox({ connections, handlers, counters, stateNames });
  const followed = new FollowedRooms({
    ...{ storage, self: objectName(address), settings },
    ...{ connections, outbox, activity, room },
    arm: (at) => agenda.arm(at),
    reporting: () => agenda.arm(Date.now() + settings.sweepSeconds * 1000),
  });
  const webhooks = webhooksOf(options, { activity, agenda, connections });
  let lanes: PublishLanes | undefined;
  const { publishBytes } = settings.limits;
  return {
    ...{ storage, address, name: options.name, settings, isServed, agenda, stubs, activity },
    ...{ settled, connections, liveness, sweepMs, handlers, outbox, followed, webhooks, room },
    arrivals: new ArrivalLoad({ limits: settings.limits, held: connections.held }),
    lanes: () => (lanes ??= new PublishLanes({ room, publishBytes, followed, waitUntil })),
  };
}

type PartsSoFar<K extends keyof ObjectCore> = Pick<ObjectCore, K>;

function activityOf(
  options: CoreOptions,
  { agenda, connections, room }: PartsSoFar<"agenda" | "connections" | "room">,
  { settled, waiting }: { settled(): Promise<boolean>; waiting(): WaitingEvents | undefined },
): ActivityReports {
  const { ctx, env, storage, address, name, isServed, stateBytes, published } = options;
  const counters = newCounters();
  const keeper = new AttachedCounts(connections);
  return new ActivityReports({
    ...{ storage, keeper, counters, wake: randomId(), isReported: isServed },
    occupancy: () => ({ ...options.occupancy(), waiting: waiting() }),
    ...{ stateBytes, published },
    snapshot: () => snapshotOf(counters, connections.written),
    report: options.report ?? ((about) => room(ALL).report(name, about)),
    reported: (about, increase) =>
      writeReport(env, { ...address, room: name }, { report: about, increase }),
    arm: (at) => agenda.arm(at),
    now: () => Date.now(),
    settled,
    waitUntil: (work) => ctx.waitUntil(work),
  });
}

function webhooksOf(
  { ctx, env, storage, address, name }: CoreOptions,
  { activity, agenda, connections }: PartsSoFar<"activity" | "agenda" | "connections">,
): WebhookEvents | undefined {
  const { events } = env.WEBHOOK_URL ? webhooksOr({}, env) : {};
  if (!events) return undefined;
  return new WebhookEvents({
    ...{ storage, events, address, about: { hub: address.hub, room: name } },
    count: (what, number) => {
      countWebhooks(activity.counters, what, number);
      activity.note(true);
    },
    isHere: (id) => connections.get(id) !== undefined,
    now: () => Date.now(),
    arm: (at) => agenda.arm(at),
    waitUntil: (work) => ctx.waitUntil(work),
  });
}

/** Whether messages to a connection's user reach it: by default at relays, and not at rooms. */
export const reachesUsers = ({ own, settings }: Pick<ObjectParts, "own" | "settings">): boolean =>
  settings.reachUsers ?? own === undefined;
