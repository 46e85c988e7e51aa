// One connection while its object is awake: its open calls, streams from the client, client results, and the state that
// they need. It is lost with the object's memory.

import { HubError, serverError, type CloseCode } from "../../model/errors.ts";
import type { CallId } from "../../model/message.ts";
import type { Limits } from "../../model/options.ts";
import { limitsOf } from "../../rooms/connection/connection-limits.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Host } from "../../rooms/object/host.ts";
import { Budget } from "../../rooms/platform/budget.ts";
import { TokenBucket } from "../../rooms/platform/rates.ts";
import type { ServedHub } from "../define/hub-tables.ts";
import { BackgroundWork } from "./background-work.ts";
import { ClientResults } from "./client-results.ts";
import type { SendAnswer } from "./frame-answers.ts";
import { JoinLimits } from "./join-limits.ts";
import { MAX_REMEMBERED_CHARS, OpenCalls } from "./open-calls.ts";
import { tooManyStreams, UploadStream } from "./upload-streams.ts";

/** For each call of the burst so many refusals are answered, before the socket of a flooding client is closed. */
const REFUSALS_PER_CALL = 10;

/** Memory of a message that is held until `connected` is done, in addition to its values. */
export const GATED_BYTES = 256;
/** Memory of a room that was replayed, in addition to its name. */
const RECOVERED_BYTES = 64;

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
  readonly calls: OpenCalls;
  readonly background: BackgroundWork;
  /** Sends an answer to a call of this connection. */
  readonly answer: SendAnswer;
  /** Bytes of history that the client may read; undefined until it reads some. */
  #historyBudget: Budget | undefined;
  /** Number of pages that the client has read. */
  reads = 0;
  /** Rooms that were replayed to the client. */
  readonly #recovered = new Set<string>();
  /** Limits of the client's joins: how many at once, and how many a second. */
  readonly joins: JoinLimits;
  readonly #uploads = new Map<string, UploadStream>();
  /** False once the connection has ended, or is about to: messages received then are ignored. */
  isReceiving = true;
  #isClosed = false;
  #gone: AbortController | undefined;
  /** Malformed messages since the last valid one. */
  malformedInARow = 0;
  /** Resolves when the latest token refresh is done: refreshes of a connection run one after another. */
  refreshing: Promise<unknown> = Promise.resolve();
  /** Resolves when the hub's `connected` is done. */
  began: Promise<void> = Promise.resolve();
  /** The error with which the client closed the connection, or the reason why its message could not be read. */
  clientError: Error | undefined;
  /** Messages received while the hub's `connected` runs. Held here because streams do not wait for a turn. */
  gated: (() => void)[] | undefined;
  /** Bytes of these messages, as counted in the connection's budget. */
  gatedBytes = 0;
  #gatedCalls = 0;
  /** Whether the hub's `connected` threw: `disconnected` is then not called, either. */
  neverBegan = false;
  /**
   * Characters of answers that wait for the next flush: limits the memory of the answers to one batch. In SignalR,
   * further calls wait. Items of streams are counted separately (`flow.unsent`), because they slow down their own
   * stream, while this counter refuses calls of a batch: large streams must not cause refusals of calls.
   */
  unsentChars = 0;

  constructor(host: Host, served: ServedHub, connection: Connection) {
    const { limits } = host.settings;
    this.host = host;
    this.served = served;
    this.connection = connection;
    this.calls = new OpenCalls(this);
    this.background = new BackgroundWork(host);
    this.answer = host.replies.send.bind(host.replies, connection);
    this.clientResults = new ClientResults(limits.answerSeconds, host.clock);
    this.limits = limitsOf(connection, limits);
    const { callsPerSecond, callBurst } = this.limits;
    this.rate = connection.httpCaller?.rate ?? new TokenBucket(callsPerSecond, callBurst);
    this.joins = new JoinLimits(this.limits);
    this.refusals = new TokenBucket(limits.callsPerSecond, limits.callBurst * REFUSALS_PER_CALL);
  }

  /** Applies the limits of a fresh token. The rate of HTTP requests belongs to their user, and does not change. */
  tokenChanged(): void {
    this.limits = limitsOf(this.connection, this.host.settings.limits);
    const { callsPerSecond, callBurst } = this.limits;
    this.joins.limit(this.limits);
    if (!this.connection.httpCaller)
      this.rate.limit(this.host.clock.now(), callsPerSecond, callBurst);
  }

  /** The budget of history, which each answer charges; shared by all HTTP requests of a user. */
  get historyBudget(): Budget {
    const { historyBytesPerSecond, historyBurst } = this.limits;
    return (this.#historyBudget ??=
      this.connection.httpCaller?.history ?? new Budget(historyBytesPerSecond, historyBurst));
  }

  /**
   * Whether the replay of a join is the client's recovery after a loss, which is free: once for each room that it may
   * be in. False for an HTTP request.
   */
  isRecovery(room: string): boolean {
    const { size } = this.#recovered;
    const { held, httpCaller } = this.connection;
    const bytes = room.length + RECOVERED_BYTES;
    if (httpCaller || size > this.limits.groupsPerConnection || !held.fits(bytes)) return false;
    if (this.#recovered.add(room).size === size) return false;
    held.buffer(bytes);
    return true;
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

  /** Opens a stream from the client. Throws `duplicate_id` or `too_many_streams`. */
  openUpload(id: string): UploadStream {
    const { streamsPerConnection, streamBuffer, queuedBytes } = this.limits;
    if (this.#uploads.has(id))
      throw serverError("duplicate_id", `Invocation ID '${id}' is already in use.`);
    if (this.#uploads.size >= streamsPerConnection) throw tooManyStreams(streamsPerConnection);
    const { held } = this.connection;
    const upload = new UploadStream({ items: streamBuffer, bytes: queuedBytes, held });
    this.#uploads.set(id, upload);
    return upload;
  }

  upload(id: string): UploadStream | undefined {
    return this.#uploads.get(id);
  }

  closeUpload(id: string): void {
    this.#uploads.get(id)?.drop();
    this.#uploads.delete(id);
  }

  /**
   * Whether one more call may be held; stores its id. A client that resumes does not repeat the call, so it must be
   * answered if the object loses its memory.
   */
  mayGate(id: CallId | undefined): boolean {
    const { connection, host } = this;
    if (this.#gatedCalls >= this.limits.queuedCalls) return false;
    this.#gatedCalls++;
    const text = JSON.stringify(id) as string | undefined;
    if (connection.resumable && text && text.length <= MAX_REMEMBERED_CHARS)
      host.connections.remember(connection, [...connection.attached.openCalls, text]);
    return true;
  }

  /** Handles the held messages, when `connected` is done or waits for a client's result; drops them after the end. */
  openGate(): void {
    const waiting = this.gated;
    this.gated = undefined;
    this.connection.held.unbuffer(this.gatedBytes);
    this.gatedBytes = 0;
    if (!this.#isClosed) for (const take of waiting ?? []) take();
  }

  /**
   * Closes the connection once the calls before this message are answered, as in ASP.NET. Later messages are ignored,
   * also answers of the client, so pending client results are rejected. A call that does not end delays this close, but
   * not the end of the client's socket.
   */
  finish(why: CloseCode, detail?: string): void {
    this.isReceiving = false;
    this.clientResults.close();
    this.host.waitUntil(this.#finish(why, detail));
  }

  async #finish(why: CloseCode, detail: string | undefined): Promise<void> {
    await this.began;
    await this.calls.answered();
    this.host.connections.dismiss(this.connection, why, detail);
  }

  /** Closes the connection after the messages of hub code to it. Waiting calls of its client are dropped. */
  end(why: CloseCode, detail?: string): void {
    this.isReceiving = false;
    this.calls.drop();
    this.host.connections.end(this.connection, why, detail);
  }

  /**
   * Called when the connection has ended: cancels running calls and client results with `interrupted`. Waiting calls
   * were sent before the end, so they still run, with an aborted signal, unless the server ended the connection.
   */
  close(byServer: boolean): void {
    this.isReceiving = false;
    this.#isClosed = true;
    this.#gone?.abort(gone());
    this.calls.close(gone, byServer);
    this.clientResults.close();
  }

  /** Resolves, after `close`, when `connected` is done and the waiting calls have had their turn. */
  async ended(): Promise<void> {
    await this.began;
    await this.calls.served(this.host.settings.limits.requestSeconds);
  }
}

const gone = () => new HubError("interrupted", "The connection is gone.");
