// Webhook events of one object: connections that began and ended, users who joined and left, messages. An event is
// queued in SQLite in the commit of what it reports, and a sender posts it later (webhooks/): no caller waits for a
// receiver, and a failure here fails no room.
//
//   · Delivery is at least once, in the order of queueing; events carry ids, and a repeated one has the same id.
//   · `disconnected` follows each `connected` once, also where a crash ended the connection.
//   · The queue is bounded (`QUEUE_LIMITS`).

import type { PartStorage } from "../../model/stored-values.ts";
import { logError } from "../../model/logger.ts";
import { formatPosition, formatTopic } from "../../model/topic.ts";
import type { EventKind, Webhooks } from "../../webhooks/webhook-config.ts";
import { eventText, type QueuedEvent } from "../../webhooks/cloud-events.ts";
import { post } from "../../webhooks/webhook-request.ts";
import { Queue, type QueueLimits } from "../../webhooks/webhook-queue.ts";
import { Sender, type WebhookCount } from "../../webhooks/webhook-sender.ts";
import type { WaitingEvents } from "../rpc/activity-report.ts";
import type { ObjectAddress } from "../rpc/object-names.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import type { Connection } from "../connection/connection.ts";
import type { Entry } from "../rpc/log-entry.ts";
import type { UserChanges } from "../rpc/presence-view.ts";

interface WebhookEventsOptions {
  readonly storage: Pick<PartStorage, "sql" | "kv">;
  readonly events: NonNullable<Webhooks["events"]>;
  readonly address: ObjectAddress;
  /** Fields of each line of the log: the object's name in the hub's index. */
  readonly about: { readonly hub: string; readonly room: string };
  isHere(connectionId: string): boolean;
  now(): number;
  arm(at: number): void;
  count(what: WebhookCount, number: number): void;
  waitUntil(work: Promise<unknown>): void;
}

/** Receivers are repaired by people, within a day. The sizes are what an object's storage can afford. */
const QUEUE_LIMITS: QueueLimits = { events: 10_000, chars: 64 * 1024 * 1024, ageMs: 86_400_000 };
/** How long a receiver may take to answer; then the request is repeated. */
const TIMEOUT_MS = 10_000;
/** Pause between two requests of an object: each costs a commit. */
const PAUSE_MS = 100;
/** After a wake, close events of sockets that closed asleep are still to come; later, missing connections are lost. */
const LOST_AFTER_MS = 5_000;
const LOST_REASON = "The server lost the connection.";

/**
 * Connections whose `connected` was queued: each has a `disconnected` still to come, after a crash as well. With the
 * data of their events, and their trace, if any.
 */
const TABLE =
  "CREATE TABLE IF NOT EXISTS reported (connection TEXT PRIMARY KEY, data TEXT) WITHOUT ROWID";

interface EventDraft {
  readonly kind: EventKind;
  /** A connection's id, or a room's topic. */
  readonly subject: string;
  /** Text of a JSON object. */
  readonly data: string;
  readonly trace?: string | undefined;
}

export class WebhookEvents implements Duty {
  readonly #options: WebhookEventsOptions;
  readonly #queue: Queue;
  readonly #sender: Sender;
  /** When connections that a crash ended are looked for; undefined where all were found. */
  #lostCheckAt: number | undefined;

