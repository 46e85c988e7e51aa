// One call from begin to completion: its session runs it in its turn, it may be cancelled, and it is answered once. What
// it does is its work: a hub's method or stream (hub-call.ts), or a method of the protocol's own (built-ins.ts).

import { HubError, publicError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { CallId, Outgoing, Stage, StreamRef } from "../../model/message.ts";
import { failure, type FailedCall, type SendAnswer } from "./frame-answers.ts";
import type { Publications } from "../context/call-context.ts";
import type { OpenCall, Session } from "./session.ts";
import type { UploadStream } from "./upload-streams.ts";

export interface CallOptions {
  readonly session: Session;
  /** Absent: its caller waits for no answer. */
  readonly id: CallId | undefined;
  /** The method, for the log … */
  readonly name: string;
  /** … and as the caller named it. */
  readonly target: string;
  readonly answer: SendAnswer;
  /** Whether its items go out under its id. Default: no. */
  readonly streams?: boolean;
  /** Gives the result. Begins synchronously. */
  work(call: Call): Promise<unknown>;
}

export class Call implements OpenCall {
  readonly #options: CallOptions;
  readonly id: CallId | undefined;
  readonly streams: boolean;
  readonly #uploads = new Map<string, UploadStream>();
  /** What the call has published. Its completion waits for all of it, and fails with what failed. */
  readonly published: Publications = { tickets: [], elsewhere: [] };
  #controller: AbortController | undefined;
  #cancelled: HubError | undefined;
  /** Lets the connection's next call begin. */
  release: () => void = () => {};
  /** How far it has come. */
  stage: Stage = "finding";

  constructor(options: CallOptions) {
    this.#options = options;
    this.id = options.id;
    this.streams = options.streams ?? false;
  }

  /** Made on first use. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#cancelled) this.#controller.abort(this.#cancelled);
    }
    return this.#controller.signal;
  }

  /** Opens a stream of the caller's, for as long as the call runs. Throws `duplicate_id` or `too_many_streams`. */
  openUpload({ id }: StreamRef): UploadStream {
    const upload = this.#options.session.openUpload(id);
    this.#uploads.set(id, upload);
    return upload;
  }

  /** Answers the caller at once; the handler may run on. */
  cancel(error: HubError): void {
    if (this.#cancelled) return;
    this.#cancelled = error;
    this.#controller?.abort(error);
    for (const upload of this.#uploads.values()) upload.end(error);
    if (error.code === "cancelled") this.stage = "cancelling";
    this.#answer(error);
  }

  async run(release: () => void): Promise<void> {
    if (this.#cancelled) return;
    this.release = release;
    const { session } = this.#options;
    try {
      if (session.unsentChars > session.host.settings.limits.queuedBytes)
        throw new HubError("rate_limited", "Answers of this connection are waiting to be sent.");
      const result = await this.#options.work(this);
      await this.#saved();
      if (!this.#cancelled) this.#complete(result);
    } catch (error) {
      this.#fail(error);
    } finally {
      for (const id of this.#uploads.keys()) this.#options.session.closeUpload(id);
    }
  }

  /** Publications in rooms elsewhere are on their way, in order: the connection's next call may begin meanwhile. */
  async #saved(): Promise<void> {
    if (this.published.elsewhere.length === 0) return;
    this.release();
    await Promise.all(this.published.elsewhere);
  }

  /** Answers at the flush: publications here are saved by then, or have failed. Throws what the protocol cannot carry. */
  #complete(result: unknown): void {
    const { id, answer } = this.#options;
    if (id === undefined) return;
    const { tickets } = this.published;
    const completion = this.encoded({ type: "completion", id, result });
    const { session } = this.#options;
    const size = completion.type === "record" ? completion.record.length : 0;
    session.unsentChars += size;
    answer(() => {
      session.unsentChars -= size;
      const error = tickets.find((ticket) => ticket.error)?.error;
      return error ? failure(id, error, this.#failed) : completion;
    });
  }

  /** The message as it will go out. What cannot be encoded fails here, in its call, and nothing else with it. */
  encoded(message: Outgoing): Outgoing {
    return { type: "record", record: this.#options.session.connection.protocol.encode(message) };
  }

  #fail(error: unknown): void {
    const shown = publicError(error);
    if (shown.code === "internal") {
      logError("call_failed", { method: this.#options.name, error });
      shown.detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
    if (this.#cancelled) return;
    this.#options.session.host.activity.refused(shown.code);
    this.#answer(shown);
  }

  #answer(error: HubError): void {
    const { id, answer } = this.#options;
    if (id !== undefined) answer(failure(id, error, this.#failed));
  }

  get #failed(): FailedCall {
    const { target, session } = this.#options;
    return { target, stage: this.stage, detailed: session.host.settings.detailedErrors };
  }
}
