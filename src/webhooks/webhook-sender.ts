// Brings a queue's events to their receiver: one request at a time, so that their order stays; what was not taken is
// sent again, later and later. Nobody waits for it, and between two attempts there is an alarm and no timer.

import type { Message } from "./webhook-request.ts";
import { BATCH_TYPE } from "./cloud-events.ts";
import { logError, logWarning } from "../model/logger.ts";
import { EVENTS_A_REQUEST, type Batch, type Queue } from "./webhook-queue.ts";

export interface SenderOptions {
  readonly queue: Queue;
  readonly kv: SyncKvStorage;
  post(message: Message, read: (response: Response) => Promise<Outcome>): Promise<Outcome>;
  now(): number;
  /** From 0 to 1. */
  random(): number;
  arm(at: number): void;
  waitUntil(work: Promise<unknown>): void;
  /** A moment, after something was taken: in a room that is busy each request takes of its time. */
  hold(): Promise<unknown>;
}

/** Undefined: taken. */
export type Outcome = undefined | { readonly why: string; readonly pauseMs?: number | undefined };

/** Kept across sleep and crashes: a batch that is sent again is the same one. */
interface Retry {
  readonly failures: number;
  readonly at: number;
  readonly last: number;
}

/** Pauses after one failure, two, …; the last one from then on. Each is up to a fifth longer, by chance. */
export const PAUSES_MS = [1_000, 2_000, 5_000, 15_000, 60_000, 300_000] as const;
const JITTER = 0.2;
/** What a receiver may ask for in `Retry-After`. */
export const RETRY_AFTER_MS = { least: 1_000, most: 900_000 };
/** How soon the alarm looks whether all was sent: repairs what a crash cut off. */
const SETTLE_MS = 60_000;
const KEY = "webhook-retry";

export class Sender {
  readonly #options: SenderOptions;
  #isSending = false;
  #retry: Retry | undefined;
  /** When the alarm that looks after a crash is due. */
  #settleAt = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#retry = options.queue.size > 0 ? options.kv.get<Retry>(KEY) : undefined;
  }

  /** Something waits: it is sent, unless there is a reason to wait. */
  start(): void {
    const { arm, now, queue, waitUntil } = this.#options;
    if (queue.size === 0) return;
    if (this.#retry && this.#retry.at > now()) return arm(this.#retry.at);
    this.#settle(now());
    if (!this.#isSending) waitUntil(this.#send());
  }

  #settle(now: number): void {
    if (this.#settleAt > now) return;
    this.#settleAt = now + SETTLE_MS;
    this.#options.arm(this.#settleAt);
  }

  due(now: number): number | undefined {
    if (this.#options.queue.size === 0) return undefined;
    return Math.max(now, this.#isSending ? this.#settleAt : (this.#retry?.at ?? this.#settleAt));
  }

  run(): void {
    this.#drop();
    this.start();
  }

  #drop(): void {
    const dropped = this.#options.queue.drop(this.#options.now());
    if (dropped > 0) logError("webhook_events_dropped", { events: dropped });
  }

  /** Each request is work of its own: the platform waits for no work longer than 15 minutes. */
  async #send(): Promise<void> {
    this.#isSending = true;
    try {
      this.#drop();
      const batch = this.#next();
      if (!batch) return;
      const outcome = await this.#attempt(batch);
      if (outcome) this.#failed(batch, outcome);
      else await this.#taken(batch);
    } catch (error) {
      this.#failed({ count: 0, last: this.#retry?.last ?? 0 }, { why: "a failure here" });
      logError("webhook_failed", { error });
    } finally {
      this.#isSending = false;
    }
    this.start();
  }

  /** What failed goes again as it was, and what came since waits. */
  #next(): Batch | undefined {
    const { queue } = this.#options;
    return (this.#retry && queue.next(this.#retry.last)) ?? queue.next();
  }

  async #attempt({ id, text }: Batch): Promise<Outcome> {
    const { now, post } = this.#options;
    try {
      return await post({ id, type: BATCH_TYPE, body: text }, (answer) => outcomeOf(answer, now()));
    } catch (error) {
      return { why: error instanceof Error ? error.message : String(error) };
    }
  }

  /** What fills a request need not wait for more. */
  async #taken({ last }: Batch): Promise<void> {
    const { hold, kv, queue } = this.#options;
    queue.taken(last);
    if (this.#retry) kv.delete(KEY);
    this.#retry = undefined;
    if (queue.size < EVENTS_A_REQUEST) await hold();
  }

  #failed({ count, last }: Pick<Batch, "count" | "last">, { why, pauseMs }: NonNullable<Outcome>) {
    const { arm, kv, now, random } = this.#options;
    const failures = (this.#retry?.failures ?? 0) + 1;
    const pause = PAUSES_MS[Math.min(failures, PAUSES_MS.length) - 1]!;
    const at = Math.ceil(now() + (pauseMs ?? pause * (1 + JITTER * random())));
    this.#retry = { failures, at, last };
    arm(at);
    kv.put(KEY, this.#retry);
    const seconds = Math.round((at - now()) / 1000);
    logWarning("webhook_delayed", { why, events: count, seconds });
  }
}

async function outcomeOf(response: Response, now: number): Promise<Outcome> {
  await response.body?.cancel();
  if (response.ok) return undefined;
  return { why: `the receiver answered ${response.status}`, pauseMs: retryAfter(response, now) };
}

/** Seconds, or a date; within bounds. */
function retryAfter({ headers }: Response, now: number): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (!text) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  if (Number.isNaN(ms)) return undefined;
  return Math.min(Math.max(ms, RETRY_AFTER_MS.least), RETRY_AFTER_MS.most);
}
