// Presence of a room with its effects: announced users are saved in SQLite, and joins and leaves are published as
// presence messages in the room's log, several in one message. Promises:
//
//   · One join and one leave for each user (presence-state.ts). A leave is published at the end of the grace, to the
//     second.
//   · A client that is lost without a close is present until the liveness sweep finds it, and for the grace after that.
//   · After a crash users whose connections were lost leave when the grace is over: their rows are still stored.
//   · Presence messages that could not be saved are published again with the next change, in their order, so that each
//     join has its leave.
//   · Messages are rate-limited by the size of the room: many joins cost about a thousand frames a second in all.

import type { Sql } from "../../model/stored-values.ts";
import { HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { RoomSettings } from "../../model/options.ts";
import { exceeds } from "../../protocols/bytes.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import type { Timer } from "../platform/loop-timing.ts";
import {
  mergeChanges,
  OWN_SOCKETS,
  PresenceState,
  type AnnouncedUser,
  type ConnectionCount,
  type PresenceChange,
} from "./presence-state.ts";
import { PRESENCE, type Draft } from "../rpc/log-entry.ts";
import type { PresenceQuery, PresenceView, UserChanges } from "../rpc/presence-view.ts";

/** Whether a publication was saved; final after `flush`. */
interface Ticket {
  readonly error: HubError | null;
  readonly isFinal?: boolean;
}

interface PresenceAnnouncerOptions {
  readonly sql: Sql;
  readonly settings: RoomSettings;
  /** Milliseconds since 1970. */
  now(): number;
  /** Requests a call of `run` at this time or earlier. */
  arm(at: number): void;
  /** Numbers a publication in this room. */
  readonly publisher: { append(draft: Draft): Ticket };
  /** Its flush saves publications; their tickets are final then. */
  readonly outbox: { flush(): void };
  /** Called after joins and leaves were published, with all of them; only with `presence: "users"`. */
  changed(change: UserChanges): void;
  readonly timer?: Timer;
}

/** How the number of a user's connections at this object has changed. */
interface OwnChange {
  /** `left`: it has closed on purpose. */
  readonly how?: "set" | "left";
  /** Its trace context. */
  readonly trace?: string | undefined;
}

/** Milliseconds that each connection adds to the pause between two presence messages. */
const PAUSE_MS_PER_CONNECTION = 1;
/** The longest pause: the delay of a join in the largest room. */
const LONGEST_PAUSE_MS = 2_000;
/** Leaves are published at whole seconds, so that several share an alarm: each alarm costs a row. */
const LEAVE_STEP_MS = 1_000;

export class PresenceAnnouncer implements Duty {
  readonly #options: PresenceAnnouncerOptions;
  readonly #presence: PresenceState;
  #isPausing = false;
  /** Changes that were published since the last flush, or could not be saved. */
  #unsaved: { readonly change: PresenceChange; readonly ticket: Ticket }[] = [];

  constructor(options: PresenceAnnouncerOptions) {
    this.#options = options;
    const { sql, settings } = options;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS present (user TEXT PRIMARY KEY, since INTEGER, state TEXT) WITHOUT ROWID",
    );
    // Rows of an earlier deploy: without users they are not updated any more.
    if (settings.presence !== "users") sql.exec("DELETE FROM present");
    const users = sql.exec("SELECT user, since, state FROM present").toArray().map(userOfRow);
    this.#presence = new PresenceState(users, settings.graceSeconds * 1000, options.now());
  }

  /** Restores counts after a wake. Rooms that only have counts must not announce all users as joined then. */
  restore(counts: Iterable<ConnectionCount>): void {
    const now = this.#options.now();
    for (const count of counts) this.#presence.set(count, now);
    if (this.#options.settings.presence !== "users") this.#presence.takeChange(now);
    const { timer = setTimeout } = this.#options;
    const due = this.due();
    if (due !== undefined) this.#options.arm(due);
    // Announces joins that a crash has cut off. By a timer, because the object is not complete yet.
    if (this.#presence.hasImmediateChanges) timer(() => this.#countsChanged(), 0);
  }

  /**
   * Changes a user's count at this object: a connection has begun or ended, by a loss or on purpose (`left`). 0: it
   * ended while the object slept, and was not counted at this wake.
   */
  addOwn(userId: string, change: 1 | 0 | -1, { how = "set", trace }: OwnChange = {}): void {
    const count = this.#presence.count(OWN_SOCKETS, userId) + change;
    this[how]([OWN_SOCKETS, userId, count, trace]);
  }

  /** Sets a source's count of a user: absolute, so that a repeated report changes nothing. */
  set(count: ConnectionCount): void {
    this.#presence.set(count, this.#options.now());
    this.#countsChanged();
  }

  /** Like `set`, after a connection left on purpose: if it was the user's last one, the leave has no grace. */
  left(count: ConnectionCount): void {
    const [, userId] = count;
    this.#presence.set(count, this.#options.now());
    this.#presence.skipGrace(userId);
    this.#countsChanged();
  }

  /** Called when a follower has ended, with all its connections. */
  forget(source: string): void {
    this.#presence.forget(source, this.#options.now());
    this.#countsChanged();
  }

  /** Schedules announcements. A room without presence drops changes at once, because it publishes none. */
  #countsChanged(): void {
    if (this.#options.settings.presence === "none") return void this.#presence.takeChange(Infinity);
    const due = this.due();
    if (due !== undefined) this.#options.arm(due);
    if (this.#presence.hasImmediateChanges) this.#announceSoon();
  }

  /** Publishes changes at once, and then pauses in proportion to the number of recipients. */
  #announceSoon(): void {
    if (this.#isPausing) return;
    this.#isPausing = true;
    const pause = Math.min(this.#presence.connections * PAUSE_MS_PER_CONNECTION, LONGEST_PAUSE_MS);
    const { timer = setTimeout } = this.#options;
    timer(() => {
      this.#isPausing = false;
      if (this.#presence.hasImmediateChanges) this.#announceSoon();
    }, pause);
    this.#announceChange(this.#options.now());
  }

  #announceChange(now: number): void {
    const change = this.#presence.takeChange(now);
    if (change.joined.length + change.left.length === 0) return;
    const { presence } = this.#options.settings;
    if (presence === "users") this.#save(change);
    if (presence !== "none") this.#publishChange(this.#withUnsaved(change));
    if (presence === "users")
      this.#options.changed({ ...change, joined: change.joined.map(({ userId }) => userId) });
  }

  /** Writes rows, which are needed after a crash only: a join without its row is then announced twice. */
  #save({ joined, left }: PresenceChange): void {
    try {
      for (const user of joined) this.#write(user);
      for (const userId of left)
        this.#options.sql.exec("DELETE FROM present WHERE user = ?", userId);
    } catch (error) {
      logError("presence_unsaved", { error });
    }
  }

  #write({ userId, since, state }: AnnouncedUser): void {
    const row = [userId, since, JSON.stringify(state)];
    this.#options.sql.exec("INSERT OR REPLACE INTO present VALUES (?, ?, ?)", ...row);
  }

  /** Merges all earlier changes that could not be saved. */
  #withUnsaved(change: PresenceChange): PresenceChange {
    const failed = this.#unsaved.filter(({ ticket }) => ticket.error);
    this.#unsaved = this.#unsaved.filter(({ ticket }) => !ticket.error && !ticket.isFinal);
    return [...failed.map((one) => one.change), change].reduce(mergeChanges);
  }

  /** Publishes a page of names at most. Counts are always complete, and `more` is set if names are missing. */
  #publishChange(change: PresenceChange): void {
    const { joined, left } = change;
    const { users, connections } = this.#presence;
    const { presence, limits } = this.#options.settings;
    const names = {
      joined: joined.slice(0, limits.presencePage).map(({ userId, since }) => ({ userId, since })),
      left: left.slice(0, limits.presencePage),
      more: joined.length > limits.presencePage || left.length > limits.presencePage,
    };
    const ticket = this.#publish({ users, connections, ...(presence === "users" && names) });
    this.#unsaved.push({ change, ticket });
  }

  #publish(params: object): Ticket {
    return this.#options.publisher.append({ target: PRESENCE, params: JSON.stringify([params]) });
  }

  /**
   * Sets the state that a user shows, publishes and saves it; null clears it. Throws `forbidden` if the user is absent
   * or the room shows no users, `too_large` if the state is, and errors of the save.
   */
  track(userId: string, state: unknown): void {
    const { presence, limits } = this.#options.settings;
    if (presence !== "users") throw new HubError("forbidden", "This room does not show its users.");
    if (exceeds(JSON.stringify(state ?? null), limits.trackBytes))
      throw new HubError("too_large", `Large state: limits.trackBytes is ${limits.trackBytes}.`);
    if (this.#presence.hasImmediateChanges) this.#announceChange(this.#options.now());
    if (!this.#presence.isPresent(userId))
      throw new HubError("forbidden", "Only users in the room can show a state there.");
    const ticket = this.#publish({ tracked: [{ userId, state: state ?? null }] });
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

  get sources(): ReadonlySet<string> {
    return this.#presence.sources;
  }

  due(): number | undefined {
    const due = this.#presence.due;
    return due === undefined ? undefined : Math.ceil(due / LEAVE_STEP_MS) * LEAVE_STEP_MS;
  }

  run(now: number): void {
    if ((this.#presence.due ?? Infinity) <= now) this.#announceChange(now);
  }
}

const userOfRow = (row: Record<string, SqlStorageValue>): AnnouncedUser => ({
  userId: row["user"] as string,
  since: row["since"] as number,
  state: JSON.parse(row["state"] as string),
});
