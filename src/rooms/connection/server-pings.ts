// The server's pings, for SignalR clients over WebSockets that never ping. ASP.NET Core pings every client each 15 s.
// Here clients ping and the runtime answers, so that the object sleeps; those that do not ping would time out after
// 30 s without a byte, and are pinged by alarm. Only they cost a wake.
//
//   · Microsoft's clients ping: nothing is checked. Others are checked once, `FIRST_MS` after they connect.
//   · Some clients answer a ping with a ping, which the runtime would answer again: an endless exchange. While answers
//     are due (`ANSWER_MS`), the runtime answers no pings, and this file answers instead.
//   · An answer does not show that the client pings by itself: such a client is pinged as long as it is connected.

import { CLOSE } from "../../model/errors.ts";
import type { Limits } from "../../model/options.ts";
import { PING } from "../../model/wire-constants.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import { TokenBucket } from "../platform/rates.ts";
import { settledWithin } from "../platform/loop-timing.ts";
import type { Attached } from "./attachment.ts";
import { save, type Connection } from "./connection.ts";
import { spendMessages } from "./inbound-budget.ts";
import type { ConnectionTable } from "./connection-table.ts";
import { isOpen } from "./stage.ts";

/** The runtime's own answers to pings. */
type PingState = Pick<
  DurableObjectState,
  "getWebSocketAutoResponseTimestamp" | "setWebSocketAutoResponse"
>;

/** ASP.NET's `KeepAliveInterval`. */
const EVERY_MS = 15_000;
/** Time from the connect to the check: an interval, and some time for a client's first ping. */
const FIRST_MS = 20_000;
/** Clients of this age are checked together with older ones, so that many that connect at once cost one alarm. */
const CHECKED_FROM_MS = 16_000;
/** The time in which a client must answer a ping. */
const ANSWER_MS = 3_000;
/** The rate of answers to pings that reach the object; more would be an endless exchange. */
const ANSWERED = { burst: 3, perSecond: 1 / 5 };

type Known = NonNullable<Attached["serverPings"]>;

interface ServerPingsOptions {
  readonly state: PingState;
  readonly connections: ConnectionTable;
  readonly limits: Limits;
  arm(at: number): void;
  waitUntil(work: Promise<unknown>): void;
}

export class ServerPings implements Duty {
  readonly #options: ServerPingsOptions;
  /** Milliseconds since 1970; 0 after a wake, so that the next alarm pings. */
  #pingedAt = 0;
  /** Whether frames must be passed to `takeFrame`. */
  isAwaiting = false;
  /** Clients that may still answer the last ping; undefined while the runtime answers pings by itself. */
  #answering: Set<Connection> | undefined;
  #answered = Promise.withResolvers<void>();
  /** Rates of answers to pings that reach the object: in binary frames, or in another spelling. */
  readonly #buckets = new WeakMap<Connection, TokenBucket>();
  /** A copy of `attached.serverPings`, also for attachments without room for it. */
  readonly #known = new WeakMap<Connection, Known>();

  constructor(options: ServerPingsOptions) {
    this.#options = options;
  }

