// Calls to the hub that are not complete: those that wait for a connection, and those that wait for their response.

import { HubError } from "../../model/errors.ts";
import { limit } from "../platform/timer.ts";
import type { OutgoingMessage } from "../transport/send-queue.ts";
import { callText, cancelText, errorOf, type Frame } from "../transport/wire.ts";
import type { CallObserver, Cancel } from "./server-streams.ts";
import { checkSize, extractUploads, pump, type Upload, type UploadChannel } from "./upload-pump.ts";
import type { ClientErrorCode } from "../model/client-errors.ts";

/** Options of calls: `with({ … })` of a connection. */
export interface CallOptions {
  /**
   * Lets the call be repeated after a lost connection. Its handler may then run twice, but a room accepts what the
   * handler publishes under one key only once, so every call needs a key of its own. Without a key, a call whose
   * response was lost rejects with `interrupted`. Streams and calls with uploads are never repeated.
   */
  readonly idempotencyKey?: string | undefined;
  /** Cancels the call here and at the server. The call rejects with `cancelled`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * After this time the call is cancelled and rejects with `timed_out`. Time spent waiting for a connection counts.
   * Default: no limit. Limits of more than 24 days end after 24 days.
   */
  readonly timeoutSeconds?: number | undefined;
}

export interface CallRequest {
  readonly method: string;
  readonly args: readonly unknown[];
  readonly options: CallOptions;
  readonly isStream?: boolean;
}

export interface PendingCallsOptions extends UploadChannel {
  /** Whether the connection is open: a message posted now reaches the server, unless it is lost on the way. */
  isLive(): boolean;
  /** The most calls that may wait for a connection. */
  readonly queue: number;
}

interface PendingCall extends OutgoingMessage {
  readonly id: string;
  /** Empty until the call is admitted. */
  text: string;
  readonly isRepeatable: boolean;
  readonly uploads: readonly Upload[];
  /** Absent: nothing waits for a response. Without uploads, it is a notification. */
  readonly observer: CallObserver | undefined;
  /** Aborted when the call is complete: its uploads, its timer and its abort listener end with it. */
  readonly lifetime: AbortController;
  isSent: boolean;
}

/**
 * Each call completes once: with its response, an error, or its cancellation. A call is sent at once on a live
 * connection, and otherwise after the next greeting, in the order in which the calls were made.
 */
export class PendingCalls {
  readonly #options: PendingCallsOptions;
  /** By id, in the order in which the calls were made. */
  readonly #calls = new Map<string, PendingCall>();
  #ids = 0;
  /** Set by `end`: the error with which every later call is refused. */
  #endError: HubError | undefined;

  constructor(options: PendingCallsOptions) {
    this.#options = options;
  }

  /** Rejects with the call's error, and with the errors that `start` throws. */
  invoke(request: CallRequest): Promise<unknown> {
    return new Promise(
      (complete, error) => void this.start(request, { next() {}, complete, error }),
    );
  }

