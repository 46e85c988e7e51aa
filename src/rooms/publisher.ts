// The one publish path: number, save, deliver. Everything said in a room waits here for the next flush, in which it
// is written to the log first and sent after; what cannot be saved is not sent, and its callers hear of it.

import { HubError } from "../model/errors.ts";
import type { Outgoing } from "../model/message.ts";
import { formatPosition, type Position } from "../model/position.ts";
import type { Connection } from "./connection.ts";
import { fanOut, type Said, type Waiting } from "./fan-out.ts";
import type { RoomLog } from "./log.ts";
import { pace, type Pace } from "./pace.ts";
import type { Draft, Entry, Ticket } from "./receiver.ts";

export interface PublisherOptions {
  /** The topic of the room, as text. */
  readonly room: string;
  readonly log: RoomLog;
  /** The room's own sockets. */
  readonly own: ReadonlySet<Connection>;
  now(): number;
  /** Whether a flush costs next to nothing. */
  isLight(): boolean;
  find(connection: string): Connection | undefined;
  send(connection: Connection, frames: readonly string[]): void;
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
  readonly #pace: Pace;
  #pending: Pending[] = [];
  #pendingIds = new Map<string, Numbered>();
  #waiting: Waiting[] = [];
  #whenSaved: (() => void)[] = [];

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#pace = pace(() => this.flush(), { isLight: () => options.isLight() });
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
    const { log, now, room, own } = this.#options;
    const entry = { ...draft, offset: this.#next, at: now() };
    const ticket: Numbered = { error: null, offset: entry.offset };
    this.#pending.push({ entry, ticket });
    if (draft.id !== undefined) this.#pendingIds.set(draft.id, ticket);
    this.#hear(messageOf(room, log.position.epoch, entry), entry, { audience: own, ticket });
    this.#pace.want();
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

  #flushed(): Promise<void> {
    if (this.#pending.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenSaved.push(resolve));
  }

  /** An entry of a followed room, for those of this object's connections that are in it. */
  hear(room: string, epoch: string, entry: Entry, audience: ReadonlySet<Connection>): void {
    this.#hear(messageOf(room, epoch, entry), entry, { audience });
    this.#pace.want();
  }

  #hear(message: Outgoing, { except }: Entry, to: Pick<Said, "audience" | "ticket">): void {
    this.#waiting.push({ ...to, message, except: this.#known(except) });
  }

  #known(ids: readonly string[] | undefined): ReadonlySet<Connection> | undefined {
    const known = ids?.flatMap((id) => this.#options.find(id) ?? []) ?? [];
    return known.length > 0 ? new Set(known) : undefined;
  }

  send(connection: Connection, message: Outgoing | (() => Outgoing)): void {
    this.#waiting.push({ connection, message });
    this.#pace.want();
  }

  /** Rows first, then frames: the output gate holds the frames until the rows are durable. */
  flush(): void {
    this.#save();
    const waiting = this.#waiting.filter((one) => !("ticket" in one && one.ticket?.error));
    this.#waiting = [];
    if (waiting.length > 0) fanOut(waiting, this.#options.send);
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
      console.error("The log could not be written:", error);
      return false;
    }
  }
}

/** An entry as its audience gets it: the hub's call, or the protocol's own word about presence. */
export function messageOf(room: string, epoch: string, entry: Entry): Outgoing {
  const position = formatPosition({ epoch, offset: entry.offset });
  if (entry.target !== PRESENCE)
    return { type: "invocation", target: entry.target, params: entry.params, room, position };
  const [params] = JSON.parse(entry.params) as [object];
  return { type: "control", name: "presence", params, room, position };
}

export const PRESENCE = "$/presence";
