// One connection while its object is awake: its open calls, streams from the client, client results, and what they
// depend on. It is lost with the object's memory.

import { HubError, serverError, type CloseCode } from "../../model/errors.ts";
import type { CallId } from "../../model/message.ts";
import type { Limits } from "../../model/options.ts";
import { limitsOf } from "../../rooms/connection/connection-limits.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Host } from "../../rooms/object/host.ts";
import { Budget } from "../../rooms/platform/budget.ts";
import { tokenBucket, type TokenBucket } from "../../rooms/platform/rates.ts";
import type { ServedHub } from "../define/hub-tables.ts";
import { BackgroundWork } from "./background-work.ts";
import { ClientResults } from "./client-results.ts";
import type { SendAnswer } from "./frame-answers.ts";
import { JoinLimits } from "./join-limits.ts";
import { MAX_REMEMBERED_CHARS, OpenCalls } from "./open-calls.ts";
import { tooManyStreams, UploadStream } from "./upload-streams.ts";

/** Refusals that are answered for each call of the burst, before the socket of a flooding client is closed. */
const REFUSALS_PER_CALL = 10;

/** Memory of a message that is held until `connected` is done, beside its values. */
export const GATED_BYTES = 256;
/** Memory of a room that was replayed, beside its name. */
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
  /** Pages that it has read. */
  reads = 0;
  /** Rooms that were replayed to it. */
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
  /** Done when the hub's `connected` is. */
  began: Promise<void> = Promise.resolve();
  /** The error with which the client closed the connection. */
  clientError: Error | undefined;
  /** Messages received while the hub's `connected` runs. Held here because streams do not wait for a turn. */
  gated: (() => void)[] | undefined;
  /** What these hold, as counted in the connection's budget. */
  gatedBytes = 0;
  #gatedCalls = 0;
  /** Whether the hub's `connected` threw: `disconnected` is then not called, either. */
  neverBegan = false;
  /**
   * Characters of answers that wait for the next flush: bounds the memory that the answers to one batch take. In
   * SignalR, further calls wait. Items of streams are counted apart (`flow.unsent`): they slow their own stream down,
   * and these refuse calls of a batch. In one counter, large streams would refuse calls that have done nothing wrong.
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
    this.rate = connection.httpCaller?.rate ?? tokenBucket(callsPerSecond, callBurst);
    this.joins = new JoinLimits(this.limits);
    this.refusals = tokenBucket(limits.callsPerSecond, limits.callBurst * REFUSALS_PER_CALL);
  }

  /** Applies the limits of a fresh token. The rate of HTTP requests is their user's, and stays as it is. */
  tokenChanged(): void {
    this.limits = limitsOf(this.connection, this.host.settings.limits);
    const { callsPerSecond, callBurst } = this.limits;
    if (!this.connection.httpCaller)
      this.rate.limit(this.host.clock.now(), callsPerSecond, callBurst);
  }

  /** Charged with what each answer has brought; shared by all HTTP requests of a user. */
  get historyBudget(): Budget {
    const { historyBytesPerSecond, historyBurst } = this.limits;
    return (this.#historyBudget ??=
      this.connection.httpCaller?.history ?? new Budget(historyBytesPerSecond, historyBurst));
  }

  /**
   * Whether a join brings what the client missed while it was away: once for each room that it may be in. An HTTP
   * request has missed nothing.
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
   * Whether one more call may be held. A client that resumes does not repeat it: if the object loses its memory, it
   * must be answered.
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

  /** Handles the held messages: `connected` is done, or waits for a client's result. Nothing once it has ended. */
  openGate(): void {
    const waiting = this.gated;
    this.gated = undefined;
    this.connection.held.unbuffer(this.gatedBytes);
    this.gatedBytes = 0;
    if (!this.#isClosed) for (const take of waiting ?? []) take();
  }

  /**
   * Closes the connection once the calls before this message are answered, as in ASP.NET; messages behind it are
   * ignored, so that no question to the client is answered any more. A call that does not end holds this close back,
   * but not the end of the client's socket.
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

  /** Closes the connection behind what hub code has sent to it. What its client has sent, and waits, is dropped. */
  end(why: CloseCode, detail?: string): void {
    this.isReceiving = false;
    this.calls.drop();
    this.host.connections.end(this.connection, why, detail);
  }

  /**
   * The connection has ended: cancels running calls and client results with `interrupted`. Calls that wait for their
   * turn came before the end, so they run all the same, with an aborted signal; unless the server ended the connection.
   */
  close(byServer: boolean): void {
    this.isReceiving = false;
    this.#isClosed = true;
    this.#gone?.abort(gone());
    this.calls.close(gone, byServer);
    this.clientResults.close();
  }

  /** After `close`: done when `connected` is, and the calls that waited have had their turn. */
  async ended(): Promise<void> {
    await this.began;
    await this.calls.served(this.host.settings.limits.requestSeconds);
  }
}

const gone = () => new HubError("interrupted", "The connection is gone.");
