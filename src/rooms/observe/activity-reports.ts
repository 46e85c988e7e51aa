// When an object tells its hub's index how things are here. It tells soon after it began to do something, each minute
// while it goes on, and once more when it rests, before it sleeps and forgets. Who does nothing tells nothing.

import { logWarning } from "../../model/logger.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import { NOTHING, since, type Counters } from "./counters.ts";
import type { Counted, Crowd, Report } from "../rpc/activity-report.ts";

export interface ReportsOptions {
  readonly kv: SyncKvStorage;
  readonly counters: Counters;
  readonly wake: string;
  counted(): Counted;
  crowd(): Crowd;
  tell(report: Report): Promise<void>;
  /** The index knows; `news` is what was counted since it was told before. */
  told(report: Report, news: Counted): void;
  arm(at: number): void;
  now(): number;
  waitUntil(work: Promise<unknown>): void;
}

/** After the first that happens in a wake: lists are fresh, and what comes in a burst is told at once. */
const SOON_MS = 2_000;
/** Between two looks whether it goes on: less than the ten seconds after which a quiet object sleeps. */
const LOOK_MS = 8_000;
const EVERY_MS = 60_000;
/** Who only has connections says so now and then, when the sweep wakes it anyway: the index forgets in a day. */
const HEARTBEAT_MS = 3_600_000;

/** What was told last; survives sleep. */
interface Told extends Crowd {
  readonly at: number;
}

export class ActivityReports implements Duty {
  readonly #options: ReportsOptions;
  #told: Told | undefined;
  /** When to look next; undefined: nothing has happened. */
  #lookAt: number | undefined;
  /** When this wake told last. */
  #toldAt: number | undefined;
  /** What had happened at the last look. */
  #seen = 0;
  #counted = NOTHING;

  constructor(options: ReportsOptions) {
    this.#options = options;
    this.#told = options.kv.get<Told>("told");
  }

  /** Something happens here. Costs next to nothing, as long as a look is due. */
  active(): void {
    if (this.#lookAt !== undefined) return;
    const delay = this.#toldAt === undefined ? SOON_MS : LOOK_MS;
    this.#lookAt = this.#options.now() + delay;
    this.#options.arm(this.#lookAt);
  }

  due(): number | undefined {
    return this.#lookAt;
  }

  run(now: number): void {
    if (this.#lookAt === undefined ? this.#isNews(now) : this.#lookAt <= now) this.#look(now);
  }

  /** What a sleep or a crash kept from being told. */
  #isNews(now: number): boolean {
    const told = this.#told;
    const { sockets, connections, users } = this.#options.crowd();
    if (!told) return connections > 0 || sockets > 0;
    const isAlike =
      told.sockets === sockets && told.connections === connections && told.users === users;
    return !isAlike || (sockets > 0 && now - told.at >= HEARTBEAT_MS);
  }

  #look(now: number): void {
    const { counters } = this.#options;
    const happened = counters.in + counters.out;
    const rests = happened === this.#seen;
    this.#seen = happened;
    this.#lookAt = undefined;
    if (rests || this.#toldAt === undefined || now - this.#toldAt >= EVERY_MS) this.#tell(now);
    else this.#lookAt = now + LOOK_MS;
  }

  /** Not waited for: an index that hangs must not keep the alarm from what is due next. */
  #tell(now: number): void {
    const { crowd, counted, wake, waitUntil } = this.#options;
    this.#toldAt = now;
    const report = { ...crowd(), wake, counted: counted(), before: this.#counted };
    waitUntil(this.#send(report, now));
  }

  async #send(report: Report, at: number): Promise<void> {
    const { sockets, connections, users, counted } = report;
    try {
      await this.#options.tell(report);
      this.#told = { at, sockets, connections, users };
      this.#options.kv.put("told", this.#told);
      this.#options.told(report, since(counted, this.#counted));
      this.#counted = counted;
    } catch (error) {
      logWarning("report_failed", { error });
      this.#lookAt ??= at + EVERY_MS;
      this.#options.arm(this.#lookAt);
    }
  }
}
