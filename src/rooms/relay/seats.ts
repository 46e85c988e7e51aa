// Seats at a relay: negotiation reserves one for a client that connects soon, and gives out its connection token.
//
//   token = <random>_<lapses at>_<proof><marks>@relay:<relay>     id = <random>@relay:<relay>
//
//   · The proof is an HMAC over the other parts and the user's id: only this relay can issue a token, and only that
//     user can use it. The key is one row; a client costs a row only if the connect webhook has granted it claims. The
//     id is public, the token is not.
//   · A token lapses after `SEAT_MS` unless its client has connected. It begins one connection only; polls and resumed
//     sockets send it as a proof that they are from the client.
//   · Reservations count against the relay's capacity and the user's connections. They are in memory, as are used
//     tokens: after a sleep or a crash tokens are good until they lapse, and the clients that were about to connect may
//     exceed the capacity.

import type { KeyValues } from "../../model/stored-values.ts";
import type { Limits } from "../../model/options.ts";
import { accountOf, type AccountUser, type Grant } from "../../model/user.ts";
import { checkAccountCount } from "../connection/connection-limits.ts";
import { connectionId, randomId, type RelayAddress } from "../rpc/object-names.ts";
import type { ClientTraits, Seat, SeatRequest } from "../rpc/relay-rpc.ts";
import { seatTokenParts } from "../rpc/seat-token.ts";

interface SeatsOptions {
  readonly address: RelayAddress;
  readonly kv: KeyValues;
  /** They hold for connections and reservations together. */
  readonly limits: Limits;
  connectionCount(): number;
  /** Ends lost connections, before the relay counts as full. */
  endLost(now: number): void;
  /** Connections of the user's account. */
  connectionsOf(user: AccountUser): number;
  now(): number;
}

/** The connect webhook's grant to a client that has negotiated, until its token lapses. */
interface SavedGrant {
  readonly until: number;
  readonly grant: Grant;
}

/** A token that this relay has issued. */
export interface ReadSeat {
  readonly id: string;
  /** When it lapses unless it begins a connection, milliseconds since 1970. */
  readonly until: number;
  /** Whether the time for a new connection is over by now, or the token has begun one. */
  isLapsed(): boolean;
  readonly traits: ClientTraits;
}

const GRANT_PREFIX = "grant:";

/** From negotiating to connecting; ASP.NET's `DisconnectTimeout`. */
const SEAT_MS = 15_000;
/** How long `wasFullLately` is true: longer than groups are remembered. Written once in that time. */
const LATELY_MS = 3_600_000;

export class Seats {
  readonly #options: SeatsOptions;
  #key: Promise<CryptoKey> | undefined;
  /** Seats whose clients have not connected yet, by the random part. `until` in milliseconds since 1970. */
  readonly #reservations = new Map<string, { readonly until: number; readonly account: string }>();
  /** Random parts of tokens that have begun a connection, until they lapse. */
  readonly #usedTokens = new Map<string, number>();
  /** When lapsed grants are deleted next: not with each new grant, because reading all of them costs. */
  #grantsDueAt = 0;

  constructor(options: SeatsOptions) {
    this.#options = options;
  }

  /**
   * Undefined if the relay is full: a relay of the next level may have room. Throws `too_many_connections`.
   */
  async reserve(user: AccountUser, request: SeatRequest): Promise<Seat | undefined> {
    const { address, now } = this.#options;
    const { grant, hasSecretToken } = request;
    if (this.isFull) return undefined;
    this.#checkUser(user);
    const random = randomId();
    const seatEndsAt = now() + SEAT_MS;
    this.#reservations.set(random, { until: seatEndsAt, account: accountOf(user) });
    if (grant) this.#saveGrant(random, { until: seatEndsAt, grant });
    const at = seatEndsAt.toString(36);
    const marks = marksOf(request);
    const proof = await this.#proof([random, at, marks, user.id]);
    const token = connectionId(address, `${random}_${at}_${proof}${marks}`);
    return { id: hasSecretToken ? connectionId(address, random) : token, token };
  }

