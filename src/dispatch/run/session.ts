// What a connection has open while the object is awake: calls in their order, streams both ways, questions to the
// client. Lost with the object's memory; what a loss must not leave unanswered is remembered by the host.

import { HubError } from "../../model/errors.ts";
import type { CallId } from "../../model/message.ts";
import type { Limits } from "../../model/options.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Host } from "../../rooms/object/host.ts";
import { ClientResults } from "./client-results.ts";
import { tokenBucket, type TokenBucket } from "../../rooms/platform/token-bucket.ts";
import { UploadStream } from "./upload-streams.ts";

/** A call that has begun or waits for its turn. */
export interface OpenCall {
  readonly id: CallId | undefined;
  /** Runs to its end and never throws; `release` lets the next call begin earlier. */
  run(release: () => void): Promise<void>;
  cancel(error: HubError): void;
}

/** A longer id is not remembered: attachments are small, and only ids made of escapes are longer than this. */
const MAX_REMEMBERED_CHARS = 140;

/** How often a flooder is told so before its socket is closed. */
const REFUSALS_PER_CALL = 10;

export class Session {
  readonly host: Host;
  readonly connection: Connection;
  readonly questions: ClientResults;
  readonly rate: TokenBucket;
  /** Refused calls and malformed messages that are still answered. */
  readonly refusals: TokenBucket;
  readonly #open = new Set<OpenCall>();
  readonly #byId = new Map<CallId, OpenCall>();
  readonly #streams = new Set<OpenCall>();
  readonly #uploads = new Map<string, UploadStream>();
  readonly #waiting: OpenCall[] = [];
  #running = 0;
  #isClosed = false;
  #idle: PromiseWithResolvers<void> | undefined;
  #gone: AbortController | undefined;
  malformedInARow = 0;
  /** The newest of its fresh tokens: one waits for the other. */
  refreshing: Promise<unknown> = DONE;
  /** What came while the hub's `connected` runs, for afterwards: streams have no turn to wait for. */
  gated: (() => void)[] | undefined;
  /** The hub's `connected` threw: then it is not told of the end, either. */
  neverBegan = false;
  /** Characters of answers that wait for the next flush: a batch of calls must not make the object hold them all. */
  unsentChars = 0;

  constructor(host: Host, connection: Connection) {
    const { limits } = host.settings;
    this.host = host;
    this.connection = connection;
    this.questions = new ClientResults(limits.answerSeconds);
    const { callsPerSecond, callBurst } = this.limits;
    this.rate = connection.httpCaller?.rate ?? tokenBucket(callsPerSecond, callBurst);
    this.refusals = tokenBucket(limits.callsPerSecond, limits.callBurst * REFUSALS_PER_CALL);
  }

  /** The connection's own, by its present token. */
  get limits(): Limits {
    return this.host.limitsOf(this.connection);
  }

  /** A fresh token may say another rate; that of a request is its user's. */
  limitRate(): void {
    const { callsPerSecond, callBurst } = this.limits;
    if (!this.connection.httpCaller) this.rate.limit(Date.now(), callsPerSecond, callBurst);
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  /** Aborted when the connection is gone. Made only for who looks at it: it costs as much as decoding a message. */
  get signal(): AbortSignal {
    this.#gone ??= new AbortController();
    if (this.#isClosed) this.#gone.abort(gone());
    return this.#gone.signal;
  }

  /** Runs calls one after another, or as many at once as the hub allows. Throws `rate_limited` when too many wait. */
  inTurn(call: OpenCall): void {
    const { parallelCalls, queuedCalls } = this.limits;
    const isFree = this.#running < parallelCalls;
    if (!isFree && this.#waiting.length >= queuedCalls)
      throw new HubError("rate_limited", `${queuedCalls} calls are waiting already.`);
    this.#begin(call);
    if (isFree) this.#start(call);
    else this.#waiting.push(call);
  }

  #start(call: OpenCall): void {
    this.#running++;
    let held = true;
    this.#run(call, () => {
      if (!held) return;
      held = false;
      this.#running--;
      const next = this.#waiting.shift();
      if (next) this.#start(next);
    });
  }

