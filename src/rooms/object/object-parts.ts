// What every object with connections is made of, put together once for each wake. The parts know each other only
// through the functions they are given here. Rooms (room-parts.ts) and relays (relay-parts.ts) add their own.

import { DEFAULTS, type RoomSettings } from "../../model/options.ts";
import { ALL, formatTopic, parseTopic, type Topic } from "../../model/topic.ts";
import { webhooksOr } from "../../webhooks/webhook-config.ts";
import { objectName, parseObjectName, randomId, type ObjectAddress } from "../rpc/object-names.ts";
import { writeReport } from "../observe/analytics.ts";
import { AlarmAgenda, type Duty } from "../platform/alarm-agenda.ts";
import type { Connection } from "../connection/connection.ts";
import { ConnectionTable, type Dropped } from "../connection/connection-table.ts";
import { countedOf, countRefusal, freshCounters } from "../observe/counters.ts";
import type { Counted, Crowd, Report } from "../rpc/activity-report.ts";
import { FollowedRooms, type FollowsOptions } from "../links/followed-rooms.ts";
import { PublishLanes } from "../links/publish-lanes.ts";
import { LivenessSweep } from "../connection/liveness-sweep.ts";
import { Outbox } from "../delivery/outbox.ts";
import { roomStubs, type RoomStubs } from "../rpc/stubs.ts";
import type { HolderRpc, RoomRpc } from "../rpc/room-rpc.ts";
import type { ObjectEnv } from "../rpc/object-env.ts";
import type { Receiver } from "./host.ts";
import { WebhookEvents } from "../observe/webhook-events.ts";
import { ActivityReports } from "../observe/activity-reports.ts";
import type { ResumableConnections } from "../connection/resumable-connections.ts";

/** What happens in an object that its parts cannot answer themselves. */
export interface Events {
  readonly dropped: Dropped;
}

/** Sockets that are written to faster than three timers fire. */
const FEW = 8;
/** How soon a room elsewhere that does not know how things are here is told again. */
const STALE_MS = 5_000;

export abstract class Parts {
  readonly home: ObjectAddress;
  readonly settings: RoomSettings;
  /** False where the hub is no longer served. */
  readonly served: boolean;
  readonly connections: ConnectionTable;
  readonly outbox: Outbox;
  readonly follows: FollowedRooms;
  readonly agenda: AlarmAgenda;
  readonly peers: RoomStubs;
  readonly counters = freshCounters();
  readonly #reports: ActivityReports;
  /** Who outside is told of what happens here; undefined where nobody is. */
  readonly outside: WebhookEvents | undefined;
  /** What is said in rooms elsewhere. */
  readonly lanes = new PublishLanes((topic) => this.peer(topic));
  protected readonly ctx: DurableObjectState;
  /** First without duties: parts may find at their making that something is due. */
  protected readonly duties: Duty[] = [];

