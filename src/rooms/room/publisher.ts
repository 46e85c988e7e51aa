// The one publish path of a room: number, save, deliver. A publication waits here for the next flush, in which it is
// written to the log first and sent after. One that cannot be saved is not sent, and its publisher gets an error.
//
//   · Publications are numbered in the order of `publish`, and delivered in the order of their numbers.
//   · A publication with an `id` may be repeated: as long as the log remembers the id, it keeps its first offset.
//   · Offsets of publications that could not be saved are used again for the next ones.

import { HubError, serverError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { formatTopic, type Position, type Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import { checkDraft, type Outbox } from "../delivery/outbox.ts";
import type { Ticket } from "../delivery/fan-out.ts";
import type { RoomLog } from "../log/room-log.ts";
import type { ActivityCounter, Publishing } from "../object/host.ts";
import type { WebhookEvents } from "../observe/webhook-events.ts";
import type { MessageRate } from "../platform/rates.ts";
import { faultOf, type Fault } from "../rpc/fault.ts";
import {
  OWN_TARGET,
  PRESENCE,
  publicEntry,
  type Draft,
  type Entry,
  type StateEntry,
} from "../rpc/log-entry.ts";
import type { Followers } from "./followers.ts";

interface PublisherOptions {
  readonly topic: Topic;
  readonly log: RoomLog;
  readonly outbox: Pick<Outbox, "publish" | "saver">;
  /** The room's own sockets. */
  readonly members: ReadonlySet<Connection>;
  /** Objects that hold further members. */
  readonly followers: Pick<Followers, "links" | "publish">;
  readonly webhooks?: Pick<WebhookEvents, "published"> | undefined;
  readonly rate: Pick<MessageRate, "add">;
  readonly activity: Pick<ActivityCounter, "isDue" | "note">;
  /** Rooms of other objects. */
  elsewhere(): Publishing;
  /** Bytes of a message. */
  readonly publishBytes: number;
  now?(): number;
}

/** The room's state, whose entry is filled and saved with the others of a flush. */
interface StatefulRoom {
  /** Called before a flush. If the opened state differs from the stored one, the flush has an entry for that. */
  open(): void;
  /** Fills the reserved entry. Throws what the hub's `view` throws: the flush is not saved then. */
  seal(): void;
  /** Called after the flush, of which all entries were saved, or none. */
  saved(isSaved: boolean): void;
}

/** Whether the entry is a message or a change of the room's state, and not presence. */
const isChange = ({ target }: Entry): boolean => target !== PRESENCE;

/** A ticket with the offset of the publication; for a repeated `id`, that of the first one. */
interface NumberedTicket extends Ticket {
  readonly offset: number;
}

interface PendingPublication {
  readonly entry: Entry;
  readonly ticket: NumberedTicket;
}

export class Publisher implements Publishing {
  readonly #options: PublisherOptions;
  /** The topic as text. */
  readonly #room: string;
  readonly #now: () => number;
  #pending: PendingPublication[] = [];
  #pendingIds = new Map<string, NumberedTicket>();
  #whenSaved: (() => void)[] = [];
  /** Absent if the room has no state. */
  state: StatefulRoom | undefined;

  /** Becomes the outbox's saver. */
  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#room = formatTopic(options.topic);
    this.#now = options.now ?? (() => Date.now());
    options.outbox.saver = this;
  }

  publish(topic: Topic, draft: Draft, caller?: Connection): Ticket | Promise<Position> {
    if (!this.#isHere(topic)) return this.#options.elsewhere().publish(topic, draft, caller);
    return this.append(draft);
  }

  async publishAndSave(topic: Topic, draft: Draft, caller?: Connection): Promise<Position> {
    if (!this.#isHere(topic)) return this.#options.elsewhere().publishAndSave(topic, draft, caller);
    checkDraft(draft, this.#options.publishBytes);
    return this.appendAndSave(draft);
  }

  /** Topics are canonical: equal names are equal texts. */
  #isHere({ kind, name }: Topic): boolean {
    return kind === this.#options.topic.kind && name === this.#options.topic.name;
  }

  /** Numbers the draft in this room; one that was published under its id before is not published again. */
  append(draft: Draft, at = this.#now()): NumberedTicket {
    const known = draft.id === undefined ? undefined : this.#ticketOf(draft.id);
    if (known) return known;
    return draft.ifAt ? this.#numberIf(draft, at) : this.reserve(draft, at).ticket;
  }

  #numberIf({ ifAt, ...draft }: Draft, at: number): NumberedTicket {
    if (this.stands(ifAt!)) return this.reserve(draft, at).ticket;
    const error = new HubError("conflict", "The room is at another position.");
    return { error, offset: this.newest.offset };
  }

  #ticketOf(id: string): NumberedTicket | undefined {
    const offset = this.#options.log.find(id, this.#now());
    return offset === undefined ? this.#pendingIds.get(id) : { error: null, offset, isFinal: true };
  }

  /** Numbers an entry with the time `at`. The caller may change the entry until it is saved. */
  reserve(
    draft: Draft,
    at: number,
  ): { readonly entry: StateEntry; readonly ticket: NumberedTicket } {
    const { members, outbox } = this.#options;
    const { epoch, offset: newest } = this.newest;
    const offset = newest + 1;
    const entry = { ...draft, offset, at };
    const ticket: NumberedTicket = { error: null, offset };
    this.#pending.push({ entry, ticket });
    if (draft.id !== undefined) this.#pendingIds.set(draft.id, ticket);
    outbox.publish({ room: this.#room, epoch, entry, audience: members, ticket });
    return { entry, ticket };
  }

  /** The newest entry, saved or not. */
  get newest(): Position {
    const { epoch, offset } = this.#options.log.position;
    return { epoch, offset: this.#pending.at(-1)?.entry.offset ?? offset };
  }

  /** Whether the room has neither messages nor changes of its state after the position. */
  stands(at: Position): boolean {
    const { log } = this.#options;
    if (this.#pending.some(({ entry }) => entry.offset > at.offset && isChange(entry)))
      return false;
    const after = log.since(at, this.#now(), Infinity, isChange);
    return after.recovered && !after.entries.some(isChange);
  }

  /** Resolves once it is saved. Messages that leave the object afterwards wait for the durable write (output gate). */
  async appendAndSave(draft: Draft): Promise<Position> {
    const ticket = this.append(draft);
    await this.untilSaved();
    if (ticket.error) throw ticket.error;
    return { epoch: this.#options.log.position.epoch, offset: ticket.offset };
  }

  /** Appends drafts in their order, as one batch; returns the position of each, or the error. */
  async appendAllAndSave(drafts: readonly Draft[]): Promise<(Position | Fault)[]> {
    const tickets = drafts.map((draft) => this.append(draft));
    await this.untilSaved();
    const { epoch } = this.#options.log.position;
    return tickets.map(({ error, offset }) => (error ? faultOf(error) : { epoch, offset }));
  }

  /** Resolves when all publications numbered so far were saved or have failed: their tickets are final. */
  untilSaved(): Promise<void> {
    if (this.#pending.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenSaved.push(resolve));
  }

  /** Called by the outbox, before it sends. `isAtOnce`: writes at once also with `durability: "behind"`. */
  save(isAtOnce = false): void {
    if (this.#pending.length === 0) return;
    this.state?.open();
    const pending = this.#pending;
    [this.#pending, this.#pendingIds] = [[], new Map()];
    const entries = pending.map(({ entry }) => entry);
    const isSaved = this.#write(entries, isAtOnce);
    this.state?.saved(isSaved);
    for (const { ticket } of pending) {
      ticket.isFinal = true;
      if (!isSaved) ticket.error = serverError("internal", "The message could not be saved.");
    }
    for (const resolve of this.#whenSaved.splice(0)) resolve();
    if (isSaved) this.#deliver(entries);
  }

  #write(entries: readonly Entry[], isAtOnce: boolean): boolean {
    try {
      this.state?.seal();
      this.#options.log.append(entries, isAtOnce);
      return true;
    } catch (error) {
      logError("log_unwritten", { room: this.#room, error });
      return false;
    }
  }

  /** Passes saved entries to webhooks and followers. The outbox sends them to the room's own sockets. */
  #deliver(entries: readonly Entry[]): void {
    const { activity, followers, log, rate, webhooks } = this.#options;
    const messages = entries.filter(({ target }) => !target.startsWith(OWN_TARGET));
    webhooks?.published(this.#room, log.position.epoch, messages);
    if (followers.links.size > 0)
      followers.publish(this.state ? entries.map(publicEntry) : entries);
    if (messages.length > 0) rate.add(messages.length, this.#now());
    if (!activity.isDue) activity.note();
  }
}
