// The last report of an object to its hub's index, in the key `told`, and what was counted since: in the attachment of
// one of its sockets, which costs no row, or in that key where there is none. Both survive sleep. A crash or deploy
// ends sockets, and with them what was counted since the last report.
//
// A report with the users of the one before is only noted in the attachment. After a crash the key has an earlier
// report, but the same users.

import type { KeyValues } from "../../model/stored-values.ts";
import type { Position } from "../../model/topic.ts";
import type { Counts, KeptCounts, Occupancy, Report, RowCount } from "../rpc/activity-report.ts";

interface Stored extends Occupancy {
  /** Milliseconds since 1970; 0 where a report has failed since: the next wake or alarm sends one. */
  readonly at: number;
  readonly count?: RowCount;
  readonly saved?: Counts;
  /** A room's checkpoint (`SettledKeeper`). */
  readonly settled?: Position | undefined;
}

/** Where an object may keep counts without a row. */
export interface CountsKeeper {
  /** Those of last time, if they are still there. */
  readonly counts: KeptCounts | undefined;
  /** Replaces them. False where there is no room for them: none are kept then. */
  keep(counts: KeptCounts): boolean;
}

/** Where a room's checkpoint (room/checkpoint.ts) is saved together with its counts, in one row. */
export interface SettledKeeper {
  /** The last one that was saved here. */
  readonly settled: Position | undefined;
  /** Called when one will be saved soon, in this wake: counts are saved with it. */
  expectSettled(): void;
  /** Called when that may take long: counts that wait are saved. */
  cancelSettled(): void;
  /** False before the first report, when there is no row yet: nothing is saved. Throws what writing throws. */
  saveSettled(position: Position): boolean;
}

const KEY = "told";
/** Of an object that the index has never known. */
const UNKNOWN: Occupancy = { sockets: -1, connections: -1, users: -1 };

export class LastReport implements SettledKeeper {
  readonly #kv: Pick<KeyValues, "get" | "put">;
  readonly #keeper: CountsKeeper | undefined;
  #stored: Stored | undefined;
  /** A checkpoint will be saved. */
  #isExpected = false;
  /** Counts or a report wait for it. */
  #isHeld = false;

  constructor(kv: Pick<KeyValues, "get" | "put">, keeper?: CountsKeeper) {
    this.#kv = kv;
    this.#keeper = keeper;
    this.#stored = kv.get<Stored>(KEY);
    this.#adopt(keeper?.counts);
  }

  /** Takes over a report that was noted in an attachment alone. */
  #adopt(kept: KeptCounts | undefined): void {
    if (!kept || !this.#isRenewable || kept.after <= this.#stored!.at) return;
    this.#stored = { ...this.#stored!, at: kept.after, ...(kept.count && { count: kept.count }) };
  }

  /** Whether a later report may be noted in an attachment alone. */
  get #isRenewable(): boolean {
    const { at = 0, saved } = this.#stored ?? {};
    return at > 0 && saved === undefined;
  }

  /** Undefined where no report was ever sent. */
  get at(): number | undefined {
    return this.#stored?.at;
  }

  get count(): RowCount | undefined {
    return this.#stored?.count;
  }

  /** Counts since the last report. */
  get saved(): Counts | undefined {
    return this.since(this.#keeper?.counts)?.counts ?? this.#stored?.saved;
  }

  /** When the next report is due, where an earlier wake was to send it. */
  get dueAt(): number | undefined {
    return this.since(this.#keeper?.counts)?.dueAt;
  }

  /** Kept counts, unless a report was sent since: it has them. */
  since(kept: KeptCounts | undefined): KeptCounts | undefined {
    this.#adopt(kept);
    return kept?.after === this.#stored?.at ? kept : undefined;
  }

  /** Whether the index has the users of this object, and whether webhook events wait. */
  has({ sockets, connections, users, waiting }: Occupancy): boolean {
    const last = this.#stored;
    const areKnown = last?.connections === connections && last.users === users;
    return areKnown && last.sockets === sockets && !last.waiting === !waiting;
  }

  /** The index has the report. As `save` and `keep`, throws what writing throws. */
  sent(report: Report, at: number, count: RowCount | undefined): void {
    const { sockets, connections, users, waiting } = report;
    const rows = count && { count };
    const settled = this.#stored?.settled;
    const stored = { at, sockets, connections, users, waiting, settled, ...rows };
    const isRenewed = this.#isRenewable && this.has(report);
    const note = { after: at, ...rows };
    if (isRenewed && this.#keeper?.keep(note)) this.#stored = stored;
    else this.#putSoon(stored);
    // After the clock was set back, older counts must not seem newer.
    if ((this.#keeper?.counts?.after ?? 0) > at) this.#keeper!.keep(note);
  }

  /**
   * Counts since the last report, which there is. They go with a later one: nobody waits for them. False: in a row of
   * their own.
   */
  save(saved: Counts): boolean {
    if (this.attach(saved)) return true;
    this.#putSoon({ ...this.#stored!, saved });
    return this.#isExpected;
  }

  get settled(): Position | undefined {
    return this.#stored?.settled;
  }

  expectSettled(): void {
    this.#isExpected = true;
  }

  cancelSettled(): void {
    this.#isExpected = false;
    if (this.#isHeld) this.#put(this.#stored!);
  }

  saveSettled(settled: Position): boolean {
    this.#isExpected = false;
    if (!this.#stored) return false;
    this.#put({ ...this.#stored, settled });
    return true;
  }

  /**
   * The same beside a socket alone, until a report that is due. False where no socket has room for them, and after a
   * failure: newer counts would come into the row, and nothing would show which are newer.
   */
  attach(counts: Counts, dueAt?: number): boolean {
    const { at: after, count } = this.#stored!;
    if (after === 0) return false;
    const kept = { after, counts, ...(count && { count }), ...(dueAt !== undefined && { dueAt }) };
    return this.#keeper?.keep(kept) ?? false;
  }

  /** Counts of a report that failed: they go with the next attempt, be it in a later wake. */
  keep(saved: Counts): void {
    this.#put({ ...UNKNOWN, ...this.#stored, at: 0, saved });
  }

  /** With the checkpoint, if one is expected. */
  #putSoon(stored: Stored): void {
    if (!this.#isExpected) this.#put(stored);
    else [this.#stored, this.#isHeld] = [stored, true];
  }

  #put(stored: Stored): void {
    this.#stored = stored;
    this.#isHeld = false;
    this.#kv.put(KEY, stored);
  }

  /** The storage was deleted. */
  forget(): void {
    this.#stored = undefined;
    this.#isExpected = this.#isHeld = false;
  }
}