  constructor(ctx: DurableObjectState, env: ObjectEnv, receiver: Receiver, events: Events) {
    this.ctx = ctx;
    this.peers = roomStubs(env);
    this.home = parseObjectName(ctx.id.name ?? "");
    const settings = receiver.settings(this.home.hub);
    this.served = settings !== undefined;
    this.settings = this.adapted(settings ?? DEFAULTS);
    this.agenda = new AlarmAgenda(ctx.storage, this.duties);
    this.connections = new ConnectionTable(ctx, this.settings, events.dropped);
    this.outbox = new Outbox({
      isLight: () => this.connections.all.size <= FEW && this.isUnlogged,
      find: (id) => this.connections.get(id),
      send: (connection, frames) => this.connections.send(connection, frames),
      told: (messages) => void (this.counters.out += messages),
    });
    this.#reports = this.#reporting(env);
    this.follows = new FollowedRooms(this.#following());
    this.duties.push(new LivenessSweep(ctx, this.settings, this.connections), this.#upkeep());
    if (this.served) this.duties.push(this.#reports);
    this.outside = this.#telling(env);
    if (this.outside) this.duties.push(this.outside);
  }

  /** The hub's settings, as this kind of object has them. */
  protected adapted(settings: RoomSettings): RoomSettings {
    return settings;
  }

  /** Whether nothing of what is said here is written to a log first. */
  protected get isUnlogged(): boolean {
    return true;
  }

  /** Whether a crash would leave something behind. */
  get isUsed(): boolean {
    return this.connections.all.size > 0 || this.follows.any;
  }

  /** Where connections may be resumed on another socket. */
  get resumables(): ResumableConnections | undefined {
    return undefined;
  }

  /** This object's connections that are in a room. */
  membersOf(room: string): Iterable<Connection> {
    return room === "all" ? this.connections.all : this.follows.membersOf(room);
  }

  /** The rooms that a connection is in. */
  topicsOf(connection: Connection): Topic[] {
    return [...this.follows.causesOf(connection).keys()].map(parseTopic);
  }

  /** Another room of this hub and tenant. */
  peer(topic: Topic): RoomRpc {
    return this.peers(objectName({ tenant: this.home.tenant, hub: this.home.hub, topic }));
  }

  /** The object that holds connections there. */
  holder(home: ObjectAddress): HolderRpc {
    return this.peers(objectName(home));
  }

  /** What this object is to the hub's index: a topic, or a relay's name. */
  abstract get name(): string;

  /** Who is here now. */
  abstract get crowd(): Crowd;

  /** How things are here is told to the hub's index. */
  protected async tell(report: Report): Promise<void> {
    await this.peer(ALL).report(this.name, report);
  }

  #reporting(env: ObjectEnv): ActivityReports {
    const { counters, agenda, home, ctx } = this;
    return new ActivityReports({
      ...{ counters, kv: ctx.storage.kv, wake: randomId() },
      counted: () => this.#counted,
      crowd: () => this.crowd,
      tell: (report) => this.tell(report),
      told: (report, news) => writeReport(env, { ...home, room: this.name }, report, news),
      arm: (at) => agenda.arm(at),
      now: () => Date.now(),
      waitUntil: (work) => ctx.waitUntil(work),
    });
  }

  get #counted(): Counted {
    return { ...countedOf(this.counters), bytesOut: this.connections.written };
  }

  /** Something happens here that the hub's index shall know. */
  active(): void {
    if (this.served) this.#reports.active();
  }

  /** A frame of a client. */
  came(frame: string | ArrayBuffer): void {
    this.counters.bytesIn += typeof frame === "string" ? frame.length : frame.byteLength;
  }

  refused(code: string): void {
    countRefusal(this.counters, code);
    this.active();
  }

  #following(): FollowsOptions {
    return {
      sql: this.ctx.storage.sql,
      self: objectName(this.home),
      everybody: this.connections.all,
      find: (id) => this.connections.get(id),
      peer: (topic) => this.peer(topic),
      remembers:
        this.settings.rememberGroups > 0 || this.settings.signalR.statefulReconnect !== undefined,
      flush: () => this.outbox.flush(),
      tellsWho: ({ kind }) => kind !== "all" || this.settings.online,
      heard: (hearing) => {
        this.active();
        this.outbox.hear(hearing);
      },
      missed: (room, members) => this.#reset(room, members),
    };
  }

  #telling(env: ObjectEnv): WebhookEvents | undefined {
    const { events } = webhooksOr({}, env);
    if (!events) return undefined;
    return new WebhookEvents({
      ...{ storage: this.ctx.storage, events, home: this.home },
      isHere: (id) => this.connections.get(id) !== undefined,
      now: () => Date.now(),
      arm: (at) => this.agenda.arm(at),
      waitUntil: (work) => this.ctx.waitUntil(work),
    });
  }

  #reset(room: string, members: ReadonlySet<Connection>): void {
    for (const connection of members)
      this.outbox.send(connection, { type: "control", name: "reset", params: {}, room });
  }

  /** While there is anything a crash could leave behind, an alarm stands that will look after it. */
  #upkeep(): Duty {
    const sweepMs = this.settings.sweepSeconds * 1000;
    return {
      due: (at) => (this.isUsed ? at + (this.follows.stale ? STALE_MS : sweepMs) : undefined),
      // Not waited for: a room that hangs must not keep this object's alarm from what is due next.
      run: () => this.ctx.waitUntil(this.follows.settle()),
    };
  }
}

/** The rooms a connection belongs into from its beginning, beside the hub's `all`. */
export const belongings = (
  { user }: Connection,
  own: Topic,
  topics: readonly Topic[],
  reachesUser: boolean,
): Topic[] => {
  const all = reachesUser ? [...topics, { kind: "user", name: user.id } as const] : topics;
  return all.filter((topic) => formatTopic(topic) !== formatTopic(own));
};
