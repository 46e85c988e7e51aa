// The open work of one connection while its object is awake: calls in their order, streams in both directions, and
// client results. It is lost with the object's memory; the host remembers the ids of calls that must then be answered.

import { HubError, type CloseCode } from "../../model/errors.ts";
import type { CallId } from "../../model/message.ts";
import type { Limits } from "../../model/options.ts";
import { limitsOf } from "../../rooms/connection/connection-limits.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Host } from "../../rooms/object/host.ts";
import { tokenBucket, type TokenBucket } from "../../rooms/platform/rates.ts";
import type { ServedHub } from "../define/hub-tables.ts";
import { BackgroundWork } from "./background-work.ts";
import { CallQueue, type OpenCall } from "./call-queue.ts";
import { ClientResults } from "./client-results.ts";
import type { SendAnswer } from "./frame-answers.ts";
import { caughtUp, isBehind } from "./slow-reader.ts";
import { tooManyStreams, UploadStreams } from "./upload-streams.ts";

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
  /** Streams from the client. */
  readonly uploads = new UploadStreams();
  readonly background: BackgroundWork;
  readonly #queue = new CallQueue((call, release) => this.#runInTurn(call, release));
  #isClosed = false;
  #isFinishing = false;
  #idle: PromiseWithResolvers<void> | undefined;
  /** Resolved when every call that is no stream has ended. */
  #answered: PromiseWithResolvers<void> | undefined;
  #gone: AbortController | undefined;
  /** Malformed messages since the last valid one. */
  malformedInARow = 0;
  /** Resolves when the latest token refresh is done: refreshes of a connection run one after another. */
  refreshing: Promise<unknown> = Promise.resolve();
  /** Done when the hub's `connected` is. */
  began: Promise<void> = Promise.resolve();
  /** The error with which the client closed the connection. */
  clientError: Error | undefined;
  /** Messages received while the hub's `connected` runs. Held here because streams do not wait for a turn. */
  gated: (() => void)[] | undefined;
  /** Whether the hub's `connected` threw: `disconnected` is then not called, either. */
  neverBegan = false;
  /** Characters of answers that wait for the next flush: bounds the memory that the answers to one batch take. */
  unsentChars = 0;

  constructor(host: Host, served: ServedHub, connection: Connection) {
    const { limits } = host.settings;
    this.host = host;
    this.background = new BackgroundWork(host);
    this.served = served;
    this.connection = connection;
    this.clientResults = new ClientResults(limits.answerSeconds, host.clock);
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
    if (!this.connection.httpCaller)
      this.rate.limit(this.host.clock.now(), callsPerSecond, callBurst);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** False once the connection has ended, or is about to: messages received then are ignored. */
  get isReceiving(): boolean {
    return !this.#isClosed && !this.#isFinishing;
  }

  /** Aborted when the connection ends. Created on first use: it costs as much as decoding a message. */
  get signal(): AbortSignal {
    this.#gone ??= new AbortController();
    if (this.#isClosed) this.#gone.abort(gone());
    return this.#gone.signal;
  }

  /** Runs calls one after another, or as many at once as the hub allows. Throws `duplicate_id` or `rate_limited`. */
  inTurn(call: OpenCall): void {
    this.#queue.checkRoom(this.limits);
    this.#begin(call);
    this.#queue.add(call, this.limits);
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
    const { id } = call;
    const isTaken = id !== undefined && this.#byId.has(id);
    if (isTaken && !this.#mayShareId(call))
      throw new HubError("duplicate_id", `Call ${String(id)} is open already.`);
    this.#open.add(call);
    if (id !== undefined && (!isTaken || call.streams)) this.#byId.set(id, call);
    if (this.connection.resumable) this.#remember();
  }

  /** Where a client that may resume or polls is behind, it must take its answers before its next call begins. */
  #runInTurn(call: OpenCall, release: () => void): void {
    if (!this.connection.resumable || !isBehind(this)) return this.#run(call, release);
    const ready = caughtUp(this, () => this.#isClosed);
    this.host.waitUntil(ready.then(() => this.#run(call, release)));
  }

  /** As in ASP.NET Core, whose clients may number all calls alike: streams alone need an id of their own. */
  #mayShareId({ id, streams }: OpenCall): boolean {
    const isSignalR = this.connection.protocol.binding !== undefined;
    return isSignalR && !(streams && this.#byId.get(id!)?.streams);
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
    if (call.id !== undefined && this.#byId.get(call.id) === call) this.#byId.delete(call.id);
    const isRemembered = this.#streams.delete(call) || this.connection.resumable !== undefined;
    if (isRemembered && !this.#isClosed) this.#remember();
    if (this.#open.size === 0) this.#idle?.resolve();
    if (this.#open.size === this.#streams.size) this.#answered?.resolve();
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
    if (this.#queue.remove(call)) this.#end(call);
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

  /** Handles the held messages: `connected` is done, or waits for a client's result. Nothing once it has ended. */
  openGate(): void {
    const waiting = this.gated;
    this.gated = undefined;
    if (!this.#isClosed) for (const take of waiting ?? []) take();
  }

  /**
   * Closes the connection once the calls before this message are answered, as in ASP.NET; messages behind it are
   * ignored. A call that does not end holds this close back, but not the end of the client's socket.
   */
  finish(why: CloseCode, detail?: string): void {
    this.#isFinishing = true;
    this.host.waitUntil(this.#finish(why, detail));
  }

  async #finish(why: CloseCode, detail: string | undefined): Promise<void> {
    await this.began;
    this.#answered ??= Promise.withResolvers();
    if (this.#open.size > this.#streams.size) await this.#answered.promise;
    this.host.connections.dismiss(this.connection, why, detail);
  }

  /**
   * The connection has ended: cancels running calls and client results with `interrupted`. Calls that wait for their
   * turn came before the end, so they run all the same, with an aborted signal; unless the server ended the connection.
   */
  close(byServer: boolean): void {
    const error = gone();
    this.#isClosed = true;
    this.#gone?.abort(error);
    if (byServer) this.#queue.clear();
    for (const call of this.#open) if (!this.#queue.isWaiting(call)) call.cancel(error);
    this.clientResults.close();
  }

  /** After `close`: done when `connected` is, and the calls that waited have had their turn. */
  async ended(): Promise<void> {
    await this.began;
    await this.#queue.served(this.host.settings.limits.requestSeconds);
  }
}

const gone = () => new HubError("interrupted", "The connection is gone.");
