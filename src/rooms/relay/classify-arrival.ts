// Classifies a client that arrives at a relay: a new one, one that returns to its connection, or one whose connection
// has ended. All checks that may refuse a client run here, before its socket is accepted.

import { CLOSE, HubError } from "../../model/errors.ts";
import { applyGrant, factsOf, type User } from "../../model/user.ts";
import type { Connection } from "../connection/connection.ts";
import { checkAccountCount } from "../connection/connection-limits.ts";
import { ratesOf, spendMessages } from "../connection/inbound-budget.ts";
import type { AdmissionCache } from "../object/admission-cache.ts";
import { endPrevious } from "../object/begin-json-rpc.ts";
import { countOfAccount } from "../object/sweeps.ts";
import type { JsonRpcArrival, OverflowArrival, SignalRArrival } from "../rpc/arrival.ts";
import { connectionId } from "../rpc/object-names.ts";
import type { ClientTraits } from "../rpc/relay-rpc.ts";
import type { RelayParts } from "./relay-parts.ts";

export type AnyArrival = SignalRArrival | OverflowArrival | JsonRpcArrival;

export type ClassifiedArrival =
  /** Another socket for a connection of this relay: a poll, or a stateful reconnect. */
  | {
      readonly kind: "returning";
      readonly connection: Connection;
      readonly arrival: SignalRArrival;
    }
  /** A new SignalR client, with the id that negotiation gave it. */
  | {
      readonly kind: "fresh";
      readonly id: string;
      readonly arrival: SignalRArrival;
      readonly traits: ClientTraits;
    }
  /** A poll for a connection that has ended and whose last frames are kept. */
  | { readonly kind: "ended"; readonly id: string }
  /** A JSON-RPC client of a room that is full. */
  | { readonly kind: "overflow"; readonly arrival: OverflowArrival }
  /** A JSON-RPC client of the whole hub. */
  | { readonly kind: "rpc"; readonly arrival: JsonRpcArrival };

/**
 * Throws `relay_full`, `too_many_connections`, `rate_limited`, `connection_not_found`, and errors of the user's
 * account. A connection token admits one new connection only.
 */
export async function classify(
  parts: RelayParts,
  admissions: AdmissionCache,
  arrival: AnyArrival,
): Promise<ClassifiedArrival> {
  const { user } = arrival;
  if (arrival.kind === "hub" && arrival.token !== undefined)
    return classifyNegotiated(parts, admissions, { ...arrival, token: arrival.token });
  checkFull(parts);
  parts.connections.inbound.checkCalm(user);
  await admissions.begin(user);
  if (arrival.kind === "hub") {
    checkUser(parts, user);
    const traits = { statefulReconnect: false, pings: arrival.pings === true };
    return { kind: "fresh", id: connectionId(parts.address), arrival, traits };
  }
  endPrevious(parts.connections, user, arrival.previous);
  checkFull(parts);
  checkUser(parts, user);
  return arrival.kind === "rpc" ? { kind: "rpc", arrival } : { kind: "overflow", arrival };
}

async function classifyNegotiated(
  parts: RelayParts,
  admissions: AdmissionCache,
  arrival: SignalRArrival & { readonly token: string },
): Promise<ClassifiedArrival> {
  const { connections, lastFrames, seats } = parts;
  const { user, token } = arrival;
  const seat = await seats.read(token, user.id);
  // Before the call to the account, which would store this relay as an object that may hold connections of the user.
  if (!seat) throw notFound();
  const isReturning = connections.get(seat.id) !== undefined;
  if (!isReturning) connections.inbound.checkCalm(user);
  await (isReturning ? admissions.check(factsOf(user)) : admissions.begin(user));
  // The connection may have begun or ended while the account was called.
  const connection = connections.get(seat.id);
  if (connection) {
    chargeReturn(parts, connection);
    return { kind: "returning", connection, arrival };
  }
  if (lastFrames.has(seat.id)) return { kind: "ended", id: seat.id };
  if (seat.isLapsed()) throw notFound();
  const grant = seats.take(token);
  checkUser(parts, user);
  const granted = { ...arrival, user: applyGrant(user, grant) };
  return { kind: "fresh", id: seat.id, arrival: granted, traits: seat.traits };
}

/** The cost in messages of a poll, and of a resumed socket with its rows and repeated frames: neither is a connect. */
const [POLL_COST, RESUME_COST] = [10, 100];
/** With a lower limit of messages a second the costs fall in proportion, because clients poll as often as before. */
const FULL_RATE = 5_000;

/** Counts a return. Throws `rate_limited` if the client returns too often, and closes its connection for flooding. */
function chargeReturn({ connections, settings: { limits } }: RelayParts, connection: Connection) {
  const part = Math.min(1, ratesOf(limits).messages.perSecond / FULL_RATE);
  const cost = connection.attached.transport === "LongPolling" ? POLL_COST : RESUME_COST;
  if (spendMessages(connection, Math.floor(cost * part), limits)) return;
  connections.close(connection, CLOSE.flooding);
  // The close has begun a pause for the user: this throws a refusal with its length.
  connections.inbound.checkCalm(connection.user);
  throw new HubError("rate_limited", "The client reconnects too often.");
}

function checkFull({ seats }: RelayParts): void {
  if (seats.isFull) throw new HubError("relay_full", "This relay is full.");
}

export const checkUser = (parts: RelayParts, user: User): void =>
  checkAccountCount(parts.settings.limits, user, countOfAccount(parts, user));

const notFound = () => new HubError("connection_not_found", "No Connection with that ID");