  /** Called when the handshake is complete. */
  begun(connection: Connection): void {
    const { connectedAt } = connection.attached;
    if (this.#mayNeedPings(connection)) this.#options.arm(connectedAt + FIRST_MS);
  }

  /** The next pings, or the next check of a client. */
  due(): number | undefined {
    let first = Infinity;
    for (const connection of this.#options.connections.all)
      if (this.#mayNeedPings(connection)) first = Math.min(first, this.#dueOf(connection));
    return first === Infinity ? undefined : first;
  }

  #dueOf(connection: Connection): number {
    const isPinged = this.#knownOf(connection) !== undefined;
    return isPinged ? this.#pingedAt + EVERY_MS : connection.attached.connectedAt + FIRST_MS;
  }

  /** If one client is due, pings all clients that need it, so that they share their alarms. */
  run(now: number): void {
    const all = [...this.#options.connections.all].filter(
      (connection) => this.#mayNeedPings(connection) && this.#isOldEnough(connection, now),
    );
    if (!all.some((connection) => this.#dueOf(connection) <= now)) return;
    this.#pingedAt = now;
    const silent = all.filter((connection) => isOpen(connection) && !this.#hasPinged(connection));
    if (silent.length > 0) this.#ping(silent);
  }

  /** Whether it is a SignalR client on a WebSocket of its own, and not known to ping by itself. */
  #mayNeedPings(connection: Connection): boolean {
    const { attached, protocol, socket } = connection;
    if (!socket || attached.transport || attached.pings || protocol.ping === undefined)
      return false;
    return this.#knownOf(connection) !== "none";
  }

  #isOldEnough(connection: Connection, now: number): boolean {
    const isPinged = this.#knownOf(connection) !== undefined;
    return isPinged || now - connection.attached.connectedAt >= CHECKED_FROM_MS;
  }

  /** Whether the runtime has answered a ping of this client; other pings were noted when they came. */
  #hasPinged(connection: Connection): boolean {
    const { state } = this.#options;
    if (!state.getWebSocketAutoResponseTimestamp(connection.socket!)) return false;
    this.#note(connection, "none");
    return true;
  }

  /** Pings clients, and waits for the answers of those that may answer: all that did not ignore the first ping. */
  #ping(silent: readonly Connection[]): void {
    const { connections, waitUntil } = this.#options;
    const answering = silent.filter((one) => this.#knownOf(one) !== "unanswered");
    if (answering.length > 0) waitUntil(this.#awaitAnswers(answering));
    for (const connection of silent) {
      connections.write(connection, [connection.protocol.ping!]);
      if (!this.#knownOf(connection)) this.#note(connection, "unanswered");
    }
  }

  /** Lets pings reach the object until all have answered. */
  async #awaitAnswers(answering: readonly Connection[]): Promise<void> {
    if (this.#answering) return answering.forEach((one) => this.#answering!.add(one));
    const { state } = this.#options;
    this.#answering = new Set(answering);
    this.isAwaiting = true;
    this.#answered = Promise.withResolvers();
    state.setWebSocketAutoResponse();
    await settledWithin(ANSWER_MS, [this.#answered.promise]);
    this.#answering = undefined;
    this.isAwaiting = false;
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PING));
  }

  /** Handles a ping that the runtime would have answered by itself. False for any other frame. */
  takeFrame(connection: Connection, frame: string | ArrayBuffer): boolean {
    if (!this.#answering || frame !== PING || !isOpen(connection)) return false;
    const { connections, limits } = this.#options;
    if (!spendMessages(connection, 1, limits)) connections.close(connection, CLOSE.flooding);
    else if (!this.#takeAnswer(connection)) connections.write(connection, [PING]);
    return true;
  }

  /** Handles a ping that reached the object. Answers so few that two sides which both answer pings come to an end. */
  take(connection: Connection): void {
    if (this.#takeAnswer(connection)) return;
    if (!connection.attached.pings) save(connection, { pings: true });
    const { perSecond, burst } = ANSWERED;
    const bucket = this.#buckets.get(connection) ?? new TokenBucket(perSecond, burst);
    this.#buckets.set(connection, bucket);
    if (bucket.take(Date.now())) this.#options.connections.pong(connection);
  }

  /** Whether a ping is an answer: all pings of a client that the server pings are, if they reach the object. */
  #takeAnswer(connection: Connection): boolean {
    const known = this.#knownOf(connection);
    if (known === undefined || known === "none") return false;
    this.#note(connection, "answered");
    this.#options.connections.touch(connection, Date.now());
    this.#answering?.delete(connection);
    if (this.#answering?.size === 0) this.#answered.resolve();
    return true;
  }

  #knownOf(connection: Connection): Known | undefined {
    return this.#known.get(connection) ?? connection.attached.serverPings;
  }

  /** Notes how the client reacts to pings. If the attachment is full of the token's claims, only until sleep. */
  #note(connection: Connection, serverPings: Known): void {
    if (this.#knownOf(connection) === serverPings) return;
    this.#known.set(connection, serverPings);
    try {
      save(connection, { serverPings });
    } catch {
      // It is in memory only.
    }
  }
}
