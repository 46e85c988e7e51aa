// Delivers a queue's events to their receiver: at least once, in order, one request at a time. A failed request is
// repeated with growing pauses. Callers never wait for it; between attempts there is an alarm, and no timer.
//
// Events that the receiver refuses for their content are sent again one at a time. An event that is refused alone
// `REFUSALS_AT_MOST` times is given up, so that later events go on, if the receiver takes an empty batch: one that does
// not would refuse every event, as it does where the secret is wrong.

import type { KeyValues } from "../model/stored-values.ts";
import type { Message } from "./webhook-request.ts";
import { BATCH_TYPE } from "./cloud-events.ts";
import { logError, logWarning } from "../model/logger.ts";
import {
  outcomeOf,
  refusesContent,
  RETRY_AFTER_MS,
  type Failure,
  type Outcome,
} from "./webhook-outcome.ts";
import { EVENTS_A_REQUEST, type Batch, type Queue } from "./webhook-queue.ts";

/** Outcomes of events; `failed` of each request. */
export type WebhookCount = "delivered" | "failed" | "dropped" | "refused" | "lost";

interface SenderOptions {
  /** Fields of each line of the log. */
  readonly about: { readonly hub: string; readonly room: string };
  readonly queue: Queue;
  readonly kv: KeyValues;
  /** Sends one signed request; rejects where no answer came in time. */
  post(message: Message, read: (response: Response) => Promise<Outcome>): Promise<Outcome>;
  now(): number;
  /** From 0 (inclusive) to 1. */
  random(): number;
  /** Requests a call of `run` at this time or earlier. */
  arm(at: number): void;
  count(what: WebhookCount, number: number): void;
  /** Keeps the object awake until the work settles. */
  waitUntil(work: Promise<unknown>): void;
  /** Resolves after a short delay, before the next partial batch: in a busy room every request costs the room time. */
  hold(): Promise<unknown>;
}

/** The state of retries, stored: after sleep and crashes the same batch is sent again. */
interface Retry {
  readonly failures: number;
  readonly at: number;
  readonly last: number;
  /** How often the receiver refused the event that is sent alone. */
  readonly refusals?: number;
  /** The last row of the events that are sent one at a time. */
  readonly alone?: number;
}

/** Of one event, before it is given up. */
const REFUSALS_AT_MOST = 5;

/** Pauses after the first failure, the second, and so on; the last one is repeated. Jitter adds up to a fifth. */
const PAUSES_MS = [1_000, 2_000, 5_000, 15_000, 60_000, 300_000] as const;
const JITTER = 0.2;
/** Delay of an alarm that checks whether everything was sent: it resumes delivery after a crash. */
const RECOVERY_MS = 60_000;
const KEY = "webhook-retry";

