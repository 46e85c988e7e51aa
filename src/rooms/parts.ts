// What one object is made of, put together once for each wake. The parts know each other only through the functions
// they are given here.

import { DEFAULTS, type RoomSettings } from "../model/options.ts";
import { formatTopic, type Topic } from "../model/topic.ts";
import { objectName, parseObjectName, type Address } from "./address.ts";
import { Agenda, type Duty } from "./agenda.ts";
import type { Connection } from "./connection.ts";
import { Connections, type Dropped } from "./connections.ts";
import { Followers, type FollowersOptions } from "./followers.ts";
import { Follows, type FollowsOptions } from "./follows.ts";
import type { RoomLog } from "./log.ts";
import { openLog } from "./log-modes.ts";
import { peerAt, peersOf, type Peer } from "./peers.ts";
import { OWN } from "./presence.ts";
import { Publisher, type PublisherOptions } from "./publisher.ts";
import type { Receiver } from "./receiver.ts";
import { Roster, type RosterOptions } from "./roster.ts";

export interface RoomEnv {
  readonly ROOMS: DurableObjectNamespace;
}

/** What happens in an object that its parts cannot answer themselves. */
export interface Events {
  readonly dropped: Dropped;
  presenceChanged(joined: readonly string[], left: readonly string[]): void;
}

/** Sockets that are written to faster than three timers fire. */
const FEW = 8;
/** How soon a room elsewhere that does not know how things are here is told again. */
const STALE_MS = 5_000;

const now = (): number => Date.now();

export class Parts {
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
  readonly #ctx: DurableObjectState;
  readonly #env: RoomEnv;

  constructor(ctx: DurableObjectState, env: RoomEnv, receiver: Receiver, events: Events) {
    this.#ctx = ctx;
    this.#env = env;
    this.address = parseObjectName(ctx.id.name ?? "");
    const settings = receiver.settings(this.address.hub);
    this.served = settings !== undefined;
    this.settings = settingsOf(settings ?? DEFAULTS, this.address.topic);
    // First, and still without duties: parts may find at their making that something is due.
    const duties: Duty[] = [];
    this.agenda = new Agenda(ctx.storage, duties);
    this.connections = new Connections(ctx, this.settings, events.dropped);
    this.log = openLog(ctx.storage, this.settings);
    this.publisher = new Publisher(this.#publishing());
    this.roster = new Roster(this.#roll(events));
    this.followers = new Followers(this.#followed());
    this.follows = new Follows(this.#following());
    duties.push(this.connections, this.roster, this.followers, this.#upkeep());
    this.roster.restore(this.#counts());
  }

  /** Another room of this hub and tenant. */
  peer(topic: Topic): Peer {
    return peerAt(peersOf(this.#env.ROOMS), { ...this.address, topic });
  }

  get room(): string {
    return formatTopic(this.address.topic);
  }

  #publishing(): PublisherOptions {
    return {
      room: this.room,
      log: this.log,
      own: this.connections.all,
      now,
      isLight: () => this.connections.all.size <= FEW && this.settings.durability !== "logged",
      find: (id) => this.connections.get(id),
      send: (connection, frames) => this.connections.send(connection, frames),
      saved: (entries) => this.followers.said(entries),
    };
  }

  #roll(events: Events): RosterOptions {
    return {
      sql: this.#ctx.storage.sql,
      settings: this.settings,
      now,
      arm: (at) => this.agenda.arm(at),
      publish: (draft) => this.publisher.publish(draft),
      flush: () => this.publisher.flush(),
      changed: (joined, left) => events.presenceChanged(joined, left),
    };
  }

  #followed(): FollowersOptions {
    return {
      room: this.room,
      storage: this.#ctx.storage,
      log: this.log,
      peers: peersOf(this.#env.ROOMS),
      now,
      arm: (at) => this.agenda.arm(at),
      waitUntil: (work) => this.#ctx.waitUntil(work),
      gone: (follower) => this.roster.forget(follower),
    };
  }

  #following(): FollowsOptions {
    return {
      sql: this.#ctx.storage.sql,
      self: objectName(this.address),
      everybody: this.connections.all,
      find: (id) => this.connections.get(id),
      peer: (topic) => this.peer(topic),
      tellsWho: ({ kind }) => kind !== "all" || this.settings.online,
      heard: (room, epoch, entry, members) => this.publisher.hear(room, epoch, entry, members),
      missed: (room, members) => this.#reset(room, members),
    };
  }

  #reset(room: string, members: ReadonlySet<Connection>): void {
    for (const connection of members)
      this.publisher.send(connection, { type: "control", name: "reset", params: {}, room });
  }

  /** While there is anything a crash could leave behind, an alarm stands that will look after it. */
  #upkeep(): Duty {
    const sweepMs = this.settings.sweepSeconds * 1000;
    const needed = () => this.connections.all.size + this.roster.users > 0 || this.follows.any;
    return {
      due: (at) => (needed() ? at + (this.follows.stale ? STALE_MS : sweepMs) : undefined),
      // Not waited for: a room that hangs must not keep this object's alarm from what is due next.
      run: () => this.#ctx.waitUntil(this.follows.settle()),
    };
  }

  *#counts() {
    const counts = new Map<string, number>();
    for (const { user } of this.connections.all)
      counts.set(user.id, (counts.get(user.id) ?? 0) + 1);
    for (const [userId, count] of counts) yield [OWN, userId, count] as const;
    yield* this.followers.members();
  }
}

/** Nobody is attached to a hub's `all` room, so it has presence only where the hub keeps who is online. */
const settingsOf = (settings: RoomSettings, topic: Topic): RoomSettings =>
  topic.kind === "all" && !settings.online ? { ...settings, presence: "none" } : settings;
