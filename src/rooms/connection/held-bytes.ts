// The memory that clients make an object hold, in bytes: calls that wait or run, unread items, frames that wait for a
// connection to open or a client to confirm them. A Durable Object has 128 MB; beyond the object's budget the newest
// request is refused with `busy`, the connection that holds most is ended, and the object continues.
//
//   · Three accounts nest: a connection's, its user's in this object, the object's. A refused request is counted in
//     none of them.
//   · Input is released by its owner (`take`, `release`), also after its connection has ended: a call may run on.
//   · Buffers (`buffer`, `unbuffer`) end with their connection.
//   · The first `SPARE_BYTES` of a connection's calls and answers are counted in the connection only
//     (`Connection.spareBytes`): most calls are that small, and need no account.
//   · Frames to clients (`addFrames`) have a separate count, bounded by user; by object in greediest.ts, because a
//     room's frame is one text, however many connections wait for it.

import type { Limits } from "../../model/options.ts";
import { accountOf, type AccountUser } from "../../model/user.ts";

/** Uncounted memory of each connection, for calls that run or wait and answers that wait for the next flush. */
export const SPARE_BYTES = 2_048;

type HeldLimits = Pick<Limits, "heldByConnection" | "heldByUser" | "heldByObject">;

/** The object's account. */
export class HeldBytes {
  readonly #limits: HeldLimits;
  readonly #spent: () => void;
  readonly #users = new Map<string, UserBytes>();
  #held = 0;
  /** Bytes written to clients, or kept for them, since the last check, which sets it to 0. */
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
      // The guests of a network are many people, who all get the frames of a room.
      const frames = user.guestFrom === undefined ? heldByUser : heldByObject;
      account = new UserBytes(this, { input: heldByUser, frames }, forget);
      this.#users.set(name, account);
    }
    account.connections++;
    return new ConnectionBytes(account, this.#limits.heldByConnection);
  }
}

/** The account of one user, or of one network's guests. It exists as long as it holds something, to keep its bound. */
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

  /** Bytes of input and buffers. */
  get held(): number {
    return this.#held;
  }

  /** Bytes of frames that wait for the client. */
  get frames(): number {
    return this.#frames;
  }

  /** Whether so many more bytes may be held. */
  fits(bytes: number): boolean {
    return this.#held + bytes <= this.#most && this.#user.fits(bytes);
  }

  /** Counts input. False if it does not fit: nothing is counted then. */
  take(bytes: number): boolean {
    if (!this.fits(bytes)) return false;
    this.#add(bytes);
    return true;
  }

  release(bytes: number): void {
    this.#add(-bytes);
  }

  /** Counts a buffer without a check: call `fits` before. Does nothing once the connection has ended. */
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

  /** Counts frames that wait for the client; a negative number for frames that no longer do. */
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

/** Memory of a parsed value for each byte of its text, measured with JSON of small records. */
const PARSED = 9;
/**
 * Memory of an array or plain object alone, and of bytes, a time or a map, measured. In MessagePack an empty array is
 * one byte, and empty bytes are two.
 */
const [PLAIN, SPECIAL] = [64, 208];

const isFlat = (value: unknown): boolean =>
  typeof value !== "object" || value === null || value instanceof Uint8Array;

function memoryOfObjects(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  if (value instanceof Uint8Array || value instanceof Date) return SPECIAL;
  const isMap = value instanceof Map;
  let memory = isMap ? SPECIAL : PLAIN;
  for (const member of isMap ? value.values() : Object.values(value))
    memory += memoryOfObjects(member);
  return memory;
}

const heldWith = (objects: number, bytes: number): number =>
  Math.max(bytes * PARSED, bytes + objects);

/** The memory of a value whose encoding had so many bytes. Text and bytes take about their size. */
export const heldBy = (value: unknown, bytes: number): number =>
  isFlat(value) ? bytes : heldWith(memoryOfObjects(value), bytes);

/** The same of a call's arguments. */
export const heldByAll = (values: readonly unknown[], bytes: number): number =>
  values.every(isFlat)
    ? bytes
    : heldWith(
        values.reduce<number>((sum, value) => sum + memoryOfObjects(value), 0),
        bytes,
      );
