// Delivers a queue's events to their receiver: at least once, in order, one request at a time. A failed request is
// repeated with growing pauses. Callers never wait for it; between attempts there is an alarm, and no timer.

import type { KeyValues } from "../model/stored-values.ts";
import type { Message } from "./webhook-request.ts";
import { BATCH_TYPE } from "./cloud-events.ts";
import { logError, logWarning } from "../model/logger.ts";
import { EVENTS_A_REQUEST, type Batch, type Queue } from "./webhook-queue.ts";

interface SenderOptions {
  readonly queue: Queue;
  readonly kv: KeyValues;
  /** Sends one signed request; rejects where no answer came in time. */
  post(message: Message, read: (response: Response) => Promise<Outcome>): Promise<Outcome>;
  now(): number;
  /** From 0 (inclusive) to 1. */
  random(): number;
  /** Requests a call of `run` at this time or earlier. */
  arm(at: number): void;
  /** Keeps the object awake until the work settles. */
  waitUntil(work: Promise<unknown>): void;
  /** Resolves after a short delay, before the next partial batch: in a busy room every request costs the room time. */
  hold(): Promise<unknown>;
}

/** The result of an attempt. Undefined: the receiver acknowledged the batch. `pauseMs` is its `Retry-After`. */
type Outcome = undefined | { readonly why: string; readonly pauseMs?: number | undefined };

/** The state of retries, stored: after sleep and crashes the same batch is sent again. */
interface Retry {
  readonly failures: number;
  readonly at: number;
  readonly last: number;
}

/** Pauses after the first failure, the second, and so on; the last one is repeated. Jitter adds up to a fifth. */
const PAUSES_MS = [1_000, 2_000, 5_000, 15_000, 60_000, 300_000] as const;
const JITTER = 0.2;
/** Bounds of `Retry-After`. */
const RETRY_AFTER_MS = { least: 1_000, most: 900_000 };
/** Delay of an alarm that checks whether everything was sent: it resumes delivery after a crash. */
const RECOVERY_MS = 60_000;
const KEY = "webhook-retry";

export class Sender {
  readonly #options: SenderOptions;
  #isSending = false;
  #retry: Retry | undefined;
  /** When the recovery alarm is due, in milliseconds since 1970. */
  #recoveryAt = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#retry = options.queue.size > 0 ? options.kv.get<Retry>(KEY) : undefined;
  }

  /** Starts delivery unless it is running or paused. Call it after every `Queue.add`; repeated calls are harmless. */
  start(): void {
    const { arm, now, queue, waitUntil } = this.#options;
    if (queue.size === 0) return;
    if (this.#retry && this.#retry.at > now()) return arm(this.#retry.at);
    this.#armRecovery(now());
    if (!this.#isSending) waitUntil(this.#send());
  }

  /** Arms the alarm that resumes delivery after a crash, at most once per `RECOVERY_MS`. */
  #armRecovery(now: number): void {
    if (this.#recoveryAt > now) return;
    this.#recoveryAt = now + RECOVERY_MS;
    this.#options.arm(this.#recoveryAt);
  }

  /** When `run` must be called next, in milliseconds since 1970; undefined while the queue is empty. */
  due(now: number): number | undefined {
    if (this.#options.queue.size === 0) return undefined;
    return Math.max(
      now,
      this.#isSending ? this.#recoveryAt : (this.#retry?.at ?? this.#recoveryAt),
    );
  }

  /** The alarm's duty: drops old events and goes on with the rest. */
  run(): void {
    this.#drop();
    this.start();
  }

  #drop(): void {
    const dropped = this.#options.queue.drop(this.#options.now());
    if (dropped > 0) logError("webhook_events_dropped", { events: dropped });
  }

  /** Sends one batch, then starts again: the platform ends `waitUntil` work after 15 minutes. */
  async #send(): Promise<void> {
    this.#isSending = true;
    try {
      this.#drop();
      const batch = this.#next();
      if (!batch) return;
      const outcome = await this.#attempt(batch);
      if (outcome) this.#scheduleRetry(batch, outcome);
      else await this.#acknowledge(batch);
    } catch (error) {
      this.#scheduleRetry({ count: 0, last: this.#retry?.last ?? 0 }, { why: "a failure here" });
      logError("webhook_failed", { error });
    } finally {
      this.#isSending = false;
    }
    this.start();
  }

  /** The batch to send. After a failure it is the same batch again; later events wait. */
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

  /** A full batch is followed by the next one at once. */
  async #acknowledge({ last }: Batch): Promise<void> {
    const { hold, kv, queue } = this.#options;
    queue.acknowledge(last);
    if (this.#retry) kv.delete(KEY);
    this.#retry = undefined;
    if (queue.size < EVENTS_A_REQUEST) await hold();
  }

  /** Records the failure and arms the next attempt. The pause is the receiver's, or else grows with the failures. */
  #scheduleRetry(
    { count, last }: Pick<Batch, "count" | "last">,
    { why, pauseMs }: NonNullable<Outcome>,
  ) {
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

/** Any 2xx acknowledges. The body is cancelled unread, so that the connection is free again. */
async function outcomeOf(response: Response, now: number): Promise<Outcome> {
  await response.body?.cancel();
  if (response.ok) return undefined;
  return { why: `the receiver answered ${response.status}`, pauseMs: retryAfter(response, now) };
}

/**
 * The pause of `Retry-After`, given in seconds or as a date, within bounds. Undefined where it is absent or unreadable.
 */
function retryAfter({ headers }: Response, now: number): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (!text) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  if (Number.isNaN(ms)) return undefined;
  return Math.min(Math.max(ms, RETRY_AFTER_MS.least), RETRY_AFTER_MS.most);
}
