// Presence of a room with its effects: announced users are saved in SQLite, and joins and leaves are published as
// presence messages in the room's log, several in one message. Promises:
//
//   · One join and one leave for each user (presence-state.ts). A leave is published at the end of the grace, to the
//     second.
//   · A client that is lost without a close is present until the liveness sweep finds it, and for the grace after that.
//   · After a crash users whose connections did not survive leave once the grace is over: their rows name them.
//   · Presence messages that could not be saved are published again with the next change, in their order, so that joins
//     and leaves pair up.
//   · Messages are rate-limited by the size of the room: many joins cost about a thousand frames a second in all.

import type { Sql } from "../../model/stored-values.ts";
import { HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { RoomSettings } from "../../model/options.ts";
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
  /** Its flush saves what was published; tickets are final then. */
  readonly outbox: { flush(): void };
  /** Called after joins and leaves were published, with all of them; not where users are not shown. */
  changed(change: UserChanges): void;
  readonly timer?: Timer;
}

/** How a socket of this object has changed the number of its user's connections. */
interface OwnChange {
  /** `left`: it has closed on purpose. */
  readonly how?: "set" | "left";
  /** Its trace context. */
  readonly trace?: string | undefined;
}

/** Milliseconds that each connection adds to the pause between two presence messages … */
const PAUSE_MS_PER_CONNECTION = 1;
/** … and the longest pause: the delay of a join in the largest room. */
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
    // Of an earlier deploy: rows of users who are not shown are not kept up.
    if (settings.presence !== "users") sql.exec("DELETE FROM present");
    const users = sql.exec("SELECT user, since, state FROM present").toArray().map(userOfRow);
    this.#presence = new PresenceState(users, settings.graceSeconds * 1000, options.now());
  }

  /** After a wake: the connections of each user, by source. Rooms that show counts only announce nobody for a wake. */
  restore(counts: Iterable<ConnectionCount>): void {
    const now = this.#options.now();
    for (const count of counts) this.#presence.set(count, now);
    if (this.#options.settings.presence !== "users") this.#presence.takeChange(now);
    const { timer = setTimeout } = this.#options;
    const due = this.due();
    if (due !== undefined) this.#options.arm(due);
    // Joins that a crash kept from being announced. Later, because the object is not complete yet.
    if (this.#presence.hasImmediateChanges) timer(() => this.#countsChanged(), 0);
  }

  /**
   * A socket of this object has opened or closed, by a loss or on purpose (`left`). 0: it closed asleep, and was not
   * counted in this wake.
   */
  addOwn(userId: string, change: 1 | 0 | -1, { how = "set", trace }: OwnChange = {}): void {
    const count = this.#presence.count(OWN_SOCKETS, userId) + change;
    this[how]([OWN_SOCKETS, userId, count, trace]);
  }

  /** A follower reports its connections of a user: absolute, so that a repeated report changes nothing. */
  set(count: ConnectionCount): void {
    this.#presence.set(count, this.#options.now());
    this.#countsChanged();
  }

  /** As `set`, where a connection left on purpose: if it was the user's last one, the leave has no grace. */
  left(count: ConnectionCount): void {
    const [, userId] = count;
    this.#presence.set(count, this.#options.now());
    this.#presence.skipGrace(userId);
    this.#countsChanged();
  }

  /** A follower has ended, with all its connections. */
  forget(source: string): void {
    this.#presence.forget(source, this.#options.now());
    this.#countsChanged();
  }

  /** A room without presence takes its changes at once: none of them is ever published. */
  #countsChanged(): void {
    if (this.#options.settings.presence === "none") return void this.#presence.takeChange(Infinity);
    const due = this.due();
    if (due !== undefined) this.#options.arm(due);
    if (this.#presence.hasImmediateChanges) this.#announceSoon();
  }

  /** At rest a join is published at once; then there is a pause, in proportion to the number of its recipients. */
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

  /** Rows matter after a crash alone: a join without its row is announced twice then, which is better than never. */
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

  /** Adds all changes that could not be saved. */
  #withUnsaved(change: PresenceChange): PresenceChange {
    const failed = this.#unsaved.filter(({ ticket }) => ticket.error);
    this.#unsaved = this.#unsaved.filter(({ ticket }) => !ticket.error && !ticket.isFinal);
    return [...failed.map((one) => one.change), change].reduce(mergeChanges);
  }

  /** Names at most a page of users; the counts are always complete, and `more` is set where names are missing. */
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
   * Sets the state that a user shows, and publishes it; null clears it. Saved when this returns. Throws `forbidden`
   * where the user is absent or the room shows no users, `too_large` where the state is, and what saving throws.
   */
  track(userId: string, state: unknown): void {
    const { presence, limits } = this.#options.settings;
    if (presence !== "users") throw new HubError("forbidden", "This room does not show its users.");
    const bytes = new TextEncoder().encode(JSON.stringify(state ?? null)).byteLength;
    if (bytes > limits.trackBytes)
      throw new HubError("too_large", `A state has ${limits.trackBytes} bytes at most.`);
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
