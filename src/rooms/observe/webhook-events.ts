// What receivers outside are told of an object: who connected and went, who came into the room and left, what was
// said. It is written down where it happens, and sent by others: nothing here is waited for, and nothing fails a room.

import { logError } from "../../model/logger.ts";
import { formatPosition } from "../../model/position.ts";
import { formatTopic } from "../../model/topic.ts";
import type { EventKind, Webhooks } from "../../webhooks/webhook-config.ts";
import { eventText, type QueuedEvent } from "../../webhooks/cloud-events.ts";
import { post } from "../../webhooks/webhook-request.ts";
import { Queue, type QueueLimits } from "../../webhooks/webhook-queue.ts";
import { Sender } from "../../webhooks/webhook-sender.ts";
import type { ObjectAddress } from "../rpc/object-names.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import type { Connection } from "../connection/connection.ts";
import type { Entry } from "../rpc/log-entry.ts";

export interface WebhookEventsOptions {
  readonly storage: Pick<DurableObjectStorage, "sql" | "kv">;
  readonly events: NonNullable<Webhooks["events"]>;
  readonly home: ObjectAddress;
  /** Whether a connection is still here. */
  isHere(connectionId: string): boolean;
  now(): number;
  arm(at: number): void;
  waitUntil(work: Promise<unknown>): void;
  readonly limits?: QueueLimits;
}

/** A day, as receivers are repaired by people; and no more than an object can well keep. */
export const QUEUE: QueueLimits = { events: 10_000, chars: 64 * 1024 * 1024, ageMs: 86_400_000 };
/** How long a receiver may take; then it is asked again. */
export const ANSWER_MS = 10_000;
/** Between two requests of an object: each costs its rooms a commit. */
const HOLD_MS = 100;
/** After a wake: how long the runtime has to say who closed meanwhile, before they count as lost. */
const LOST_MS = 5_000;
const LOST = "The server lost the connection.";

/** Who was said to have connected: so that their end is told once, and also where a crash took them. */
const TABLE =
  "CREATE TABLE IF NOT EXISTS reported (connection TEXT PRIMARY KEY, data TEXT) WITHOUT ROWID";

interface Happening {
  readonly kind: EventKind;
  readonly subject: string;
  /** Text of a JSON object. */
  readonly data: string;
}

export class WebhookEvents implements Duty {
  readonly #options: WebhookEventsOptions;
  readonly #queue: Queue;
  readonly #sender: Sender;
  /** When those are looked for whom a crash took; undefined where all were found. */
  #lookAt: number | undefined;

  constructor(options: WebhookEventsOptions) {
    this.#options = options;
    const { storage, events, limits = QUEUE, ...rest } = options;
    const { kv, sql } = storage;
    this.#queue = new Queue(sql, limits);
    sql.exec(TABLE);
    const to = { ...events, timeoutMs: ANSWER_MS, now: options.now };
    this.#sender = new Sender({
      ...{ ...rest, kv, queue: this.#queue, random: Math.random },
      post: (message, read) => post(message, to, read),
      hold: () => scheduler.wait(HOLD_MS),
    });
  }

  /** After a wake: what waited is sent, and those whom a crash took are looked for. */
  resume(): void {
    this.#sender.start();
    if (this.#lost().length === 0) return;
    this.#lookAt = this.#options.now() + LOST_MS;
    this.#options.arm(this.#lookAt);
  }

  connected(connection: Connection): void {
    if (connection.httpCaller) return; // A request over HTTP is reported nowhere else, either.
    const data = JSON.stringify(this.#about(connection));
    this.#guarded(() => {
      if (this.#tells("disconnected"))
        this.#exec("INSERT OR REPLACE INTO reported VALUES (?, ?)", connection.id, data);
      this.#report([{ kind: "connected", subject: connection.id, data }]);
    });
  }

  #about({ id, user, protocol, attached }: Connection) {
    const { home } = this.#options;
    const room = attached.room ?? ("topic" in home ? formatTopic(home.topic) : undefined);
    const [spoken] = VARIANTS.exec(protocol.name) ?? [protocol.name];
    return { userId: user.id, connectionId: id, ...(room && { room }), protocol: spoken };
  }

  disconnected({ id }: Connection, error: Error | undefined): void {
    this.#guarded(() => this.#ended(id, error?.message));
  }

  /** Only of whom it was said that they connected. */
  #ended(id: string, reason: string | undefined): void {
    if (!this.#tells("disconnected")) return;
    const gone = "DELETE FROM reported WHERE connection = ? RETURNING data";
    const [row] = this.#exec(gone, id);
    if (!row) return;
    const about = JSON.parse(row["data"] as string) as object;
    const data = JSON.stringify({ ...about, ...(reason !== undefined && { reason }) });
    this.#report([{ kind: "disconnected", subject: id, data }]);
  }

  presenceChanged(room: string, joined: readonly string[], left: readonly string[]): void {
    const happening = (kind: EventKind) => (userId: string) => {
      return { kind, subject: room, data: JSON.stringify({ room, userId }) };
    };
    this.#guarded(() =>
      this.#report([...joined.map(happening("joined")), ...left.map(happening("left"))]),
    );
  }

  /** Messages of a room that were saved: its entries without those about presence. */
  published(room: string, epoch: string, messages: readonly Entry[]): void {
    if (!this.#tells("message")) return;
    const happenings = messages.map((entry) => {
      return { kind: "message" as const, subject: room, data: saidText(room, epoch, entry) };
    });
    this.#guarded(() => this.#report(happenings));
  }

  #tells(kind: EventKind): boolean {
    return this.#options.events.kinds.has(kind);
  }

  #report(happenings: readonly Happening[]): void {
    const { home, now } = this.#options;
    const { tenant, hub } = home;
    const at = now();
    const events = happenings.flatMap((one): QueuedEvent[] => {
      if (!this.#tells(one.kind)) return [];
      const id = crypto.randomUUID();
      return [{ id, text: eventText({ ...one, id, tenant, hub, at }) }];
    });
    if (events.length === 0) return;
    this.#queue.add(events, at);
    this.#sender.start();
  }

  /** Those outside can wait for what a room cannot. */
  #guarded(report: () => void): void {
    try {
      report();
    } catch (error) {
      logError("webhook_event_lost", { error });
    }
  }

  #exec(query: string, ...values: string[]): Record<string, SqlStorageValue>[] {
    return this.#options.storage.sql.exec(query, ...values).toArray();
  }

  #lost(): string[] {
    const ids = this.#exec("SELECT connection FROM reported").map((row) => `${row["connection"]}`);
    return ids.filter((id) => !this.#options.isHere(id));
  }

  due(now: number): number | undefined {
    const times = [this.#lookAt, this.#sender.due(now)].filter((at) => at !== undefined);
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  run(now: number): void {
    this.#sender.run();
    if (this.#lookAt === undefined || this.#lookAt > now) return;
    this.#lookAt = undefined;
    for (const id of this.#lost()) this.#guarded(() => this.#ended(id, LOST));
  }
}

/** What protocols are called outside, without what only their codecs know of them. */
const VARIANTS = /^(?:json-rpc|signalr-json|signalr-msgpack)/;

/** Its arguments are a JSON array already. */
function saidText(room: string, epoch: string, entry: Entry): string {
  const { target, params, bytes, offset } = entry;
  const position = formatPosition({ epoch, offset });
  const rest = JSON.stringify({ room, target, position, ...(bytes && { bytes }) });
  return `${rest.slice(0, -1)},"arguments":${params}}`;
}
