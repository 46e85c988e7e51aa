// A JSON-RPC client over HTTP: a connection for the length of its request. It has no socket, because nothing of it
// outlives the request, and the object is awake for as long as it works.

import { CLOSE, HubError, reasonOf, type CloseCode, type ErrorCode } from "../../model/errors.ts";
import type { Encoded } from "../../model/message.ts";
import type { ConnectRequest } from "../../model/client-request.ts";
import type { User } from "../../model/user.ts";
import { jsonRpcAnswers } from "../../protocols/json-rpc-codec.ts";
import { connectionId } from "../rpc/object-names.ts";
import { connectionOf, type Connection } from "../connection/connection.ts";
import type { Fault } from "../rpc/room-rpc.ts";
import { bucket, type Bucket } from "../platform/token-bucket.ts";
import type { RelayParts } from "./relay-parts.ts";
import type { Host, Receiver } from "../object/host.ts";

export interface AskArrival {
  readonly user: User;
  readonly request: ConnectRequest;
  /** The connection's, by which the request can be given up; nobody else knows it. */
  readonly random: string;
}

/** The end of a request that waits for its answers. */
export interface Asker {
  /** Of all requests of one user here: as much as all the connections that a user may have. */
  readonly rate: Bucket;
  heard(frame: Encoded): void;
  /** The server ended the connection. */
  ended(why: CloseCode): void;
}

/** What answers the calls. */
interface Answerer {
  readonly host: Host;
  readonly receiver: Receiver;
}

/** The answers as text, empty where nothing wants one. Refusals are no exceptions: the platform logs those. */
export type Answered = { readonly text: string } | { readonly fault: Fault };

export async function answered(work: Promise<string>): Promise<Answered> {
  try {
    return { text: await work };
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    const { code, message } = error;
    return { fault: { code, message } };
  }
}

/** Users whose rate is known; of one that is forgotten the next call is the first. */
const RATES_AT_MOST = 10_000;

export class Asking {
  readonly #parts: RelayParts;
  readonly #rates = new Map<string, Bucket>();

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** The answer as text; empty where nothing wants one. Throws what ended the connection before it was answered. */
  async ask(arrival: AskArrival, frame: string, { host, receiver }: Answerer): Promise<string> {
    const { connections, outbox } = this.#parts;
    const { promise: ended, resolve } = Promise.withResolvers<CloseCode>();
    const answers: string[] = [];
    const connection = this.#connection(arrival, {
      rate: this.#rateOf(arrival.user),
      heard: (answer) => void answers.push(answer as string),
      ended: resolve,
    });
    const answer = async () => {
      const opened = receiver.opened(host, connection);
      receiver.received(host, connection, frame);
      await opened;
      await receiver.settled(host, connection);
      await outbox.flushed();
    };
    try {
      const why = await Promise.race([answer(), ended]);
      if (why && answers.length === 0) throw errorOf(why);
      return answers.join("");
    } finally {
      connections.close(connection, CLOSE.normal);
    }
  }

  #connection({ user, request, random }: AskArrival, asker: Asker): Connection {
    const { agenda, connections, home, settings } = this.#parts;
    const now = Date.now();
    // A client that is gone need not show: nothing is written to it before its answer.
    const deadline = now + settings.limits.requestSeconds * 1000;
    const connection = connectionOf(undefined, {
      ...{ id: connectionId(home, random), protocol: jsonRpcAnswers.name },
      ...{ user, request, deadline, connectedAt: now, heardAt: now, openCalls: [] },
    });
    connection.asker = asker;
    connections.adopt(connection);
    agenda.arm(Math.min(user.expiresAt, deadline));
    return connection;
  }

  /** One token makes all requests of its user: what it says of calls is said of them together. */
  #rateOf({ id, limits: own = {} }: User): Bucket {
    const { callsPerSecond, callBurst, connectionsPerUser } = this.#parts.settings.limits;
    const perSecond = Math.min(callsPerSecond * connectionsPerUser, own.callsPerSecond ?? Infinity);
    const burst = Math.min(callBurst * connectionsPerUser, own.callBurst ?? Infinity);
    if (this.#rates.size > RATES_AT_MOST) this.#rates.clear();
    let rate = this.#rates.get(id);
    if (!rate) this.#rates.set(id, (rate = bucket(perSecond, burst)));
    rate.limit(Date.now(), perSecond, burst);
    return rate;
  }

  /** Its client is gone. */
  hangUp(random: string): void {
    const { connections, home } = this.#parts;
    const connection = connections.get(connectionId(home, random));
    if (connection?.asker) connections.close(connection, CLOSE.normal);
  }
}

const CODES: ReadonlyMap<CloseCode, ErrorCode> = new Map<CloseCode, ErrorCode>([
  [CLOSE.flooding, "rate_limited"],
  [CLOSE.expired, "unauthorized"],
]);

const errorOf = (why: CloseCode): HubError =>
  why === CLOSE.silent
    ? new HubError("timed_out", "The calls took too long.")
    : new HubError(CODES.get(why) ?? "interrupted", reasonOf(why) || "The request was given up.");
