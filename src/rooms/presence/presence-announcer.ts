// Presence with its effects: what must survive a crash is in SQLite, joins and leaves of one moment travel as one
// message, and a crowd that enters costs about a thousand frames a second, not a million.

import { HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { RoomSettings } from "../../model/options.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import type { Timer } from "../platform/loop-timing.ts";
import { OWN, PresenceState, type Announced, type Change } from "./presence-state.ts";
import { PRESENCE, type Draft } from "../rpc/log-entry.ts";
import type { PresenceQuery, PresenceView } from "../rpc/presence-view.ts";

/** Whether a publication was saved; final after `flush`. */
interface Ticket {
  readonly error: HubError | null;
}

export interface PresenceAnnouncerOptions {
  readonly sql: SqlStorage;
  readonly settings: RoomSettings;
  now(): number;
  arm(at: number): void;
  /** Numbers a publication in this room. */
  readonly publisher: { append(draft: Draft): Ticket };
  /** Its flush saves what was published; tickets are final then. */
  readonly outbox: { flush(): void };
  /** Called once joins and leaves are published. */
  changed(joined: readonly string[], left: readonly string[]): void;
  readonly timer?: Timer;
}

/** Milliseconds that each connection adds to the pause between two presence messages … */
const PAUSE_MS_PER_CONNECTION = 1;
/** … and the longest pause: how late a join may be said in the largest room. */
const LONGEST_PAUSE_MS = 2_000;
/** Leaves are said at whole seconds: alarms cost a row each. */
const LEAVE_STEP_MS = 1_000;

export class PresenceAnnouncer implements Duty {
  readonly #options: PresenceAnnouncerOptions;
  readonly #presence: PresenceState;
  #pausing = false;
  /** What was said last; where it could not be saved, it is said again with the next change. */
  #last: { readonly change: Change; readonly ticket: Ticket } | undefined;

  constructor(options: PresenceAnnouncerOptions) {
    this.#options = options;
    const { sql, settings } = options;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS present (user TEXT PRIMARY KEY, since INTEGER, state TEXT) WITHOUT ROWID",
    );
    const announced = sql.exec("SELECT user, since, state FROM present").toArray().map(announcedOf);
    this.#presence = new PresenceState(announced, settings.graceSeconds * 1000, options.now());
  }

  /** After a wake: who is connected, by source. Where nobody is named, nobody is said to have come, either. */
  restore(counts: Iterable<readonly [source: string, userId: string, connections: number]>): void {
    const now = this.#options.now();
    for (const [source, userId, connections] of counts)
      this.#presence.set(source, userId, connections, now);
    if (this.#options.settings.presence !== "users") this.#presence.settle(now);
    const { timer = setTimeout } = this.#options;
    const due = this.due();
    if (due !== undefined) this.#options.arm(due);
    // Later, because the object is still being put together: whoever a crash kept from being announced.
    if (this.#presence.changing) timer(() => this.#moved(), 0);
  }

  /** One of this object's own sockets came or went, by a loss or on purpose; with 0 it was not counted before. */
  own(userId: string, change: 1 | 0 | -1, how: "set" | "left" = "set"): void {
    this[how](OWN, userId, this.#presence.count(OWN, userId) + change);
  }

  ownCount(userId: string): number {
    return this.#presence.count(OWN, userId);
  }

  set(source: string, userId: string, count: number): void {
    this.#presence.set(source, userId, count, this.#options.now());
    this.#moved();
  }

  /** As `set`, where a connection left on purpose: if it was the user's last one, the leave has no grace. */
  left(source: string, userId: string, count: number): void {
    this.#presence.set(source, userId, count, this.#options.now());
    this.#presence.skipGrace(userId);
    this.#moved();
  }

  forget(source: string): void {
    this.#presence.forget(source, this.#options.now());
    this.#moved();
  }

  /** Where nothing is ever said, nothing waits to be said, either. */
  #moved(): void {
    if (this.#options.settings.presence === "none") return void this.#presence.settle(Infinity);
    const due = this.due();
    if (due !== undefined) this.#options.arm(due);
    if (this.#presence.changing) this.#soon();
  }

  /** At rest a join is said at once; then there is a pause, in proportion to how many would hear it. */
  #soon(): void {
    if (this.#pausing) return;
    this.#pausing = true;
    const pause = Math.min(this.#presence.connections * PAUSE_MS_PER_CONNECTION, LONGEST_PAUSE_MS);
    const { timer = setTimeout } = this.#options;
    timer(() => {
      this.#pausing = false;
      if (this.#presence.changing) this.#soon();
    }, pause);
    this.#settle(this.#options.now());
  }

  #settle(now: number): void {
    const change = this.#presence.settle(now);
    if (change.joined.length + change.left.length === 0) return;
    const { presence } = this.#options.settings;
    if (presence === "users") this.#save(change);
    if (presence !== "none") this.#announce(this.#withLost(change));
    if (presence === "users")
      this.#options.changed(
        change.joined.map((one) => one.userId),
        change.left,
      );
  }

  /** Rows only matter after a crash: a join without its row is said again then, which is better than none now. */
  #save({ joined, left }: Change): void {
    try {
      for (const one of joined) this.#write(one);
      for (const userId of left)
        this.#options.sql.exec("DELETE FROM present WHERE user = ?", userId);
    } catch (error) {
      logError("presence_unsaved", { error });
    }
  }

  #write({ userId, since, state }: Announced): void {
    const row = [userId, since, JSON.stringify(state)];
    this.#options.sql.exec("INSERT OR REPLACE INTO present VALUES (?, ?, ?)", ...row);
  }

  #withLost({ joined, left }: Change): Change {
    const lost = this.#last?.ticket.error ? this.#last.change : undefined;
    if (!lost) return { joined, left };
    return {
      joined: [...lost.joined.filter(({ userId }) => !left.includes(userId)), ...joined],
      left: [...lost.left.filter((id) => !joined.some(({ userId }) => userId === id)), ...left],
    };
  }

  /** At most a page of names; the counts are always whole, and `more` says that names are missing. */
  #announce(change: Change): void {
    const { joined, left } = change;
    const { users, connections } = this.#presence;
    const { presence, limits } = this.#options.settings;
    const names = {
      joined: joined.slice(0, limits.presencePage).map(({ userId, since }) => ({ userId, since })),
      left: left.slice(0, limits.presencePage),
      more: joined.length > limits.presencePage || left.length > limits.presencePage,
    };
    const ticket = this.#say({ users, connections, ...(presence === "users" && names) });
    this.#last = { change, ticket };
  }

  #say(params: object): Ticket {
    return this.#options.publisher.append({ target: PRESENCE, params: JSON.stringify([params]) });
  }

  /** Throws `forbidden` where the user is not here or users are not shown, `too_large` where the state is. */
  track(userId: string, state: unknown): void {
    const { presence, limits } = this.#options.settings;
    if (presence !== "users") throw new HubError("forbidden", "This room does not show its users.");
    const bytes = new TextEncoder().encode(JSON.stringify(state ?? null)).byteLength;
    if (bytes > limits.trackBytes)
      throw new HubError("too_large", `A state has ${limits.trackBytes} bytes at most.`);
    if (this.#presence.changing) this.#settle(this.#options.now());
    if (!this.#presence.isHere(userId))
      throw new HubError("forbidden", "Only who is in the room can show a state there.");
    const ticket = this.#say({ tracked: [{ userId, state: state ?? null }] });
    this.#options.outbox.flush();
    if (ticket.error) throw ticket.error;
    this.#write(this.#presence.track(userId, state ?? null));
  }

  view(query: PresenceQuery): PresenceView {
    const { presence, limits } = this.#options.settings;
    const page = presence === "users" ? limits.presencePage : 0;
    const view = this.#presence.view(query, page);
    return presence === "users" ? view : { ...view, more: false };
  }

  get users(): number {
    return this.#presence.users;
  }

  get connections(): number {
    return this.#presence.connections;
  }

  due(): number | undefined {
    const due = this.#presence.due;
    return due === undefined ? undefined : Math.ceil(due / LEAVE_STEP_MS) * LEAVE_STEP_MS;
  }

  run(now: number): void {
    if ((this.#presence.due ?? Infinity) <= now) this.#settle(now);
  }
}

const announcedOf = (row: Record<string, SqlStorageValue>): Announced => ({
  userId: row["user"] as string,
  since: row["since"] as number,
  state: JSON.parse(row["state"] as string),
});
