// JSON-RPC calls over HTTP: each request is a connection without a socket, for as long as the request lasts. It need
// not survive sleep, because the object is awake while the request waits. After a crash the worker's call fails.

import { CLOSE, HubError, type CloseCode } from "../../model/errors.ts";
import { traceAmong } from "../../model/trace.ts";
import { accountOf, type User } from "../../model/user.ts";
import { jsonRpcAnswers } from "../../protocols/json-rpc-codec.ts";
import { connectionId } from "../rpc/object-names.ts";
import { connectionOf, type Connection, type HttpCaller } from "../connection/connection.ts";
import { Budget } from "../platform/budget.ts";
import { TokenBucket } from "../platform/rates.ts";
import type { RelayParts } from "./relay-parts.ts";
import type { Host, Receiver } from "../object/host.ts";
import type { HttpCallArrival } from "../rpc/arrival.ts";
import type { ErrorCode } from "../../model/error-table.ts";

/** The dispatcher, and the object that it serves. */
interface CallTarget {
  readonly host: Host;
  readonly receiver: Receiver;
}

/** Why a request's connection was closed before its answer. */
interface HttpEnd {
  readonly why: CloseCode;
  readonly reason: string;
}

type UserRates = Pick<HttpCaller, "rate" | "history">;

/** The most users whose rates are in memory. Beyond it all are dropped, and each user begins with a full bucket. */
const RATES_AT_MOST = 10_000;

export class HttpCalls {
  readonly #parts: RelayParts;
  readonly #target: CallTarget;
  /** By user: the requests of one user share a rate, as the calls of one connection do. */
  readonly #rates = new Map<string, UserRates>();

  constructor(parts: RelayParts, target: CallTarget) {
    this.#parts = parts;
    this.#target = target;
  }

  /**
   * Resolves with the answers as text once all calls of the request are done; empty if all were notifications. Rejects
   * with `timed_out`, `rate_limited`, `busy`, `unauthorized`, `banned`, `token_revoked` or `interrupted` if the
   * connection ends before its first answer.
   */
  async answer(arrival: HttpCallArrival, frame: string): Promise<string> {
    const { activity, connections, outbox } = this.#parts;
    const { host, receiver } = this.#target;
    activity.counters.bytesIn += frame.length;
    const { promise: ended, resolve } = Promise.withResolvers<HttpEnd>();
    const answers: string[] = [];
    const connection = this.#connection(arrival, {
      ...this.#ratesOf(arrival.user),
      receive: (answer) => void answers.push(answer as string),
      closed: (why, reason) => resolve({ why, reason }),
    });
    const answer = async () => {
      const opened = receiver.opened(host, connection);
      receiver.received(host, connection, frame);
      await opened;
      await receiver.settled(host, connection);
      await outbox.flushed();
    };
    try {
      const end = await Promise.race([answer(), ended]);
      if (end && answers.length === 0) throw errorOf(end);
      return answers.join("");
    } finally {
      connections.close(connection, CLOSE.normal);
    }
  }

  #connection({ user, request, random }: HttpCallArrival, caller: HttpCaller): Connection {
    const { address, agenda, connections, settings } = this.#parts;
    const now = Date.now();
    // Nothing is written to the client before the answer, so a lost client may be unnoticed until this deadline.
    const deadline = now + settings.limits.requestSeconds * 1000;
    const connection = connectionOf(undefined, {
      ...{ id: connectionId(address, random), protocol: jsonRpcAnswers.name },
      ...{ user, request, deadline, connectedAt: now, heardAt: now, openCalls: [] },
      ...traceAmong(request.headers),
    });
    connection.httpCaller = caller;
    connections.adopt(connection);
    agenda.arm(Math.min(user.expiresAt, deadline));
    return connection;
  }

  /** The rate of as many connections as a user may have; a token's own limits hold for all its requests together. */
  #ratesOf(user: User): UserRates {
    const { limits: tokenLimits = {} } = user;
    const id = accountOf(user);
    const { limits } = this.#parts.settings;
    const { callsPerSecond, callBurst, connectionsPerUser } = limits;
    const perSecond = Math.min(
      callsPerSecond * connectionsPerUser,
      tokenLimits.callsPerSecond ?? Infinity,
    );
    const burst = Math.min(callBurst * connectionsPerUser, tokenLimits.callBurst ?? Infinity);
    if (this.#rates.size > RATES_AT_MOST) this.#rates.clear();
    let rates = this.#rates.get(id);
    if (!rates) {
      const history = new Budget(limits.historyBytesPerSecond, limits.historyBurst);
      this.#rates.set(id, (rates = { rate: new TokenBucket(perSecond, burst), history }));
    }
    rates.rate.limit(Date.now(), perSecond, burst);
    return rates;
  }

  /** Called when the client has closed its request: ends the connection, and cancels its calls. May be repeated. */
  hangUp(random: string): void {
    const { address, connections } = this.#parts;
    const connection = connections.get(connectionId(address, random));
    if (connection?.httpCaller) connections.close(connection, CLOSE.normal);
  }
}

/** Error codes of calls whose connection was closed; others are `interrupted`. */
const CODES: ReadonlyMap<CloseCode, ErrorCode> = new Map<CloseCode, ErrorCode>([
  [CLOSE.flooding, "rate_limited"],
  [CLOSE.busy, "busy"],
  [CLOSE.expired, "unauthorized"],
  [CLOSE.banned, "banned"],
  [CLOSE.revoked, "token_revoked"],
]);

const errorOf = ({ why, reason }: HttpEnd): HubError =>
  why === CLOSE.silent
    ? new HubError("timed_out", "The calls took too long.")
    : new HubError(CODES.get(why) ?? "interrupted", reason || "The request was given up.");