  /** Runs a call that lasts (a stream, or one that reads a stream) beside the others. Throws `too_many_streams`. */
  beside(call: OpenCall): void {
    const { streamsPerConnection } = this.limits;
    if (this.#streams.size >= streamsPerConnection) throw tooManyStreams(streamsPerConnection);
    this.#begin(call);
    this.#streams.add(call);
    this.#remember();
    this.#run(call, () => {});
  }

  #begin(call: OpenCall): void {
    if (call.id !== undefined && this.#byId.has(call.id))
      throw new HubError("duplicate_id", `Call ${String(call.id)} is open already.`);
    this.#open.add(call);
    if (call.id !== undefined) this.#byId.set(call.id, call);
    if (this.connection.resumable) this.#remember();
  }

  #run(call: OpenCall, release: () => void): void {
    const done = () => {
      this.#end(call);
      release();
    };
    this.host.waitUntil(call.run(release).finally(done));
  }

  #end(call: OpenCall): void {
    this.#open.delete(call);
    if (call.id !== undefined) this.#byId.delete(call.id);
    const isRemembered = this.#streams.delete(call) || this.connection.resumable !== undefined;
    if (isRemembered && !this.closed) this.#remember();
    if (this.#open.size === 0) this.#idle?.resolve();
  }

  /** Done when no call is under way or waits. */
  async settled(): Promise<void> {
    if (this.#open.size === 0) return;
    this.#idle = Promise.withResolvers();
    return this.#idle.promise;
  }

  /** Answers the call now. One that waited for its turn is over by that. */
  cancel(id: CallId, error: HubError): void {
    const call = this.#byId.get(id);
    if (!call) return;
    call.cancel(error);
    const place = this.#waiting.indexOf(call);
    if (place < 0) return;
    this.#waiting.splice(place, 1);
    this.#end(call);
  }

  /**
   * A wake without memory must be able to say that these are lost: of a connection that outlives a crash all, of
   * others those that last.
   */
  #remember(): void {
    const lasting = this.connection.resumable ? this.#open : this.#streams;
    const ids = [...lasting].flatMap(({ id }) => (id === undefined ? [] : JSON.stringify(id)));
    const short = ids.filter(({ length }) => length <= MAX_REMEMBERED_CHARS);
    this.host.remember(this.connection, short);
  }

  /** Opens a stream of the client's. Throws `duplicate_id` or `too_many_streams`. */
  openUpload(id: string): UploadStream {
    const { streamsPerConnection, streamBuffer, queuedBytes } = this.limits;
    if (this.#uploads.has(id))
      throw new HubError("duplicate_id", `Invocation ID '${id}' is already in use.`);
    if (this.#uploads.size >= streamsPerConnection) throw tooManyStreams(streamsPerConnection);
    const upload = new UploadStream({ items: streamBuffer, bytes: queuedBytes });
    this.#uploads.set(id, upload);
    return upload;
  }

  upload(id: string): UploadStream | undefined {
    return this.#uploads.get(id);
  }

  closeUpload(id: string): void {
    this.#uploads.get(id)?.end(null);
    this.#uploads.delete(id);
  }

  /** `connected` is done, or asks its client something: what waited comes now. */
  open(): void {
    const waiting = this.gated;
    this.gated = undefined;
    for (const take of waiting ?? []) take();
  }

  /** The connection is gone: nothing that waits for it shall wait longer. */
  close(): void {
    const error = gone();
    this.#isClosed = true;
    this.#gone?.abort(error);
    this.#waiting.length = 0;
    for (const call of this.#open) call.cancel(error);
    this.questions.close();
  }
}

const DONE = Promise.resolve();

const gone = () => new HubError("interrupted", "The connection is gone.");

const tooManyStreams = (most: number) =>
  new HubError("too_many_streams", `${most} streams are open already.`);
