// The memory that clients make an object hold, in bytes, counted where it is held: calls that wait or run, items nobody
// has read, frames that wait for a connection to open or a client to confirm them. A Durable Object has 128 MB; beyond
// its budget the newest request is refused with `busy`, the greediest connection is ended, and the object lives on.
//
//   · Three accounts nest: a connection's, its user's in this object, the object's. A refused request is counted in
//     none of them.
//   · Input is released by its owner (`take`, `release`), also after its connection has ended: a call may run on.
//   · Buffers (`buffer`, `unbuffer`) end with their connection.
//   · The first `SPARE_BYTES` of a connection's calls and answers are counted in it alone (`Connection.spareBytes`), as
//     a part of what a connection costs anyway: most calls are that small, and cost no account anything.
//   · Frames to clients (`addFrames`) have a count of their own, bounded by user; by object in greediest.ts, since a
//     room's frame is one text, however many connections wait for it.

import type { Limits } from "../../model/options.ts";
import { accountOf, type AccountUser } from "../../model/user.ts";

/** Of each connection, for calls that run or wait and answers that leave with the next flush. */
export const SPARE_BYTES = 2_048;

type HeldLimits = Pick<Limits, "heldByConnection" | "heldByUser" | "heldByObject">;

/** The object's account. */
export class HeldBytes {
  readonly #limits: HeldLimits;
  readonly #spent: () => void;
  readonly #users = new Map<string, UserBytes>();
  #held = 0;
  /** Bytes written to clients, or kept for them, since somebody set it to 0. */
  written = 0;

  /** `spent` is called for each request that is refused although its own connection and user have room. */
  constructor(limits: HeldLimits, spent = () => {}) {
    this.#limits = limits;
    this.#spent = spent;
  }

  get held(): number {
    return this.#held;
  }

  fits(bytes: number): boolean {
    if (this.#held + bytes <= this.#limits.heldByObject) return true;
    this.#spent();
    return false;
  }

  add(bytes: number): void {
    this.#held += bytes;
  }

  /** The account of a new connection. */
  of(user: AccountUser): ConnectionBytes {
    const name = accountOf(user);
    let account = this.#users.get(name);
    if (!account) {
      const forget = () => void this.#users.delete(name);
      const { heldByUser, heldByObject } = this.#limits;
      // Guests of one network are many people, who all get the room's frames.
      const frames = user.guestFrom === undefined ? heldByUser : heldByObject;
      account = new UserBytes(this, { input: heldByUser, frames }, forget);
      this.#users.set(name, account);
    }
    account.connections++;
    return new ConnectionBytes(account, this.#limits.heldByConnection);
  }
}

/** Of all connections of one user, or of one network's guests. It lasts while something is held: so must its bound. */
class UserBytes {
  readonly #object: HeldBytes;
  readonly #most: { readonly input: number; readonly frames: number };
  readonly #forget: () => void;
  #held = 0;
  #frames = 0;
  connections = 0;

  constructor(
    object: HeldBytes,
    most: { readonly input: number; readonly frames: number },
    forget: () => void,
  ) {
    this.#object = object;
    this.#most = most;
    this.#forget = forget;
  }

  fits(bytes: number): boolean {
    return this.#held + bytes <= this.#most.input && this.#object.fits(bytes);
  }

  fitsFrames(bytes: number): boolean {
    return this.#frames + bytes <= this.#most.frames;
  }

  addFrames(bytes: number): void {
    this.#frames += bytes;
    if (bytes > 0) this.#object.written += bytes;
  }

  add(bytes: number): void {
    this.#held += bytes;
    this.#object.add(bytes);
    if (this.connections === 0 && this.#held === 0) this.#forget();
  }

  leave(): void {
    this.connections--;
    this.add(0);
  }
}

export class ConnectionBytes {
  readonly #user: UserBytes;
  readonly #most: number;
  #held = 0;
  #buffered = 0;
  #frames = 0;
  #hasEnded = false;

  constructor(user: UserBytes, most: number) {
    this.#user = user;
    this.#most = most;
  }

  /** Input, and buffers. */
  get held(): number {
    return this.#held;
  }

  /** Frames that wait for the client. */
  get frames(): number {
    return this.#frames;
  }

  /** Whether so much more may be held. */
  fits(bytes: number): boolean {
    return this.#held + bytes <= this.#most && this.#user.fits(bytes);
  }

  /** False where it does not fit: nothing is counted then. */
  take(bytes: number): boolean {
    if (!this.fits(bytes)) return false;
    this.#add(bytes);
    return true;
  }

  release(bytes: number): void {
    this.#add(-bytes);
  }

  /** Counts what is held in any case, as after a wake; ask `fits` before. Nothing once the connection has ended. */
  buffer(bytes: number): void {
    if (this.#hasEnded) return;
    this.#buffered += bytes;
    this.#add(bytes);
  }

  unbuffer(bytes: number): void {
    this.buffer(-bytes);
  }

  /** Whether so many more bytes may wait for the client. */
  fitsFrames(bytes: number): boolean {
    return this.#user.fitsFrames(bytes);
  }

  /** Counts frames that wait for the client; less than 0: that it has now. */
  addFrames(bytes: number): void {
    if (this.#hasEnded) return;
    this.#frames += bytes;
    this.#user.addFrames(bytes);
  }

  #add(bytes: number): void {
    this.#held += bytes;
    this.#user.add(bytes);
  }

  /** The connection has ended, and its buffers with it. May be repeated. */
  end(): void {
    if (this.#hasEnded) return;
    this.unbuffer(this.#buffered);
    this.addFrames(-this.#frames);
    this.#hasEnded = true;
    this.#user.leave();
  }
}

/** Memory of a parsed value for each byte of its text: of JSON with small records. */
export const PARSED = 9;

const isFlat = (value: unknown): boolean =>
  typeof value !== "object" || value === null || value instanceof Uint8Array;

/** The memory of a value that came as so many bytes. Text and bytes take their size, and a little more. */
export const heldBy = (value: unknown, bytes: number): number =>
  isFlat(value) ? bytes : bytes * PARSED;

/** The same of a call's arguments. */
export const heldByAll = (values: readonly unknown[], bytes: number): number =>
  values.every(isFlat) ? bytes : bytes * PARSED;