  /**
   * Writes a row, because an object may sleep before a seat lapses. Grants of lapsed seats are deleted when a later one
   * is saved.
   */
  #saveGrant(random: string, granted: SavedGrant): void {
    const { kv, now } = this.#options;
    if (now() >= this.#grantsDueAt) {
      this.#grantsDueAt = now() + SEAT_MS;
      for (const [key, { until }] of [...kv.list<SavedGrant>({ prefix: GRANT_PREFIX })])
        if (until <= now()) kv.delete(key);
    }
    kv.put(GRANT_PREFIX + random, granted);
  }

  /** Whether no seat is left, reservations included. */
  get isFull(): boolean {
    const now = this.#options.now();
    for (const [id, { until }] of this.#reservations)
      if (until <= now) this.#reservations.delete(id);
    if (this.#hasRoom) return false;
    this.#options.endLost(now);
    if (this.#hasRoom) return false;
    if (!this.wasFullLately) this.#options.kv.put("full-at", now);
    return true;
  }

  get #hasRoom(): boolean {
    const { connectionCount, limits } = this.#options;
    return connectionCount() + this.#reservations.size < limits.connectionsPerRelay;
  }

  /** One user, or the guests of one network, must not reserve all seats. Throws `too_many_connections`. */
  #checkUser(user: AccountUser): void {
    let count = this.#options.connectionsOf(user);
    const account = accountOf(user);
    for (const reservation of this.#reservations.values())
      if (reservation.account === account) count++;
    checkAccountCount(this.#options.limits, user, count);
  }

  /** Whether the relay was full within the last hour, so that some of its clients may be at the next level. */
  get wasFullLately(): boolean {
    return this.#options.now() < this.#fullUntil;
  }

  get #fullUntil(): number {
    const at = this.#options.kv.get<number>("full-at");
    return at === undefined ? 0 : at + LATELY_MS;
  }

  /** The time from which no token can begin a connection, and `wasFullLately` is false. */
  get idleFrom(): number {
    const seats = [...this.#reservations.values()];
    return seats.reduce((latest, { until }) => Math.max(latest, until), this.#fullUntil);
  }

  /** Called when the storage was deleted, with the key: earlier tokens are invalid from now on. */
  forget(): void {
    this.#key = undefined;
  }

  /** The connection id of a token that this relay issued to this user; undefined for any other text. */
  async read(token: string, userId: string): Promise<ReadSeat | undefined> {
    const parts = seatTokenParts(token);
    // A relay that has never issued a token has no key, and must not write one for an invented token.
    if (!parts || !this.#options.kv.get("seat-key")) return undefined;
    const { random, at, proof, marks } = parts;
    if (!equalInConstantTime(proof, await this.#proof([random, at, marks, userId])))
      return undefined;
    const isId = marks.includes(MARKS.tokenIsId);
    const id = isId ? token : connectionId(this.#options.address, random);
    const until = Number.parseInt(at, 36);
    const isLapsed = () => until <= this.#options.now() || this.#usedTokens.has(random);
    return { id, until, isLapsed, traits: traitsOf(marks) };
  }

  /**
   * Uses up the token, which begins its connection. Returns the grant that was saved with the seat, and keeps it: after
   * a sleep the token may be used again, and must not be worth more than before.
   */
  take(token: string): Grant | undefined {
    const parts = seatTokenParts(token);
    if (!parts) return undefined;
    const now = this.#options.now();
    for (const [id, seatEndsAt] of this.#usedTokens)
      if (seatEndsAt <= now) this.#usedTokens.delete(id);
    this.#reservations.delete(parts.random);
    this.#usedTokens.set(parts.random, Number.parseInt(parts.at, 36));
    return this.#options.kv.get<SavedGrant>(GRANT_PREFIX + parts.random)?.grant;
  }

  async #proof(claims: readonly string[]): Promise<string> {
    const text = new TextEncoder().encode(JSON.stringify(claims));
    const mac = await crypto.subtle.sign("HMAC", await this.#hmacKey(), text);
    return new Uint8Array(mac, 0, 16).toBase64({ alphabet: "base64url", omitPadding: true });
  }

  /** Created once for each relay; never leaves the object. */
  #hmacKey(): Promise<CryptoKey> {
    return (this.#key ??= importKey(this.#keyBytes()));
  }

  #keyBytes(): Uint8Array {
    const { kv } = this.#options;
    const saved = kv.get<Uint8Array>("seat-key");
    if (saved) return saved;
    const created = crypto.getRandomValues(new Uint8Array(32));
    kv.put("seat-key", created);
    return created;
  }
}

/** Traits of the client that negotiated, in a token after its proof, which covers them. */
const MARKS = { tokenIsId: "0", statefulReconnect: "s", pings: "p" };

const marksOf = ({ hasSecretToken, statefulReconnect, pings }: SeatRequest): string =>
  (hasSecretToken ? "" : MARKS.tokenIsId) +
  (statefulReconnect ? MARKS.statefulReconnect : "") +
  (pings ? MARKS.pings : "");

const traitsOf = (marks: string): ClientTraits => ({
  statefulReconnect: marks.includes(MARKS.statefulReconnect),
  pings: marks.includes(MARKS.pings),
});

const importKey = (bytes: Uint8Array): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);

/** Compares in a time that does not depend on where the texts differ. */
function equalInConstantTime(a: string, b: string): boolean {
  const [x, y] = [new TextEncoder().encode(a), new TextEncoder().encode(b)];
  return x.byteLength === y.byteLength && crypto.subtle.timingSafeEqual(x, y);
}

interface SeatGiver {
  readonly arrivals: { check(sentAt: number): void };
  readonly connections: { readonly inbound: { checkCalm(user: AccountUser): void } };
  readonly seats: Seats;
}

/** Reserves a seat. Throws the refusals that the client's connection would get at this moment. */
export async function reserveSeat(
  { arrivals, connections, seats }: SeatGiver,
  user: AccountUser,
  request: SeatRequest,
): Promise<Seat | undefined> {
  arrivals.check(request.sentAt ?? Infinity);
  connections.inbound.checkCalm(user);
  return seats.reserve(user, request);
}
