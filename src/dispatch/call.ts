// One call from begin to completion: find → authorise → validate → handle → complete. Streams are calls whose items
// go out before the completion.

import { HubError, publicError } from "../model/errors.ts";
import type { Invocation, StreamRef } from "../model/message.ts";
import { failure, type Answering } from "./answering.ts";
import { callContext, voiceOf, type Said } from "./contexts.ts";
import { find, prepare } from "./invocation.ts";
import type { OpenCall, Session } from "./session.ts";
import { streamItems } from "./stream-items.ts";
import type { ServedHub } from "./tables.ts";

/** Starts the call: at once where it streams, otherwise in its turn. What it throws is the caller's error. */
export function startCall(
  session: Session,
  served: ServedHub,
  invocation: Invocation,
  answer: Answering,
): void {
  const { id, target } = invocation;
  if (id !== undefined && session.has(id))
    throw new HubError("duplicate_id", `Call ${String(id)} is open already.`);
  const member = find(served, target);
  const streams = member.kind === "stream" || member.args.some((arg) => "streamOf" in arg);
  if (member.kind === "stream" && id === undefined)
    throw new HubError("wrong_kind", `${target} is a stream: call it with an id.`);
  const call = new Call({ session, served, invocation, answer, streams: member.kind === "stream" });
  if (streams) session.beginStream(call);
  session.begin(call);
  if (!streams) return session.inTurn((release) => call.run(release));
  session.host.waitUntil(call.runBeside());
}

interface Begun {
  readonly session: Session;
  readonly served: ServedHub;
  readonly invocation: Invocation;
  readonly answer: Answering;
  /** Whether items go out before the completion. */
  readonly streams: boolean;
}

class Call implements OpenCall {
  readonly #session: Session;
  readonly #served: ServedHub;
  readonly #invocation: Invocation;
  readonly #answer: Answering;
  readonly #streams: boolean;
  readonly #uploads: string[] = [];
  readonly #said: Said = { tickets: [], elsewhere: [] };
  #controller: AbortController | undefined;
  #cancelled: HubError | undefined;

  constructor(begun: Begun) {
    this.#session = begun.session;
    this.#served = begun.served;
    this.#invocation = begun.invocation;
    this.#answer = begun.answer;
    this.#streams = begun.streams;
  }

  get id() {
    return this.#invocation.id;
  }

  /** The handler may run on; its caller is answered now. */
  cancel(error: HubError): void {
    if (this.#cancelled) return;
    this.#cancelled = error;
    this.#controller?.abort(error);
    for (const stream of this.#uploads) this.#session.upload(stream)?.end(error);
    this.#fail(error);
  }

  /** Streams do not wait for their turn. */
  async runBeside(): Promise<void> {
    await this.run(() => {});
    this.#session.endStream(this);
  }

  async run(release: () => void): Promise<void> {
    try {
      const result = await this.#handle(release);
      await Promise.all(this.#said.elsewhere);
      this.#complete(result);
    } catch (error) {
      const shown = publicError(error);
      if (shown.code === "internal")
        console.error(`${this.#served.name}.${this.#invocation.target}:`, error);
      if (!this.#cancelled) this.#fail(shown);
    } finally {
      for (const stream of this.#uploads) this.#session.closeUpload(stream);
      this.#session.end(this);
    }
  }

  async #handle(release: () => void): Promise<unknown> {
    if (this.#cancelled) throw this.#cancelled;
    const { target, args } = this.#invocation;
    const { user } = this.#session.connection;
    const open = (ref: StreamRef) => this.#openUpload(ref);
    const { member, args: checked } = await prepare(this.#served, { target, args, user, open });
    const result = await member.handle(this.#context(release), ...checked);
    if (!this.#streams) return result;
    await streamItems(
      this.#session,
      this.id ?? null,
      result as AsyncIterable<unknown>,
      this.#signal(),
    );
    return null;
  }

  #context(release: () => void) {
    const { host, connection } = this.#session;
    const { idempotencyKey: key } = this.#invocation;
    const idempotencyKey = key === undefined ? undefined : `${connection.user.id}/${key}`;
    const voice = voiceOf(
      { host, served: this.#served, idempotencyKey, asking: release },
      this.#said,
    );
    return callContext({ host, caller: connection, voice, signal: () => this.#signal() });
  }

  #openUpload({ id }: StreamRef): AsyncIterable<unknown> {
    const upload = this.#session.openUpload(id);
    this.#uploads.push(id);
    return upload;
  }

  #signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#cancelled) this.#controller.abort(this.#cancelled);
    }
    return this.#controller.signal;
  }

  /** Asked at the flush: what was said here is saved by then, or has failed. */
  #complete(result: unknown): void {
    const { id } = this;
    if (id === undefined || this.#cancelled) return;
    const { tickets } = this.#said;
    this.#answer(() => {
      const error = tickets.find((ticket) => ticket.error)?.error;
      return error ? failure(id, error) : { type: "completion", id, result };
    });
  }

  #fail(error: HubError): void {
    if (this.id !== undefined) this.#answer(failure(this.id, error));
  }
}
