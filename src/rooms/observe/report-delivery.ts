// The way of an object's report to its hub's index. A report is sent at least once: one that fails is sent again in a
// minute, with newer counters. Counters are absolute within a wake, so the index counts a repeated report once. A crash
// loses what was counted since the last report.

import { logWarning } from "../../model/logger.ts";
import type { ObjectStorage } from "../platform/object-storage.ts";
import type {
  CounterSnapshot,
  Occupancy,
  Report,
  RowCount,
  Stored,
} from "../rpc/activity-report.ts";
import type { LastReport } from "./last-report.ts";
import { rowCount } from "./row-count.ts";
import type { WakeCounts } from "./wake-counts.ts";

export interface ReportDeliveryOptions {
  readonly storage: Pick<ObjectStorage, "kv" | "isEmpty" | "bytes" | "countRows">;
  readonly last: LastReport;
  readonly counts: WakeCounts;
  snapshot(): CounterSnapshot;
  occupancy(): Occupancy;
  /** Of the room's state, where it has one. */
  stateBytes?: (() => number | undefined) | undefined;
  report(report: Report): Promise<void>;
  /** The index has the report; `increase` is what was counted since the one before. */
  reported(report: Report, increase: CounterSnapshot): void;
  /** The index does not have it: the next one is not to be sent before `retryAt`. */
  failed(): void;
  waitUntil(work: Promise<unknown>): void;
}

/** Between two reports of an active object, and before a report that failed is sent again. */
export const EVERY_MS = 60_000;

export class ReportDelivery {
  readonly #options: ReportDeliveryOptions;
  /** As this wake counted them. */
  #rows: RowCount | undefined;
  /** When this wake sent its last report. */
  startedAt: number | undefined;
  /** After a failure, milliseconds since 1970. */
  retryAt = 0;
  /** Reports on their way: the next one does not wait for one that takes long. */
  #sending = 0;
  /** Resolves when the newest report was sent, or has failed. Never rejects. */
  sent: Promise<unknown> = Promise.resolve();

  constructor(options: ReportDeliveryOptions) {
    this.#options = options;
  }

  /** Not awaited: an index that does not answer must not hold up the other duties of the alarm. */
  start(now: number): void {
    const { counts, occupancy, waitUntil } = this.#options;
    this.startedAt = now;
    const report = { ...occupancy(), ...counts.take(), stored: this.#stored(now) };
    this.sent = this.#send(report, now).catch(logFailure);
    waitUntil(this.sent);
  }

  #stored(now: number): Stored {
    const { last, stateBytes, storage } = this.#options;
    const state = stateBytes?.();
    const { bytes } = storage;
    const file = { bytes, now, last: this.#rows ?? last.count };
    const { rows } = (this.#rows = rowCount(storage, file));
    return { bytes, rows, ...(state !== undefined && { state }) };
  }

  async #send(report: Report, at: number): Promise<void> {
    const { counts, failed, last, reported } = this.#options;
    this.#sending++;
    try {
      await this.#options.report(report);
      last.sent(report, at, this.#rows);
      reported(report, counts.confirm(report.counted));
    } catch (error) {
      logFailure(error);
      this.retryAt = at + EVERY_MS;
      failed();
    } finally {
      this.#sending--;
    }
  }

  get isSending(): boolean {
    return this.#sending > 0;
  }

  /** Removes the object from the index. May be repeated. */
  async end(): Promise<void> {
    const { counts, last, occupancy, report } = this.#options;
    if (last.at === undefined) return;
    await report({ ...occupancy(), ...counts.final, ended: true });
  }

  /** The storage was deleted. */
  forget(): void {
    this.#rows = undefined;
  }
}

export const logFailure = (error: unknown): void => logWarning("report_failed", { error });