export class Sender {
  readonly #options: SenderOptions;
  #isSending = false;
  #retry: Retry | undefined;
  /** Events up to this row are sent one at a time. */
  #alone: number;
  /** When the recovery alarm is due, in milliseconds since 1970. */
  #recoveryAt = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#retry = options.queue.size > 0 ? options.kv.get<Retry>(KEY) : undefined;
    this.#alone = this.#retry?.alone ?? -Infinity;
  }

  /** Undefined unless the last attempt has failed. */
  get waiting(): { readonly events: number; readonly since: number } | undefined {
    const { queue } = this.#options;
    return this.#retry && { events: queue.size, since: queue.since };
  }

  /**
   * Starts delivery unless it is running or paused. Call it after every `Queue.add`, with its result; repeated calls are
   * harmless.
   */
  start(dropped = 0): void {
    const { arm, now, queue, waitUntil } = this.#options;
    this.#drop(dropped);
    if (queue.size === 0) return;
    const pause = (this.#retry?.at ?? 0) - now();
    // A longer one is none: the clock was set back.
    if (pause > 0 && pause <= RETRY_AFTER_MS.most) return arm(this.#retry!.at);
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

  /** Reports events that were dropped; by default old ones, which are dropped here. */
  #drop(events = this.#options.queue.drop(this.#options.now())): void {
    const { about, count, queue } = this.#options;
    if (events === 0) return;
    count("dropped", events);
    logError("webhook_events_dropped", { ...about, events });
    if (queue.size === 0) this.#endRetry();
  }

  /** Sends one batch, then starts again: the platform ends `waitUntil` work after 15 minutes. */
  async #send(): Promise<void> {
    this.#isSending = true;
    try {
      this.#drop();
      const batch = this.#next();
      if (!batch) return;
      const isEnough = this.#refusalsOf(batch.last) >= REFUSALS_AT_MOST;
      if (isEnough && (await this.#refusesAll(batch))) return;
      const outcome = await this.#attempt(batch);
      if (!outcome) await this.#acknowledge(batch, "delivered");
      else if (refusesContent(outcome)) await this.#refused(batch, outcome);
      else this.#scheduleRetry(batch, outcome);
    } catch (error) {
      this.#scheduleRetry({ count: 0, last: this.#retry?.last ?? 0 }, { why: "a failure here" });
      logError("webhook_failed", { ...this.#options.about, error });
    } finally {
      this.#isSending = false;
    }
    this.start();
  }

  /** The batch to send. After a failure it is the same batch again; later events wait. */
  #next(): Batch | undefined {
    const { queue } = this.#options;
    const again = this.#retry && queue.next(this.#retry.last, this.#alone);
    return again ?? queue.next(Infinity, this.#alone);
  }

  async #attempt({ id, text }: Pick<Batch, "id" | "text">): Promise<Outcome> {
    const { now, post } = this.#options;
    try {
      const message = { id, type: BATCH_TYPE, body: text };
      return await post(message, async (answer) => outcomeOf(answer, now()));
    } catch (error) {
      return { why: error instanceof Error ? error.message : String(error) };
    }
  }

  /** The batch is done. A full one is followed by the next one at once. */
  async #acknowledge({ count, last }: Batch, outcome: "delivered" | "refused"): Promise<void> {
    const { hold, queue } = this.#options;
    queue.acknowledge(last);
    this.#endRetry();
    this.#options.count(outcome, count);
    if (queue.size < EVENTS_A_REQUEST) await hold();
  }

  #endRetry(): void {
    if (!this.#retry) return;
    this.#retry = undefined;
    this.#options.kv.delete(KEY);
  }

  /** The receiver refuses the content. */
  async #refused(batch: Batch, failure: Failure): Promise<void> {
    const { about, queue } = this.#options;
    const { last, rows, text } = batch;
    if (batch.count > 1) {
      if (rows === 1) queue.split(last);
      this.#alone = Math.max(last, this.#alone);
      this.#endRetry();
      return this.#failed(batch, failure, 0);
    }
    const refusals = (this.#refusalsOf(last) % REFUSALS_AT_MOST) + 1;
    if (refusals < REFUSALS_AT_MOST) return this.#scheduleRetry(batch, failure, refusals);
    if (await this.#refusesAll(batch)) return;
    const [event] = JSON.parse(text) as [{ readonly id: string; readonly type: string }];
    const { status } = failure;
    logError("webhook_event_refused", { ...about, id: event.id, type: event.type, status });
    await this.#acknowledge(batch, "refused");
  }

  /**
   * Whether the receiver takes no empty batch either, which is repeated until it does. Refusals before say nothing about
   * the event then: they are counted again from zero, since some of a receiver's instances may still have the wrong
   * secret.
   */
  async #refusesAll(batch: Batch): Promise<boolean> {
    const failure = await this.#attempt({ id: `${batch.id}-0`, text: "[]" });
    if (!failure) return false;
    const why = `${failure.why}, and takes no empty batch`;
    this.#scheduleRetry(batch, { why, pauseMs: failure.pauseMs }, REFUSALS_AT_MOST);
    return true;
  }

  #refusalsOf(last: number): number {
    return (this.#retry?.last === last && this.#retry.refusals) || 0;
  }

  /** Records the failure and arms the next attempt. The pause is the receiver's, or else grows with the failures. */
  #scheduleRetry(
    batch: Pick<Batch, "count" | "last">,
    failure: Failure,
    refusals = this.#refusalsOf(batch.last),
  ): void {
    const { arm, kv, now, random } = this.#options;
    const { last } = batch;
    const failures = (this.#retry?.failures ?? 0) + 1;
    // An outage before does not put off the end of an event that is refused.
    const step = refusesContent(failure) ? refusals : failures;
    const pause = PAUSES_MS[Math.min(step, PAUSES_MS.length) - 1]!;
    const at = Math.ceil(now() + (failure.pauseMs ?? pause * (1 + JITTER * random())));
    this.#retry = { failures, at, last, refusals, alone: this.#alone };
    arm(at);
    kv.put(KEY, this.#retry);
    this.#failed(batch, failure, Math.round((at - now()) / 1000));
  }

  #failed({ count: events }: Pick<Batch, "count">, { why }: Failure, seconds: number): void {
    const { about, count } = this.#options;
    logWarning("webhook_delayed", { ...about, why, events, seconds });
    count("failed", events);
  }
}
