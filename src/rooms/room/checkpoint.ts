// The checkpoint of a room: the saved offset up to which all followers have confirmed the log. A wake sends later
// entries again. Until they are saved an alarm is set, which also sends batches that a crash cut off.
//
//   · A rare publication is saved once all followers have confirmed it. Its alarm is far off, and goes with others: a
//     publisher whose call a crash has ended wakes the room (rpc/retry-once.ts), which then sends what is missing.
//   · Publications in short succession share an alarm, 5 s after the first.
//   · A busy room puts it off while the log surely keeps what a wake would send again.
//   · Without a log, a mark is saved before the first entry leaves: after a crash the followers are reset.

import type { History, RoomSettings } from "../../model/options.ts";
import type { Position } from "../../model/topic.ts";
import type { Entry } from "../rpc/log-entry.ts";
import type { FollowerRows } from "./follower-rows.ts";

/** Delay from a publication to the checkpoint, if publications are frequent. */
const SOON_MS = 5_000;
/** The same for a rare one: the alarm finds a crash that no publisher has noticed. */
const LATE_MS = 20 * 60_000;
/** A checkpoint so soon after a publication would be outdated at once, and is put off. */
const BUSY_MS = 1_500;

type CheckpointRows = Pick<FollowerRows, "expectSettled" | "settle" | "unsettle">;

export interface CheckpointOptions {
  /** How long entries are kept: a log in memory cannot send batches again. */
  readonly durability: RoomSettings["durability"];
  /** How much the log certainly keeps: a wake may have to send entries again. */
  readonly history: History;
  now(): number;
  /** Requests a call of `run` at this time or earlier. */
  arm(at: number): void;
}

export class Checkpoint {
  readonly #options: CheckpointOptions;
  readonly #rows: CheckpointRows;
  #at: number | undefined;
  /**
   * Entries are unsettled, and wait for the near alarm: of further ones only number and time are noted, without a call
   * (docs/design/performance.md#pe11).
   */
  isSoon = false;
  /** When the last entries were published, milliseconds since 1970. */
  publishedAt = 0;
  /** Number of entries published since the last saved checkpoint; `Infinity` after a crash, when it is not known. */
  unsettled = 0;
  /** When the first entry of `unsettled` was published. */
  #unsettledSince = 0;
  /** All unsettled entries are of one rare publication: they are saved once they are confirmed. */
  isPrompt = false;

  constructor(options: CheckpointOptions, rows: CheckpointRows) {
    this.#options = options;
    this.#rows = rows;
  }

  /** When the alarm is due; undefined if all is saved. */
  get at(): number | undefined {
    return this.#at;
  }

  /** Whether a publication now would be a rare one. */
  get isRare(): boolean {
    const { durability, now } = this.#options;
    return durability === "logged" && this.unsettled === 0 && now() - this.publishedAt >= SOON_MS;
  }

  /** Called at a wake that finds entries which some follower has not confirmed. */
  begin(): void {
    this.unsettled = Infinity;
    this.schedule(0);
  }

  /** Called before the first of the entries leaves. */
  published(entries: readonly Entry[]): void {
    const isFirst = this.unsettled === 0;
    this.isPrompt = this.isRare;
    // If the object crashes from here on, its followers are reset.
    if (isFirst && this.#options.durability === "none") this.#rows.unsettle();
    if (isFirst) this.#rows.expectSettled();
    this.publishedAt = entries.at(-1)!.at;
    if (isFirst) this.#unsettledSince = this.publishedAt;
    this.unsettled += entries.length;
    this.isSoon = !this.isPrompt;
    this.schedule(this.isPrompt ? LATE_MS : SOON_MS);
  }

  schedule(delayMs = SOON_MS): void {
    const at = this.#options.now() + delayMs;
    if ((this.#at ?? Infinity) <= at) return;
    this.#at = at;
    this.#options.arm(at);
  }

  /** Whether it is due now. A busy room puts it off. */
  isDue(now: number): boolean {
    if (this.#at === undefined || this.#at > now) return false;
    const { size, ttlSeconds } = this.#options.history;
    const isBusy = now - this.publishedAt < BUSY_MS;
    const isSure = now - this.#unsettledSince < ttlSeconds * 250 && this.unsettled <= size / 4;
    if (!isBusy || !isSure) return true;
    this.again();
    return false;
  }

  /** Schedules the next one, in place of the one that is due. */
  again(): void {
    this.#at = undefined;
    this.schedule();
  }

  /**
   * Saves it: every follower has confirmed all entries up to this position. Throws what writing throws; the alarm tries
   * again then.
   */
  save({ epoch, offset }: Position): void {
    try {
      this.#rows.settle(offset, epoch);
    } catch (error) {
      this.isPrompt = false;
      this.again();
      throw error;
    }
    this.#at = undefined;
    this.isPrompt = this.isSoon = false;
    this.unsettled = 0;
  }
}
