// The open work of one connection while its object is awake: calls in their order, streams in both directions, and
// client results. It is lost with the object's memory; the host remembers the ids of calls that must then be answered.

import { HubError } from "../../model/errors.ts";
import type { CallId } from "../../model/message.ts";
import type { Limits } from "../../model/options.ts";
import { limitsOf } from "../../rooms/connection/connection-limits.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Host } from "../../rooms/object/host.ts";
import { tokenBucket, type TokenBucket } from "../../rooms/platform/rates.ts";
import type { ServedHub } from "../define/hub-tables.ts";
import { ClientResults } from "./client-results.ts";
import type { SendAnswer } from "./frame-answers.ts";
import { UploadStream } from "./upload-streams.ts";

/** A call that has begun or waits for its turn. */
export interface OpenCall {
  /** Absent: the caller expects no answer. */
  readonly id: CallId | undefined;
  /** Runs to the end and never rejects. `release` lets the connection's next call begin before that. */
  run(release: () => void): Promise<void>;
  /** Answers the call with this error. May be repeated. */
  cancel(error: HubError): void;
}

/** Longer ids are not remembered: attachments are small, and only ids that consist of escapes are longer. */
const MAX_REMEMBERED_CHARS = 140;

/** Refusals that are answered for each call of the burst, before the socket of a flooding client is closed. */
const REFUSALS_PER_CALL = 10;

/** The session of one connection, created when it is first needed. */
export class Session {
  readonly host: Host;
  readonly served: ServedHub;
  readonly connection: Connection;
  readonly clientResults: ClientResults;
  /** Calls per second; shared by all HTTP requests of a user. */
  readonly rate: TokenBucket;
  /** Refused calls and malformed messages that may still be answered; if it is empty, the socket is closed. */
  readonly refusals: TokenBucket;
  /** The limits of the connection's current token. */
  limits: Limits;
  /** Calls that have begun or wait for their turn. */
  readonly #open = new Set<OpenCall>();
  readonly #byId = new Map<CallId, OpenCall>();
  /** Calls that run beside the others: streams, and calls that read streams. */
  readonly #streams = new Set<OpenCall>();
  readonly #uploads = new Map<string, UploadStream>();
  /** Calls that wait for their turn, the oldest first. */
  readonly #waiting: OpenCall[] = [];
  #running = 0;
  #isClosed = false;
  #idle: PromiseWithResolvers<void> | undefined;
  #gone: AbortController | undefined;
  /** Malformed messages since the last valid one. */
  malformedInARow = 0;
  /** Resolves when the latest token refresh is done: refreshes of a connection run one after another. */
  refreshing: Promise<unknown> = DONE;
  /** Messages received while the hub's `connected` runs. Held here because streams do not wait for a turn. */
  gated: (() => void)[] | undefined;
  /** Whether the hub's `connected` threw: `disconnected` is then not called, either. */
  neverBegan = false;
  /** Characters of answers that wait for the next flush: bounds the memory that the answers to one batch take. */
  unsentChars = 0;

  constructor(host: Host, served: ServedHub, connection: Connection) {
    const { limits } = host.settings;
    this.host = host;
    this.served = served;
    this.connection = connection;
    this.clientResults = new ClientResults(limits.answerSeconds);
    this.limits = limitsOf(connection, limits);
    const { callsPerSecond, callBurst } = this.limits;
    this.rate = connection.httpCaller?.rate ?? tokenBucket(callsPerSecond, callBurst);
    this.refusals = tokenBucket(limits.callsPerSecond, limits.callBurst * REFUSALS_PER_CALL);
  }

  /** Sends an answer to a call of this connection. */
  readonly answer: SendAnswer = (answer) => this.host.replies.send(this.connection, answer);

  /** Applies the limits of a fresh token. The rate of HTTP requests is their user's, and stays as it is. */
  tokenChanged(): void {
    this.limits = limitsOf(this.connection, this.host.settings.limits);
    const { callsPerSecond, callBurst } = this.limits;
    if (!this.connection.httpCaller) this.rate.limit(Date.now(), callsPerSecond, callBurst);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Aborted when the connection ends. Created on first use: it costs as much as decoding a message. */
  get signal(): AbortSignal {
    this.#gone ??= new AbortController();
    if (this.#isClosed) this.#gone.abort(gone());
    return this.#gone.signal;
  }

  /** Runs calls one after another, or as many at once as the hub allows. Throws `duplicate_id` or `rate_limited`. */
  inTurn(call: OpenCall): void {
    const { parallelCalls, queuedCalls } = this.limits;
    const isFree = this.#running < parallelCalls;
    if (!isFree && this.#waiting.length >= queuedCalls)
      throw new HubError("rate_limited", `${queuedCalls} calls are waiting already.`);
    this.#begin(call);
    if (isFree) this.#start(call);
    else this.#waiting.push(call);
  }

  /** Occupies a turn until the call ends or releases it. */
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

  /** Runs a stream, or a call that reads one, beside the others. Throws `duplicate_id` or `too_many_streams`. */
  beside(call: OpenCall): void {
    const { streamsPerConnection } = this.limits;
    if (this.#streams.size >= streamsPerConnection) throw tooManyStreams(streamsPerConnection);
    this.#begin(call);
    this.#streams.add(call);
    this.#remember();
    this.#run(call, () => {});
  }

  /** Throws `duplicate_id` while a call with the same id is open. */
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
    if (isRemembered && !this.#isClosed) this.#remember();
    if (this.#open.size === 0) this.#idle?.resolve();
  }

  /** Resolves when no call is running or waiting. */
  async settled(): Promise<void> {
    if (this.#open.size === 0) return;
    this.#idle = Promise.withResolvers();
    return this.#idle.promise;
  }

  /** Answers the call with this error at once, and removes it if it waits for its turn. Ignores unknown ids. */
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
   * Stores the ids of calls that must be answered if the object loses its memory: every open call of a connection that
   * may be resumed, because it outlives a crash; of other connections only streams, because these outlast short calls.
   */
  #remember(): void {
    const lasting = this.connection.resumable ? this.#open : this.#streams;
    const ids = [...lasting].flatMap(({ id }) => (id === undefined ? [] : JSON.stringify(id)));
    const short = ids.filter(({ length }) => length <= MAX_REMEMBERED_CHARS);
    this.host.connections.remember(this.connection, short);
  }

  /** Opens a stream from the client. Throws `duplicate_id` or `too_many_streams`. */
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

  /** Handles the held messages: `connected` is done, or waits for a client's result. */
  openGate(): void {
    const waiting = this.gated;
    this.gated = undefined;
    for (const take of waiting ?? []) take();
  }

  /** The connection has ended: cancels its calls and client results with `interrupted`. */
  close(): void {
    const error = gone();
    this.#isClosed = true;
    this.#gone?.abort(error);
    this.#waiting.length = 0;
    for (const call of this.#open) call.cancel(error);
    this.clientResults.close();
  }
}

const DONE = Promise.resolve();

const gone = () => new HubError("interrupted", "The connection is gone.");

const tooManyStreams = (most: number) =>
  new HubError("too_many_streams", `${most} streams are open already.`);
