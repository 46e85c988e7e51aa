// The one publish path: number, save, deliver. Everything said in a room waits here for the next flush, in which it
// is written to the log first and sent after; what cannot be saved is not sent, and its callers hear of it.

import { HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { Position } from "../../model/position.ts";
import type { Connection } from "../connection/connection.ts";
import type { RoomLog } from "../log/sqlite-log.ts";
import type { Outbox } from "../delivery/outbox.ts";
import type { Fault } from "../rpc/fault.ts";
import type { Draft, Entry } from "../rpc/log-entry.ts";
import type { Ticket } from "../delivery/fan-out.ts";

export interface PublisherOptions {
  /** The topic of the room, as text. */
  readonly room: string;
  readonly log: RoomLog;
  readonly outbox: Outbox;
  /** The room's own sockets. */
  readonly own: ReadonlySet<Connection>;
  now(): number;
  /** After entries were saved. */
  saved(entries: readonly Entry[]): void;
}

/** What becomes of a draft, and under which number. */
interface Numbered extends Ticket {
  readonly offset: number;
}

interface Pending {
  readonly entry: Entry;
  readonly ticket: Numbered;
}

export class Publisher {
  readonly #options: PublisherOptions;
  #pending: Pending[] = [];
  #pendingIds = new Map<string, Numbered>();
  #whenSaved: (() => void)[] = [];

  constructor(options: PublisherOptions) {
    this.#options = options;
    options.outbox.save = () => this.#save();
  }

  /** Gives the draft its number. What was said before under its id is not said again. */
  publish(draft: Draft): Ticket {
    return this.#said(draft) ?? this.#say(draft);
  }

  #said({ id }: Draft): Numbered | undefined {
    if (id === undefined) return undefined;
    const offset = this.#options.log.find(id, this.#options.now());
    return offset === undefined ? this.#pendingIds.get(id) : { error: null, offset };
  }

  #say(draft: Draft): Numbered {
    const { log, now, room, own, outbox } = this.#options;
    const entry = { ...draft, offset: this.#next, at: now() };
    const ticket: Numbered = { error: null, offset: entry.offset };
    this.#pending.push({ entry, ticket });
    if (draft.id !== undefined) this.#pendingIds.set(draft.id, ticket);
    outbox.hear({ room, epoch: log.position.epoch, entry, audience: own, ticket });
    return ticket;
  }

  get #next(): number {
    return (this.#pending.at(-1)?.entry.offset ?? this.#options.log.position.offset) + 1;
  }

  /** The same, done when it is durable: what leaves the object from then on waits for the write (output gate). */
  async publishSaved(draft: Draft): Promise<Position> {
    const ticket = this.#said(draft) ?? this.#say(draft);
    await this.#flushed();
    if (ticket.error) throw ticket.error;
    return { epoch: this.#options.log.position.epoch, offset: ticket.offset };
  }

  /** The same for many, in their order; gives where each stands, or why it does not. */
  async publishAllSaved(drafts: readonly Draft[]): Promise<(Position | Fault)[]> {
    const tickets = drafts.map((draft) => this.#said(draft) ?? this.#say(draft));
    await this.#flushed();
    const { epoch } = this.#options.log.position;
    return tickets.map(({ error, offset }) =>
      error ? { code: error.code, message: error.message } : { epoch, offset },
    );
  }

  #flushed(): Promise<void> {
    if (this.#pending.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenSaved.push(resolve));
  }

  #save(): void {
    const pending = this.#pending;
    if (pending.length === 0) return;
    [this.#pending, this.#pendingIds] = [[], new Map()];
    const entries = pending.map(({ entry }) => entry);
    const saved = this.#append(entries);
    if (!saved)
      for (const { ticket } of pending)
        ticket.error = new HubError("internal", "The message could not be saved.");
    for (const done of this.#whenSaved.splice(0)) done();
    if (saved) this.#options.saved(entries);
  }

  #append(entries: readonly Entry[]): boolean {
    try {
      this.#options.log.append(entries);
      return true;
    } catch (error) {
      logError("log_unwritten", { room: this.#options.room, error });
      return false;
    }
  }
}
