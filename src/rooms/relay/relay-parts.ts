// What a relay is made of, beside what every object with connections has: its seats, and the connections that their
// clients may come back to.

import type { RelayAddress } from "../rpc/object-names.ts";
import { Parts, type Events } from "../object/object-parts.ts";
import type { ObjectEnv } from "../rpc/room-rpc.ts";
import type { Receiver } from "../object/host.ts";
import type { Crowd } from "../observe/activity-reports.ts";
import { CLOSE } from "../../model/errors.ts";
import { STATEFUL_RECONNECT } from "../../model/options.ts";
import { Polls } from "./long-polls.ts";
import { rememberAway } from "./rejoin-groups.ts";
import { Remembered } from "./remembered-groups.ts";
import { Resumables } from "../connection/resumable-connections.ts";
import { Seats } from "./seats.ts";

/** Between two polls of a client that lives; ASP.NET's `DisconnectTimeout`. */
const POLL_MS = 15_000;

export class RelayParts extends Parts {
  readonly seats: Seats;
  /** Clients that poll. */
  readonly polls: Polls;
  /** Where clients that come back get their groups again. */
  readonly remembered: Remembered | undefined;
  readonly #resumables: Resumables;

  constructor(ctx: DurableObjectState, env: ObjectEnv, receiver: Receiver, events: Events) {
    super(ctx, env, receiver, events);
    this.seats = new Seats({
      home: this.relay,
      kv: ctx.storage.kv,
      capacity: this.settings.limits.connectionsPerRelay,
      taken: () => this.connections.all.size,
      takenBy: (userId) => this.countOf(userId),
      perUser: this.settings.limits.connectionsPerUser,
      now: () => Date.now(),
    });
    this.#resumables = this.#resuming();
    this.#resumables.restore(Date.now());
    this.duties.push(this.#resumables);
    this.polls = new Polls(this);
    this.remembered = this.#remembering();
    const lost = this.follows.restore();
    this.remembered?.lost(lost);
    this.#rememberAway();
    if (this.remembered) this.duties.push(this.remembered);
  }

  /** Whose socket a crash took. */
  #rememberAway(): void {
    for (const connection of this.connections.all)
      if (!connection.socket && !this.remembered?.knows(connection)) rememberAway(this, connection);
  }

  /** Connections of a user here. */
  countOf(userId: string): number {
    let count = 0;
    for (const { user } of this.connections.all) if (user.id === userId) count++;
    return count;
  }

  override get name(): string {
    return `relay:${this.relay.relay}`;
  }

  /** Who calls over HTTP is no connection that stays. */
  override get crowd(): Crowd {
    const here = [...this.connections.all].filter(({ asker }) => !asker);
    const users = new Set(here.map(({ user }) => user.id)).size;
    return { sockets: here.length, connections: here.length, users };
  }

  get relay(): RelayAddress {
    return this.home as RelayAddress;
  }

  override get resumables(): Resumables {
    return this.#resumables;
  }

  #remembering(): Remembered | undefined {
    const { rememberGroups: seconds } = this.settings;
    if (seconds === 0) return undefined;
    return new Remembered({
      sql: this.ctx.storage.sql,
      seconds,
      now: () => Date.now(),
      arm: (at) => this.agenda.arm(at),
      standOf: (room, connection) => this.follows.standOf(room, connection),
    });
  }

  #resuming(): Resumables {
    const { connections, settings } = this;
    const { bufferBytes, awaySeconds } = settings.signalR.statefulReconnect ?? STATEFUL_RECONNECT;
    return new Resumables({
      sql: this.ctx.storage.sql,
      connections,
      limits: { window: bufferBytes, most: settings.limits.queuedBytes },
      awayMs: awaySeconds * 1000,
      betweenPollsMs: POLL_MS,
      arm: (at) => this.agenda.arm(at),
      lost: (connection) => connections.close(connection, CLOSE.silent),
    });
  }
}
