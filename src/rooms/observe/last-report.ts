// The last report of an object to its hub's index, and what was counted since, in the key `told`: both survive sleep.

import type { KeyValues } from "../../model/stored-values.ts";
import type { Occupancy, Report } from "../rpc/activity-report.ts";
import type { RowCount } from "./row-count.ts";

/** The part of a report that may be saved for a later one. */
export type Counts = Pick<Report, "wake" | "counted" | "before">;

interface Stored extends Occupancy {
  /** Milliseconds since 1970; 0 where a report has failed since: the next wake or alarm sends one. */
  readonly at: number;
  readonly count?: RowCount;
  readonly saved?: Counts;
}

const KEY = "told";
/** Of an object that the index has never known. */
const UNKNOWN: Occupancy = { sockets: -1, connections: -1, users: -1 };

export class LastReport {
  readonly #kv: Pick<KeyValues, "get" | "put">;
  #stored: Stored | undefined;

  constructor(kv: Pick<KeyValues, "get" | "put">) {
    this.#kv = kv;
    this.#stored = kv.get<Stored>(KEY);
  }

  /** Undefined where no report was ever sent. */
  get at(): number | undefined {
    return this.#stored?.at;
  }

  get count(): RowCount | undefined {
    return this.#stored?.count;
  }

  get saved(): Counts | undefined {
    return this.#stored?.saved;
  }

  /** Whether the index knows who is here. */
  has({ sockets, connections, users }: Occupancy): boolean {
    const last = this.#stored;
    return last?.sockets === sockets && last.connections === connections && last.users === users;
  }

  /** The index has the report. As `save` and `keep`, throws what writing throws. */
  sent({ sockets, connections, users }: Report, at: number, count: RowCount | undefined): void {
    this.#put({ at, sockets, connections, users, ...(count && { count }) });
  }

  /** Counts since the last report, which there is. They go with a later one: nobody waits for them. */
  save(saved: Counts): void {
    this.#put({ ...this.#stored!, saved });
  }

  /** Counts of a report that failed: they go with the next attempt, be it in a later wake. */
  keep(saved: Counts): void {
    this.#put({ ...UNKNOWN, ...this.#stored, at: 0, saved });
  }

  #put(stored: Stored): void {
    this.#stored = stored;
    this.#kv.put(KEY, stored);
  }

  /** The storage was deleted. */
  forget(): void {
    this.#stored = undefined;
  }
}
