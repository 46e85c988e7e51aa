// One call from begin to completion: its session runs it in its turn, it may be cancelled, and it is answered once. Its
// work is a hub's method or stream (hub-call.ts), or a method of the protocol itself (built-ins.ts).

import { errorLine, HubError, publicError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { CallId, Outgoing, Stage, StreamRef } from "../../model/message.ts";
import { Publications } from "../../rooms/delivery/fan-out.ts";
import { failure, showsDetails, type FailedCall, type SendAnswer } from "./frame-answers.ts";
import { callContext, messengerOf } from "../context/call-context.ts";
import type { OpenCall } from "./open-calls.ts";
import type { Session } from "./session.ts";
import { noteRefusedCall } from "./refused-calls.ts";
import type { UploadStream } from "./upload-streams.ts";

export interface CallOptions {
  readonly session: Session;
  /** Absent: the caller expects no answer. */
  readonly id: CallId | undefined;
  /** The method's name for the log: `hub.method`, or the protocol's own name. */
  readonly name: string;
  /** The method's name as the caller spelled it, for error texts. */
  readonly target: string;
  /** Called once at most: with the completion, or with a failure. Not called without an `id`. */
  readonly answer: SendAnswer;
  /** Bytes of memory that its arguments take. */
  readonly held: number;
  /** Whether its items are sent under its id. Default: no. */
  readonly streams?: boolean;
  /**
   * Resolves with the result. Begins synchronously, so that uploads are open before the next frame is received. Rejects
   * with the call's error, of which callers see what `publicError` shows.
   */
  work(call: Call): Promise<unknown>;
}

export class Call implements OpenCall {
  readonly #options: CallOptions;
  readonly id: CallId | undefined;
  readonly streams: boolean;
  readonly held: number;
  readonly #cameAt = Date.now();
  readonly #uploads = new Map<string, UploadStream>();
  /** The call's publications. Its completion waits until all are saved, and is a failure if one was not saved. */
  readonly published = new Publications();
  #controller: AbortController | undefined;
  /** Once set, nothing else answers the call. */
  #cancelled: HubError | undefined;
  /** The error of the handler, and the one that the caller gets for it: it is logged once. */
  #failedBy: { readonly error: unknown; readonly shown: HubError } | undefined;
  /** Whether the caller has cancelled it. Not set by the end of its connection, after which waiting calls still run. */
  wasCancelled = false;
  /** The method's name for the log. `$/run` becomes its action. */
  name: string;
  /** Lets the connection's next call begin. May be called several times; the first one counts. */
  release: () => void = () => {};
  /** The stage reached: SignalR's error texts depend on it. */
  stage: Stage = "finding";

  constructor(options: CallOptions) {
    this.#options = options;
    [this.name, this.id, this.held] = [options.name, options.id, options.held];
    this.streams = options.streams ?? false;
  }

  /** Aborted with the error of `cancel`. Created on first use, since most calls use none. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      const { session } = this.#options;
      if (this.#cancelled) this.#controller.abort(this.#cancelled);
      else if (session.isClosed) this.#controller.abort(session.signal.reason);
    }
    return this.#controller.signal;
  }

  /** Opens a stream from the caller, for as long as the call runs. Throws `duplicate_id` or `too_many_streams`. */
  openUpload({ id }: StreamRef): UploadStream {
    const upload = this.#options.session.openUpload(id);
    this.#uploads.set(id, upload);
    return upload;
  }

  /**
   * Answers the caller at once, aborts `signal`, and ends the call's uploads. The handler itself is not stopped: it may
   * go on, and its result is dropped. May be repeated.
   */
  cancel(error: HubError): void {
    if (this.#cancelled) return;
    this.#cancelled = error;
    this.#controller?.abort(error);
    for (const upload of this.#uploads.values()) upload.end(error);
    this.wasCancelled = error.code === "cancelled";
    if (this.wasCancelled) this.stage = "cancelling";
    this.#answer(error);
  }

  /**
   * Runs the work and answers. Never rejects. Does nothing for a call that was cancelled before its turn. Fails with
   * `rate_limited` if too many works of `waitUntil` are under way, or, in JSON-RPC, too many answers are not sent yet.
   */
  async run(release: () => void): Promise<void> {
    if (this.#cancelled) return;
    this.release = release;
    const answer = await this.#work();
    const { connection, host } = this.#options.session;
    if (this.published.elsewhere.size === 0 && connection.deferred === 0) answer();
    else await this.#inOrder(answer);
    const ms = this.streams ? undefined : Date.now() - this.#cameAt;
    if (ms === 0) host.activity.counters.calls.instant += 1;
    else if (ms !== undefined) host.activity.answered(ms);
  }

  /** Does the work, and resolves with the function that sends its answer. Never rejects. */
  async #work(): Promise<() => void> {
    const { session } = this.#options;
    try {
      const isBatchable = session.connection.protocol.binding === "json-rpc";
      if (isBatchable && session.unsentChars > session.host.settings.limits.queuedBytes)
        throw new HubError("rate_limited", "Answers of this connection are waiting to be sent.");
      const { queuedCalls } = session.limits;
      if (session.background.underWay >= queuedCalls)
        throw new HubError(
          "rate_limited",
          `${queuedCalls} promises of earlier calls are under way (limits.queuedCalls).`,
        );
      return this.#completion(await this.#options.work(this));
    } catch (error) {
      return () => this.#fail(error);
    } finally {
      for (const id of this.#uploads.keys()) session.closeUpload(id);
    }
  }

  /**
   * Answers once the call's publications in rooms of other objects are saved and the caller's own copies are queued,
   * and after answers to earlier calls. The order is fixed already, so that the next call may begin meanwhile.
   */
  #inOrder(answer: () => void): Promise<void> | undefined {
    const { connection, host } = this.#options.session;
    const saved = Promise.all(this.published.elsewhere).catch((error: unknown) =>
      this.published.add({ error: this.#shown(error) }),
    );
    const about = { caller: connection, recipient: connection, after: [saved] };
    const answered = host.inOrder(about, answer);
    this.release();
    return answered;
  }

  /**
   * Returns the function that answers with the result at the flush, when publications in this object's room have been
   * saved or have failed. Until then the answer's size is counted. Throws if the protocol cannot encode it.
   */
  #completion(result: unknown): () => void {
    const { id, answer, session } = this.#options;
    if (id === undefined) return () => {};
    const completion = this.encoded({ type: "completion", id, result });
    const uncount = countUnsent(
      session,
      completion.type === "record" ? completion.record.length : 0,
    );
    return () => {
      if (this.#cancelled) return uncount();
      answer(() => {
        uncount();
        const error = this.published.tickets.find((ticket) => ticket.error)?.error;
        return error ? failure(id, error, this.#failed) : completion;
      });
    };
  }

  /** Encodes the message now, so that an error fails this call only, and not the flush of all messages. */
  encoded(message: Outgoing): Outgoing {
    return { type: "record", record: this.#options.session.connection.protocol.encode(message) };
  }

  #fail(error: unknown): void {
    const shown = this.#shown(error);
    if (!this.#cancelled) this.#answer(shown);
  }

  /** Logs an error that is no `HubError`, once; its text reaches the caller only if the hub has `detailedErrors`. */
  #shown(error: unknown): HubError {
    if (this.#failedBy && this.#failedBy.error === error) return this.#failedBy.shown;
    const { session } = this.#options;
    const shown = publicError(error);
    this.#failedBy = { error, shown };
    if (shown.code === "internal") {
      logError("call_failed", { method: this.name, error });
      shown.detail = errorLine(error);
    }
    if (!this.#cancelled) noteRefusedCall(session.host, this.name, shown);
    return shown;
  }

  #answer(error: HubError): void {
    const { id, answer } = this.#options;
    if (id !== undefined) answer(failure(id, error, this.#failed));
  }

  get #failed(): FailedCall {
    const { target, session } = this.#options;
    return { target, stage: this.stage, detailed: showsDetails(session.host) };
  }
}

/** Counts an answer that waits to be sent, until the returned function is called. */
function countUnsent(session: Session, size: number): () => void {
  const { connection } = session;
  const isSmall = size <= connection.spareBytes;
  session.unsentChars += size;
  if (isSmall) connection.spareBytes -= size;
  else connection.held.buffer(size);
  return () => {
    session.unsentChars -= size;
    if (isSmall) connection.spareBytes += size;
    else connection.held.unbuffer(size);
  };
}

interface Called {
  /** The method's name in the hub. */
  readonly name: string;
  /** The caller's idempotency key. */
  readonly key: string | undefined;
}

/**
 * The context of a connection's call, for its handler and for filters around it. Before the handler waits for a
 * client's result, the connection's next call may begin.
 */
export function callerContext(call: Call, session: Session, { name, key }: Called) {
  const { connection, host, served } = session;
  // The same for repetitions of a call: user and key, encoded without ambiguity.
  const idPrefix = key === undefined ? undefined : JSON.stringify([connection.user.id, key]);
  const asking = () => session.calls.isCrowded || call.release();
  const messenger = messengerOf(
    { host, served, caller: connection, idPrefix, asking },
    call.published,
  );
  return callContext({
    ...{ host, served, caller: connection, messenger },
    end: (why) => session.end(why),
    waitUntil: (work) => session.background.add(work, { hub: served.name, method: name }),
    signal: () => call.signal,
  });
}