  /**
   * Throws `queue_full`, `too_large`, `cancelled` for a signal already aborted, and `closed` after `end`. The sources of
   * such a call's uploads are stopped.
   */
  start(request: CallRequest, observer?: CallObserver): Cancel {
    const { signal, timeoutSeconds } = request.options;
    const call = this.#create(request, observer);
    this.#calls.set(call.id, call);
    const cancel = () => this.#cancel(call, cancellation(signal));
    signal?.addEventListener("abort", cancel, call.lifetime);
    if (timeoutSeconds !== undefined) {
      const end = limit(timeoutSeconds * 1000, () =>
        this.#cancel(call, new HubError("timed_out", `No answer within ${timeoutSeconds} s.`)),
      );
      call.lifetime.signal.addEventListener("abort", end);
    }
    if (this.#options.isLive()) this.#send(call);
    return cancel;
  }

  #create({ method, args, options, isStream }: CallRequest, observer?: CallObserver): PendingCall {
    const id = this.#nextId();
    const { uploads, ...plain } = extractUploads(args, () => this.#nextId());
    // By its id the server cancels a call with uploads, also one whose response nobody wants.
    const isRequest = observer !== undefined || uploads.length > 0;
    const call: PendingCall = {
      id,
      isRequest,
      text: "",
      isRepeatable: options.idempotencyKey !== undefined && !isStream && uploads.length === 0,
      uploads,
      observer,
      lifetime: new AbortController(),
      isSent: false,
    };
    try {
      this.#checkOpen(options.signal);
      const text = callText({ ...options, id: isRequest ? id : undefined, method, ...plain });
      call.text = checkSize(text, this.#options.messageBytes);
      return call;
    } catch (error) {
      this.#complete(call);
      throw error;
    }
  }

  #checkOpen(signal?: AbortSignal): void {
    if (this.#endError) throw this.#endError;
    if (signal?.aborted) throw cancellation(signal);
    const { queue, isLive } = this.#options;
    const waiting = [...this.#calls.values()].filter(({ isSent }) => !isSent);
    if (!isLive() && waiting.length >= queue)
      throw new HubError<ClientErrorCode>("queue_full", `${queue} calls are waiting.`);
  }

  /** Ids of calls and of uploads share one sequence. */
  #nextId(): string {
    return `c${++this.#ids}`;
  }

  /** Sends a call. A notification is complete once it and its uploads are sent. */
  #send(call: PendingCall): void {
    call.isSent = true;
    this.#options.post(call);
    const pumped = this.#pump(call);
    if (!call.observer) void pumped.then(() => this.#complete(call));
  }

  /** Sends the call's uploads. Only stops their sources if the call is complete. */
  async #pump(call: PendingCall): Promise<void> {
    const { uploads, lifetime } = call;
    try {
      await Promise.all(uploads.map((upload) => pump(upload, this.#options, lifetime.signal)));
    } catch (error) {
      // At the server too, because its method may be reading another upload of the call.
      this.#cancel(call, error);
    }
  }

  #cancel(call: PendingCall, error: unknown): void {
    if (!this.#calls.has(call.id)) return;
    if (call.isSent && this.#options.isLive()) this.#options.post({ text: cancelText(call.id) });
    this.#fail(call, error);
  }

  #fail(call: PendingCall, error: unknown): void {
    this.#complete(call);
    call.observer?.error(error);
  }

  #complete(call: PendingCall): void {
    this.#calls.delete(call.id);
    call.lifetime.abort();
    if (!call.isSent) void this.#pump(call);
  }

  /** Completes the call of a response. False if no call has this id, for example after its cancellation. */
  onResponse({ id, result, error }: Frame): boolean {
    const call = this.#calls.get(String(id));
    if (!call) return false;
    this.#complete(call);
    if (error) call.observer?.error(errorOf(error));
    else call.observer?.complete(result);
    return true;
  }

  onItem({ id, item }: { readonly id: string; readonly item: unknown }): void {
    this.#calls.get(id)?.observer?.next(item);
  }

  /** Sends the calls that wait, and repeats those that may be repeated. */
  onConnected(): void {
    for (const call of this.#calls.values()) if (!call.isSent) this.#send(call);
  }

  /** The responses of all calls that were sent are lost: these calls fail, unless they may be repeated. */
  onLost(): void {
    const error = new HubError("interrupted", "The connection was lost.");
    for (const call of this.#calls.values()) {
      if (!call.isSent) continue;
      if (call.isRepeatable) call.isSent = false;
      else this.#fail(call, error);
    }
  }

  /** Called when no connection follows: all present and future calls fail with `error`. */
  end(error: HubError): void {
    this.#endError = error;
    for (const call of this.#calls.values()) this.#fail(call, error);
  }
}

const cancellation = (signal?: AbortSignal): HubError =>
  new HubError("cancelled", "The caller cancelled.", { cause: signal?.reason });
