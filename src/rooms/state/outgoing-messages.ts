// Messages of actions to other rooms. They are rows of the action's commit, are sent after it (outgoing-queues.ts), and
// deleted when the other rooms have them. After a crash they are sent again, before newer ones and under the same ids,
// which rooms publish once. The waiting messages are limited: an action that would send more is refused.

import { HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { formatTopic, writtenTopic, type Position, type Topic } from "../../model/topic.ts";
import type { PartStorage } from "../../model/stored-values.ts";
import type { Draft } from "../rpc/log-entry.ts";
import type { Outgoing } from "../rpc/state-rpc.ts";
import { OutgoingQueues, type Batch } from "./outgoing-queues.ts";

const TABLE = "CREATE TABLE IF NOT EXISTS room_outgoing (offset INTEGER PRIMARY KEY, json TEXT)";

/** Time from a commit, or a failure, to the attempt by alarm. */
const RETRY_MS = 5_000;

/** The number of messages, and their bytes of JSON or a little more. */
export interface OutgoingSize {
  readonly messages: number;
  readonly bytes: number;
}

interface OutgoingOptions {
  readonly sql: PartStorage["sql"];
  /** The most that may wait for delivery. */
  readonly most: OutgoingSize;
  /** Publishes in a room elsewhere, in order. */
  publish(topic: Topic, draft: Draft): Promise<unknown>;
  waitUntil(work: Promise<unknown>): void;
  arm(at: number): void;
}

export class OutgoingMessages {
  readonly #options: OutgoingOptions;
  /** Messages of actions in the flush under way. */
  #pending: Outgoing[] = [];
  /** Batches of flushes that are not written yet, by offset. */
  readonly #unwritten = new Map<number, Batch>();
  /** The queues of this wake and epoch; undefined until the first use. */
  #queues: OutgoingQueues | undefined;
  #retryAt: number | undefined;
  /** Sizes of the flush under way, and of undelivered flushes by offset (undefined before rows were counted). */
  #pendingSize = NOTHING;
  #waiting: Map<number, OutgoingSize> | undefined;

  constructor(options: OutgoingOptions) {
    this.#options = options;
    options.sql.exec(TABLE);
  }

  /** Throws `busy` if too much would wait with these. */
  check(added: OutgoingSize): void {
    if (added.messages === 0) return;
    const all = [this.#pendingSize, added, ...this.#sizes().values()].reduce(sumOf);
    const { most } = this.#options;
    if (all.messages <= most.messages && all.bytes <= most.bytes) return;
    throw new HubError("busy", "Too many messages of this room to others are undelivered.");
  }

  /** Sizes of undelivered flushes; after a wake they are read from the rows. */
  #sizes(): Map<number, OutgoingSize> {
    return (this.#waiting ??= new Map(
      this.#rows().map(({ offset, json }) => {
        const { length: messages } = JSON.parse(json) as unknown[];
        return [offset, { messages, bytes: json.length }];
      }),
    ));
  }

  #rows() {
    const all = "SELECT offset, json FROM room_outgoing ORDER BY offset";
    return this.#options.sql.exec<{ offset: number; json: string }>(all).toArray();
  }

  add(messages: readonly Outgoing[], size: OutgoingSize): void {
    this.#pending.push(...messages);
    this.#pendingSize = sumOf(this.#pendingSize, size);
  }

  /** Bytes of the flush under way, which are one row. */
  get pendingBytes(): number {
    return this.#pendingSize.bytes;
  }

  /** Called when the flush has its position, from which the ids of its messages are made. */
  seal(at: Position): void {
    if (this.#pending.length === 0) return;
    const messages = this.#pending.map(({ topic, draft }, index) => ({
      topic,
      draft: { ...draft, id: `${at.epoch}:${at.offset}/${index}` },
    }));
    this.#sizes().set(at.offset, this.#pendingSize);
    [this.#pending, this.#pendingSize] = [[], NOTHING];
    this.#unwritten.set(at.offset, { offset: at.offset, messages });
  }

  /** Called after the sealed flush was saved as a whole, or not at all. */
  flushed(offset: number, isSaved: boolean, now: number): void {
    [this.#pending, this.#pendingSize] = [[], NOTHING];
    const batch = this.#unwritten.get(offset) ?? this.#written;
    this.#written = undefined;
    if (!isSaved) {
      this.#waiting?.delete(offset);
      return void this.#unwritten.delete(offset);
    }
    if (batch?.offset === offset) this.#send(batch, now);
  }

  /** The batch that this commit has written. */
  #written: Batch | undefined;

  get isChanged(): boolean {
    return this.#unwritten.size > 0;
  }

  /** Called in the commit. */
  write(): void {
    for (const { offset, messages } of this.#unwritten.values()) {
      const texts = messages.map(({ topic, draft }) => [formatTopic(topic), draft]);
      const row = [offset, JSON.stringify(texts)];
      this.#options.sql.exec("INSERT OR REPLACE INTO room_outgoing VALUES (?, ?)", ...row);
    }
  }

  /** Called when the commit has succeeded. */
  written(): void {
    this.#written = [...this.#unwritten.values()].at(-1);
    this.#unwritten.clear();
  }

  #send(batch: Batch, now: number): void {
    this.#retryAt ??= now + RETRY_MS;
    this.#options.arm(this.#retryAt);
    try {
      this.#open().add(batch);
    } catch (error) {
      // The batch is saved, like earlier ones, which could not be read: the alarm sends all of them.
      logError("outgoing_unread", { error });
    }
  }

  /** The queues; at first use, with the rows that a crash has left. */
  #open(): OutgoingQueues {
    if (this.#queues) return this.#queues;
    const { publish, waitUntil } = this.#options;
    const delivered = (offset: number) => this.#delivered(offset);
    const queues = new OutgoingQueues({ publish, waitUntil, delivered });
    for (const { offset, json } of this.#rows()) {
      const texts = JSON.parse(json) as [string, Draft][];
      const messages = texts.map(([topic, draft]) => ({ topic: writtenTopic(topic), draft }));
      queues.add({ offset, messages });
    }
    this.#queues = queues;
    return queues;
  }

  #delivered(offset: number): void {
    this.#unwritten.delete(offset);
    this.#waiting?.delete(offset);
    try {
      this.#options.sql.exec("DELETE FROM room_outgoing WHERE offset = ?", offset);
    } catch (error) {
      // The messages are sent again after the next wake, under the same ids.
      logError("outgoing_undeleted", { error });
    }
  }

  due(): number | undefined {
    return this.#retryAt;
  }

  /** Sends messages again that a crash or a failure has left. */
  run(now: number): void {
    this.#retryAt = now + RETRY_MS;
    const queues = this.#open();
    if (queues.isEmpty) this.#retryAt = undefined;
    queues.retry();
  }

  get isEmpty(): boolean {
    return (
      this.#options.sql.exec("SELECT 1 AS one FROM room_outgoing LIMIT 1").toArray().length === 0
    );
  }

  forget(): void {
    [this.#pending, this.#written, this.#retryAt] = [[], undefined, undefined];
    [this.#pendingSize, this.#waiting] = [NOTHING, undefined];
    this.#queues?.end();
    this.#queues = undefined;
    this.#unwritten.clear();
  }
}

const NOTHING: OutgoingSize = { messages: 0, bytes: 0 };

const sumOf = (one: OutgoingSize, other: OutgoingSize): OutgoingSize => ({
  messages: one.messages + other.messages,
  bytes: one.bytes + other.bytes,
});
