// What a connection has open while its object is awake: calls in their order, streams both ways, client results. Lost with
// the object's memory; the host remembers, across sleep, which calls such a loss must answer.

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
  /** Absent: its caller waits for no answer. */
  readonly id: CallId | undefined;
  /** Whether its items go out under its id. */
  readonly streams?: boolean;
  /** Runs to its end and never throws; `release` lets the next call begin earlier. */
  run(release: () => void): Promise<void>;
  /** Answers it with this error; may be repeated. */
  cancel(error: HubError): void;
}

/** A longer id is not remembered: attachments are small, and no known client has ids of this length. */
const MAX_REMEMBERED_CHARS = 140;

/** How many refusals a flooding client gets before its socket is closed, for each call of its burst. */
const REFUSALS_PER_CALL = 10;

export class Session {
  readonly host: Host;
  readonly served: ServedHub;
  readonly connection: Connection;
  readonly clientResults: ClientResults;
  readonly rate: TokenBucket;
  /** Refused calls and malformed messages that are still answered. */
  readonly refusals: TokenBucket;
  /** The connection's own limits, by its present token. */
  limits: Limits;
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
  /** The last of its token refreshes: they run one after another. */
  refreshing: Promise<unknown> = DONE;
  /** Messages that came while the hub's `connected` runs, for afterwards: streams have no turn to wait for. */
  gated: (() => void)[] | undefined;
  /** The hub's `connected` threw: then `disconnected` is not called, either. */
  neverBegan = false;
  /** Characters of answers that wait for the next flush: a batch of calls must not make the object hold them all. */
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

  /** A fresh token may allow other limits; the rate of a request over HTTP is its user's. */
  tokenChanged(): void {
    this.limits = limitsOf(this.connection, this.host.settings.limits);
    const { callsPerSecond, callBurst } = this.limits;
    if (!this.connection.httpCaller) this.rate.limit(Date.now(), callsPerSecond, callBurst);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Aborted when the connection is gone. Made on first use: it costs as much as decoding a message. */
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
    const { id } = call;
    const isTaken = id !== undefined && this.#byId.has(id);
    if (isTaken && !this.#mayShareId(call))
      throw new HubError("duplicate_id", `Call ${String(id)} is open already.`);
    this.#open.add(call);
    if (id !== undefined && (!isTaken || call.streams)) this.#byId.set(id, call);
    if (this.connection.resumable) this.#remember();
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
  }

  /** Done when no call is under way or waits. */
  async settled(): Promise<void> {
    if (this.#open.size === 0) return;
    this.#idle = Promise.withResolvers();
    return this.#idle.promise;
  }

  /** Answers the call with this error at once. One that waited for its turn ends by that. */
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
   * Calls that a loss of memory must answer: all of a connection that outlives a crash, and of others those that last.
   */
  #remember(): void {
    const lasting = this.connection.resumable ? this.#open : this.#streams;
    const ids = [...lasting].flatMap(({ id }) => (id === undefined ? [] : JSON.stringify(id)));
    const short = ids.filter(({ length }) => length <= MAX_REMEMBERED_CHARS);
    this.host.connections.remember(this.connection, short);
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

  /** The hub's `connected` is done, or waits for its client: messages that waited are taken now. */
  openGate(): void {
    const waiting = this.gated;
    this.gated = undefined;
    for (const take of waiting ?? []) take();
  }

  /** The connection is gone: everything that waits for it ends. */
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
