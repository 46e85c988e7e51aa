// What was asked of the hub: calls that wait for a connection, and calls that wait for an answer.

import { HubError } from "../../model/errors.ts";
import type { ClientErrorCode } from "../client-errors.ts";
import type { Parcel } from "../transport/send-queue.ts";
import type { Cancel, Sink } from "./server-streams.ts";
import { detach, fitting, pump, type Pipe, type Upload } from "./upload-pump.ts";
import { callText, cancelText, errorOf, type Frame } from "../transport/wire.ts";

export interface CallOptions {
  /**
   * Lets the call be repeated after a lost connection: under one key a room hears it once, so every call needs a key
   * of its own. Without one a call whose answer was lost rejects with `interrupted`. Streams and uploads are never
   * repeated.
   */
  readonly idempotencyKey?: string;
  /** Cancels the call here and at the server. */
  readonly signal?: AbortSignal;
  /** Then it is cancelled, and rejects with `timed_out`. Time in the queue counts. Default: no limit. */
  readonly timeoutSeconds?: number;
}

export interface Asked {
  readonly method: string;
  readonly args: readonly unknown[];
  readonly options: CallOptions;
  readonly isStream?: boolean;
}

export interface CallsOptions extends Pipe {
  /** Whether what is posted now goes out. */
  isLive(): boolean;
  /** Calls that may wait for a connection. */
  readonly queue: number;
}

interface OpenCall {
  readonly id: string;
  readonly text: string;
  readonly isRepeatable: boolean;
  readonly uploads: readonly Upload[];
  /** Absent: nobody waits for an answer. */
  readonly sink: Sink | undefined;
  /** Aborted when the call is over: uploads and timers end with it. */
  readonly over: AbortController;
  isSent: boolean;
}

export class Calls {
  readonly #options: CallsOptions;
  /** In the order in which they were made, which is the order in which they go out. */
  readonly #open = new Map<string, OpenCall>();
  #ids = 0;
  #ended: HubError | undefined;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /** Throws what `start` throws, as a rejection. */
  invoke(asked: Asked): Promise<unknown> {
    return new Promise((done, failed) => void this.start(asked, { item() {}, done, failed }));
  }

  /** Throws `queue_full`, `too_large`, and `closed` after the connection was closed for good. */
  start(asked: Asked, sink?: Sink): Cancel {
    const { signal, timeoutSeconds } = asked.options;
    if (this.#ended) throw this.#ended;
    if (signal?.aborted) throw cancelled(signal);
    const call = this.#opened(asked, sink);
    this.#open.set(call.id, call);
    const stopped = { signal: call.over.signal };
    signal?.addEventListener("abort", () => this.#cancel(call, cancelled(signal)), stopped);
    if (timeoutSeconds !== undefined) this.#limit(call, timeoutSeconds);
    if (this.#options.isLive()) this.#send(call);
    return () => this.#cancel(call, new HubError("cancelled", "The call was broken off."));
  }

  #opened({ method, args, options, isStream }: Asked, sink: Sink | undefined): OpenCall {
    this.#checkQueue();
    const { idempotencyKey } = options;
    const id = this.#nextId();
    const sent = detach(args, () => this.#nextId());
    const called = { id: sink && id, method, args: sent.args, idempotencyKey };
    return {
      id,
      text: fitting(callText(called), this.#options.messageBytes),
      isRepeatable: idempotencyKey !== undefined && !isStream && sent.uploads.length === 0,
      uploads: sent.uploads,
      sink,
      over: new AbortController(),
      isSent: false,
    };
  }

  #checkQueue(): void {
    const { queue, isLive } = this.#options;
    if (isLive()) return;
    const waiting = [...this.#open.values()].filter(({ isSent }) => !isSent);
    if (waiting.length >= queue)
      throw new HubError<ClientErrorCode>(
        "queue_full",
        `${queue} calls wait for a connection already.`,
      );
  }

  #nextId(): string {
    return `c${++this.#ids}`;
  }

  #limit(call: OpenCall, seconds: number): void {
    const late = new HubError("timed_out", `No answer within ${seconds} s.`);
    const timer = setTimeout(() => this.#cancel(call, late), seconds * 1000);
    call.over.signal.addEventListener("abort", () => clearTimeout(timer));
  }

  #send(call: OpenCall): void {
    call.isSent = true;
    this.#post({ text: call.text, isRequest: call.sink !== undefined });
    const pumps = call.uploads.map((upload) => this.#pump(call, upload));
    if (call.sink) return;
    if (pumps.length === 0) this.#open.delete(call.id);
    else void Promise.all(pumps).then(() => this.#finish(call));
  }

  async #pump(call: OpenCall, upload: Upload): Promise<void> {
    try {
      await pump(upload, this.#options, call.over.signal);
    } catch (error) {
      this.#fail(call, error);
    }
  }

  #post(parcel: Parcel): void {
    this.#options.post(parcel);
  }

  #cancel(call: OpenCall, error: HubError): void {
    if (!this.#open.has(call.id)) return;
    if (call.isSent && this.#options.isLive()) this.#post({ text: cancelText(call.id) });
    this.#fail(call, error);
  }

  #fail(call: OpenCall, error: unknown): void {
    this.#finish(call);
    call.sink?.failed(error);
  }

  #finish(call: OpenCall): void {
    this.#open.delete(call.id);
    call.over.abort();
  }

  /** False where nobody asked, or no longer. */
  answered({ id, result, error }: Frame): boolean {
    const call = this.#open.get(String(id));
    if (!call) return false;
    this.#finish(call);
    if (error) call.sink?.failed(errorOf(error));
    else call.sink?.done(result);
    return true;
  }

  item({ id, item }: { readonly id: string; readonly item: unknown }): void {
    this.#open.get(id)?.sink?.item(item);
  }

  /** Sends what waits, and what may be repeated. */
  connected(): void {
    for (const call of this.#open.values()) if (!call.isSent) this.#send(call);
  }

  /** The connection is lost, and with it the answers to all that was sent. */
  lost(): void {
    const error = new HubError("interrupted", "The connection was lost before the answer came.");
    for (const call of this.#open.values()) {
      if (!call.isSent) continue;
      if (call.isRepeatable) call.isSent = false;
      else this.#fail(call, error);
    }
  }

  /** There will be no other connection. */
  end(error: HubError): void {
    this.#ended = error;
    for (const call of this.#open.values()) this.#fail(call, error);
  }
}

const cancelled = ({ reason }: AbortSignal): HubError =>
  new HubError("cancelled", "The caller cancelled.", { cause: reason });