  constructor(options: WebhookEventsOptions) {
    this.#options = options;
    const { storage, events, ...rest } = options;
    const { kv, sql } = storage;
    this.#queue = new Queue(sql, QUEUE_LIMITS);
    sql.exec(TABLE);
    const to = { ...events, timeoutMs: TIMEOUT_MS, now: options.now };
    this.#sender = new Sender({
      ...{ ...rest, kv, queue: this.#queue, random: Math.random },
      post: (message, read) => post(message, to, read),
      hold: () => scheduler.wait(PAUSE_MS),
    });
  }

  /** After a wake: sends what is queued, and looks for connections that a crash ended. */
  resume(): void {
    this.#sender.start();
    if (this.#lostConnections().length === 0) return;
    this.#lostCheckAt = this.#options.now() + LOST_AFTER_MS;
    this.#options.arm(this.#lostCheckAt);
  }

  /** A connection has opened. A request over HTTP is none that receivers know of. */
  connected(connection: Connection): void {
    if (connection.httpCaller) return;
    const description = this.#describe(connection);
    const { trace } = connection.attached;
    const data = JSON.stringify(description);
    const row = trace === undefined ? data : JSON.stringify({ ...description, trace });
    this.#logFailures(() => {
      if (this.#isSubscribed("disconnected"))
        this.#exec("INSERT OR REPLACE INTO reported VALUES (?, ?)", connection.id, row);
      this.#report([{ kind: "connected", subject: connection.id, data, trace }]);
    });
  }

  #describe({ id, user, protocol, attached }: Connection) {
    const { address } = this.#options;
    const room = attached.room ?? ("topic" in address ? formatTopic(address.topic) : undefined);
    const [publicName] = PUBLIC_NAMES.exec(protocol.name) ?? [protocol.name];
    return { userId: user.id, connectionId: id, ...(room && { room }), protocol: publicName };
  }

  disconnected({ id }: Connection, error: Error | undefined): void {
    this.#logFailures(() => this.#reportEnd(id, error?.message));
  }

  /**
   * Only for a connection whose `connected` was queued, and once. Its row goes also where the event is no longer
   * subscribed: a row that stayed would keep the object for ever.
   */
  #reportEnd(id: string, reason: string | undefined): void {
    const [row] = this.#exec("DELETE FROM reported WHERE connection = ? RETURNING data", id);
    if (!row) return;
    const { trace, ...description } = JSON.parse(row["data"] as string) as { trace?: string };
    const data = JSON.stringify({ ...description, ...(reason !== undefined && { reason }) });
    this.#report([{ kind: "disconnected", subject: id, data, trace }]);
  }

  presenceChanged(room: string, { joined, left, traces }: UserChanges): void {
    const draftOf = (kind: EventKind) => (userId: string) => {
      const data = JSON.stringify({ room, userId });
      return { kind, subject: room, data, trace: traces?.get(userId) };
    };
    this.#logFailures(() =>
      this.#report([...joined.map(draftOf("joined")), ...left.map(draftOf("left"))]),
    );
  }

  /** Messages of a room that were saved: its entries without those about presence. */
  published(room: string, epoch: string, messages: readonly Entry[]): void {
    if (!this.#isSubscribed("message")) return;
    const drafts = messages.map((entry) => {
      const { trace } = entry;
      const data = messageText(room, epoch, entry);
      return { kind: "message" as const, subject: room, data, trace };
    });
    this.#logFailures(() => this.#report(drafts));
  }

  #isSubscribed(kind: EventKind): boolean {
    return this.#options.events.kinds.has(kind);
  }

  /** Queues events of the kinds that the receiver wants. */
  #report(drafts: readonly EventDraft[]): void {
    const { address, now } = this.#options;
    const { tenant, hub } = address;
    const at = now();
    const events = drafts.flatMap((draft): QueuedEvent[] => {
      if (!this.#isSubscribed(draft.kind)) return [];
      const id = crypto.randomUUID();
      return [{ id, text: eventText({ ...draft, id, tenant, hub, at }) }];
    });
    if (events.length === 0) return;
    this.#sender.start(this.#queue.add(events, at));
  }

  /** An event that cannot be queued is lost, and logged: the room goes on. */
  #logFailures(report: () => void): void {
    try {
      report();
    } catch (error) {
      const { about, count } = this.#options;
      logError("webhook_event_lost", { ...about, error });
      count("lost", 1);
    }
  }

  /** Undefined unless the last attempt has failed. */
  get waiting(): WaitingEvents | undefined {
    return this.#sender.waiting;
  }

  #exec(query: string, ...values: string[]): Record<string, SqlStorageValue>[] {
    return this.#options.storage.sql.exec(query, ...values).toArray();
  }

  /** No event waits for the receiver, and none is still to come. */
  get isIdle(): boolean {
    return this.#queue.size === 0 && this.#exec("SELECT 1 FROM reported LIMIT 1").length === 0;
  }

  #lostConnections(): string[] {
    const ids = this.#exec("SELECT connection FROM reported").map((row) => `${row["connection"]}`);
    return ids.filter((id) => !this.#options.isHere(id));
  }

  due(now: number): number | undefined {
    const times = [this.#lostCheckAt, this.#sender.due(now)].filter((at) => at !== undefined);
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  run(now: number): void {
    this.#sender.run();
    if (this.#lostCheckAt === undefined || this.#lostCheckAt > now) return;
    this.#lostCheckAt = undefined;
    for (const id of this.#lostConnections())
      this.#logFailures(() => this.#reportEnd(id, LOST_REASON));
  }
}

/** Names of protocols as receivers get them, without the codecs' own variants. */
const PUBLIC_NAMES = /^(?:json-rpc|signalr-json|signalr-msgpack)/;

/** The data of a message event. Its arguments are spliced in: they are the text of a JSON array already. */
function messageText(room: string, epoch: string, entry: Entry): string {
  const { target, params, bytes, offset } = entry;
  const position = formatPosition({ epoch, offset });
  const rest = JSON.stringify({ room, target, position, ...(bytes && { bytes }) });
  return `${rest.slice(0, -1)},"arguments":${params}}`;
}
