// Who may take a seat at a relay. Negotiation gives out a token which proves itself: the relay keeps one key, and no
// row for each client. The id in it is public, the proof behind it is not.

import { HubError } from "../../model/errors.ts";
import type { Grant } from "../../model/user.ts";
import { connectionId, randomId, type RelayAddress } from "../rpc/object-names.ts";
import type { Seat } from "../rpc/relay-rpc.ts";

export interface SeatsOptions {
  readonly home: RelayAddress;
  readonly kv: SyncKvStorage;
  readonly capacity: number;
  /** Connections that are here already. */
  taken(): number;
  takenBy(userId: string): number;
  readonly perUser: number;
  now(): number;
}

/** What a webhook said of a client that negotiated, until it connects. */
interface Granted {
  readonly until: number;
  readonly grant: Grant;
}

/** A token that this relay has given out. */
interface ReadSeat {
  readonly id: string;
  /** When it lapses unless it is taken, milliseconds since 1970. */
  readonly until: number;
  /** It was taken, or was not taken in time. */
  readonly lapsed: boolean;
}

const GRANT = "grant:";

/** How long a client has from negotiating to connecting; ASP.NET's `DisconnectTimeout`. */
export const SEAT_MS = 15_000;
/** Longer than any connection's groups are remembered; said again once it is over. */
const LATELY_MS = 3_600_000;

export class Seats {
  readonly #options: SeatsOptions;
  #key: Promise<CryptoKey> | undefined;
  /** Promised to whoever negotiated, until when; forgotten by a crash, which is as good as free. */
  readonly #promised = new Map<string, { readonly until: number; readonly userId: string }>();
  /** Tokens that were used, until they would have lapsed anyway: nobody connects twice with one. */
  readonly #used = new Map<string, number>();

  constructor(options: SeatsOptions) {
    this.#options = options;
  }

  /**
   * Undefined where the relay is full: the next level may have room. A client of negotiate's version 0 knows one name
   * only, which is both: then nothing is kept `apart`.
   */
  async reserve(userId: string, apart = true, grant?: Grant): Promise<Seat | undefined> {
    const { home, now } = this.#options;
    if (this.isFull) return undefined;
    this.#checkUser(userId);
    const random = randomId();
    const lapsesAt = now() + SEAT_MS;
    this.#promised.set(random, { until: lapsesAt, userId });
    if (grant) this.#grant(random, { until: lapsesAt, grant });
    const at = lapsesAt.toString(36);
    const kind = apart ? "" : ALIKE;
    const proof = await this.#proof([random, at, kind, userId]);
    const token = connectionId(home, `${random}_${at}_${proof}${kind}`);
    return { id: apart ? connectionId(home, random) : token, token };
  }

  /** Outlives sleep, which is shorter than a seat is promised. Those whose clients never came are forgotten here. */
  #grant(random: string, granted: Granted): void {
    const { kv, now } = this.#options;
    for (const [key, { until }] of [...kv.list<Granted>({ prefix: GRANT })])
      if (until <= now()) kv.delete(key);
    kv.put(GRANT + random, granted);
  }

  get isFull(): boolean {
    const now = this.#options.now();
    for (const [id, { until }] of this.#promised) if (until <= now) this.#promised.delete(id);
    const isFull = this.#options.taken() + this.#promised.size >= this.#options.capacity;
    if (isFull && !this.wasFullLately) this.#options.kv.put("full-at", now);
    return isFull;
  }

  /** One user must not take all seats. Throws `too_many_connections`. */
  #checkUser(userId: string): void {
    let count = this.#options.takenBy(userId);
    for (const promised of this.#promised.values()) if (promised.userId === userId) count++;
    if (count < this.#options.perUser) return;
    const message = `A user has ${this.#options.perUser} connections here at most.`;
    throw new HubError("too_many_connections", message);
  }

  /** Whether clients may be on the next level that would have come here. */
  get wasFullLately(): boolean {
    const at = this.#options.kv.get<number>("full-at");
    return at !== undefined && this.#options.now() - at < LATELY_MS;
  }

  /** The id in a token of ours for this user; undefined for every other text. It may have lapsed. */
  async read(token: string, userId: string): Promise<ReadSeat | undefined> {
    const parts = partsOf(token);
    // Whoever asks a relay that never gave out a token shall not make it write one row.
    if (!parts || !this.#options.kv.get("seat-key")) return undefined;
    const { random, at, proof, kind } = parts;
    if (!sameText(proof, await this.#proof([random, at, kind, userId]))) return undefined;
    const id = kind === ALIKE ? token : connectionId(this.#options.home, random);
    const until = Number.parseInt(at, 36);
    const lapsed = until <= this.#options.now() || this.#used.has(random);
    return { id, until, lapsed };
  }

  /** The seat is taken, or was given up: the token is used. Gives what was granted to whoever negotiated. */
  take(token: string): Grant | undefined {
    const parts = partsOf(token);
    if (!parts) return undefined;
    const now = this.#options.now();
    for (const [id, lapsesAt] of this.#used) if (lapsesAt <= now) this.#used.delete(id);
    this.#promised.delete(parts.random);
    this.#used.set(parts.random, Number.parseInt(parts.at, 36));
    const { kv } = this.#options;
    const granted = kv.get<Granted>(GRANT + parts.random);
    if (granted) kv.delete(GRANT + parts.random);
    return granted?.grant;
  }

  async #proof(claims: readonly string[]): Promise<string> {
    const text = new TextEncoder().encode(JSON.stringify(claims));
    const mac = await crypto.subtle.sign("HMAC", await this.#secret(), text);
    return new Uint8Array(mac, 0, 16).toBase64({ alphabet: "base64url", omitPadding: true });
  }

  /** Made once for each relay; it never leaves the object. */
  #secret(): Promise<CryptoKey> {
    return (this.#key ??= importKey(this.#keyBytes()));
  }

  #keyBytes(): Uint8Array {
    const { kv } = this.#options;
    const known = kv.get<Uint8Array>("seat-key");
    if (known) return known;
    const made = crypto.getRandomValues(new Uint8Array(32));
    kv.put("seat-key", made);
    return made;
  }
}

/** Marks a token that is the connection's id as well. */
const ALIKE = "0";
const TOKEN = /^(?<random>[\w-]{22})_(?<at>[0-9a-z]{6,10})_(?<proof>[\w-]{22})(?<kind>0?)@relay:/;

const partsOf = (token: string) =>
  TOKEN.exec(token)?.groups as Record<"random" | "at" | "proof" | "kind", string> | undefined;

const importKey = (bytes: Uint8Array): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);

/** In a time that does not tell where the texts differ. */
function sameText(a: string, b: string): boolean {
  const [x, y] = [new TextEncoder().encode(a), new TextEncoder().encode(b)];
  return x.byteLength === y.byteLength && crypto.subtle.timingSafeEqual(x, y);
}
