// Messages of actions on their way to other rooms, in a queue for each room: they arrive in the order of their commits.
//
//   · Messages behind one that has failed wait for `retry`. Until then nothing is sent to that room.
//   · A message that a room refuses for good is dropped, so that it does not delay others.

import { ERRORS, type ErrorRow } from "../../model/error-table.ts";
import { publicError } from "../../model/errors.ts";
import { logError, logWarning } from "../../model/logger.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import type { Draft } from "../rpc/log-entry.ts";
import type { Outgoing } from "../rpc/state-rpc.ts";

/** The most messages sent together. No later ones are under way until all of them have arrived. */
const TOGETHER = 100;

/** One flush's messages. `offset` is that of its entry with the change. */
export interface Batch {
  readonly offset: number;
  readonly messages: readonly Outgoing[];
}

interface Queue {
  /** The oldest first. */
  readonly waiting: (Outgoing & Pick<Batch, "offset">)[];
  underWay: number;
  /** Whether messages are under way, or wait behind one that has failed. */
  isHeld: boolean;
  hasFailed: boolean;
}

interface QueuesOptions {
  publish(topic: Topic, draft: Draft): Promise<unknown>;
  waitUntil(work: Promise<unknown>): void;
  /** Called when all messages of the batch have arrived, or were refused for good. */
  delivered(offset: number): void;
}

export class OutgoingQueues {
  readonly #options: QueuesOptions;
  /** By room. */
  readonly #queues = new Map<string, Queue>();
  /** The number of undelivered messages of each batch, by its offset. */
  readonly #left = new Map<number, number>();
  #isOver = false;

  constructor(options: QueuesOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#left.size === 0;
  }

  /** A batch that was added already is not added again. */
  add({ offset, messages }: Batch): void {
    if (this.#left.has(offset)) return;
    this.#left.set(offset, messages.length);
    const queues = new Set(messages.map((one) => this.#put({ offset, ...one })));
    for (const queue of queues) this.#send(queue);
  }

  #put(message: Queue["waiting"][number]): Queue {
    const room = formatTopic(message.topic);
    let queue = this.#queues.get(room);
    if (!queue) this.#queues.set(room, (queue = newQueue()));
    queue.waiting.push(message);
    return queue;
  }

  retry(): void {
    for (const [room, queue] of this.#queues) {
      if (queue.hasFailed) [queue.hasFailed, queue.isHeld] = [false, false];
      if (queue.waiting.length > 0) this.#send(queue);
      else if (!queue.isHeld) this.#queues.delete(room);
    }
  }

  /**
   * Ends the queues: sends waiting messages, which are committed, once more without waiting for results. A repetition
   * is harmless, because ids are the same. Messages behind a failure are dropped.
   */
  end(): void {
    this.#isOver = true;
    for (const { waiting, underWay, hasFailed } of this.#queues.values())
      for (const one of hasFailed ? [] : waiting.slice(underWay))
        this.#options.waitUntil(resultOf(this.#publish(one)));
  }

  #send(queue: Queue): void {
    if (queue.isHeld) return;
    queue.isHeld = true;
    this.#options.waitUntil(this.#deliver(queue));
  }

  async #deliver(queue: Queue): Promise<void> {
    const sent = queue.waiting.slice(0, TOGETHER);
    queue.underWay = sent.length;
    const results = await Promise.all(sent.map((one) => resultOf(this.#publish(one))));
    if (this.#isOver) return;
    const failed = results.indexOf("failed");
    const arrived = queue.waiting.splice(0, failed < 0 ? sent.length : failed);
    queue.hasFailed = queue.isHeld = failed >= 0;
    queue.underWay = 0;
    for (const { offset } of arrived) this.#delivered(offset);
    if (queue.waiting.length > 0) this.#send(queue);
  }

  /** Rejects also if `publish` throws. */
  async #publish({ topic, draft }: Outgoing): Promise<unknown> {
    return this.#options.publish(topic, draft);
  }

  #delivered(offset: number): void {
    const left = this.#left.get(offset)! - 1;
    if (left > 0) return void this.#left.set(offset, left);
    this.#left.delete(offset);
    this.#options.delivered(offset);
  }
}

const newQueue = (): Queue => ({ waiting: [], underWay: 0, isHeld: false, hasFailed: false });

const resultOf = (arrival: Promise<unknown>): Promise<"arrived" | "refused" | "failed"> =>
  arrival.then(
    () => "arrived",
    (error: unknown) => {
      const rows: Readonly<Record<string, ErrorRow | undefined>> = ERRORS;
      const isRefused = [400, 413].includes(rows[publicError(error).code]?.http ?? 0);
      if (isRefused) logError("outgoing_refused", { error });
      else logWarning("outgoing_undelivered", { error });
      return isRefused ? "refused" : "failed";
    },
  );
