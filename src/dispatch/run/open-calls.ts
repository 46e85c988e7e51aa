// The open calls of one connection while its object is awake. They run one after another, or as many at once as the hub
// allows, in the order of arrival; streams, and calls that read streams, run beside them.
//
//   · An id is open once. As in ASP.NET Core, whose clients may number all calls alike, only streams need one in
//     SignalR.
//   · Calls that were received before the connection ended have their turn, unless the server ended it.
//   · The host remembers the ids of calls that must be answered if the object loses its memory.

import { HubError, serverError } from "../../model/errors.ts";
import type { CallId } from "../../model/message.ts";
import type { Limits } from "../../model/options.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Host } from "../../rooms/object/host.ts";
import { settledWithin } from "../../rooms/platform/loop-timing.ts";
import { untilCaughtUp, isBehind } from "./slow-reader.ts";
import { tooManyStreams, tooMuchHeld } from "./upload-streams.ts";

/** A call that has begun or waits for its turn. */
export interface OpenCall {
  /** Absent: the caller expects no answer. */
  readonly id: CallId | undefined;
  /** Bytes of memory that it takes until it ends. */
  readonly held: number;
  /** Whether its items are sent under its id. */
  readonly streams?: boolean;
  /** Runs to the end and never rejects. `release` lets the connection's next call begin before that. */
  run(release: () => void): Promise<void>;
  /** Answers the call with this error. May be repeated. */
  cancel(error: HubError): void;
}

/** The connection whose calls these are. */
interface Caller {
  readonly host: Pick<Host, "clock" | "connections" | "settings" | "waitUntil">;
  readonly connection: Connection;
  /** The limits of its current token. */
  readonly limits: Limits;
  /** Characters of answers that wait for the next flush. */
  readonly unsentChars: number;
}

/** Longer ids are not stored: attachments are small, and only ids that consist of escapes are longer. */
export const MAX_REMEMBERED_CHARS = 140;

export class OpenCalls {
  readonly #caller: Caller;
  /** Calls that have begun or wait for their turn. */
  readonly #open = new Set<OpenCall>();
  readonly #byId = new Map<CallId, OpenCall>();
  /** Calls whose memory the connection's account counts. */
  readonly #large = new Set<OpenCall>();
  /** Calls that run in parallel with the others. */
  readonly #streams = new Set<OpenCall>();
  readonly #waiting: OpenCall[] = [];
  /** Turns that are taken. */
  #turns = 0;
  #isClosed = false;
  /** Resolved when a turn ends and no call waits for it. */
  #served: PromiseWithResolvers<void> | undefined;
  /** Resolved when no call is open. */
  #idle: PromiseWithResolvers<void> | undefined;
  /** Resolved when every call that is no stream has ended. */
  #answered: PromiseWithResolvers<void> | undefined;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Runs the call in its turn. Throws `duplicate_id`, or `rate_limited` if no further call may wait. */
  inTurn(call: OpenCall): void {
    const { parallelCalls, queuedCalls } = this.#caller.limits;
    const isFree = this.#turns < parallelCalls;
    if (!isFree && this.#waiting.length >= queuedCalls) throw tooManyWaiting({ queuedCalls });
    this.#add(call);
    if (isFree) this.#startTurn(call);
    else this.#waiting.push(call);
  }

  /** Runs a stream, or a call that reads one, in parallel. Throws `duplicate_id` or `too_many_streams`. */
  beside(call: OpenCall): void {
    const { streamsPerConnection } = this.#caller.limits;
    if (this.#streams.size >= streamsPerConnection) throw tooManyStreams(streamsPerConnection);
    this.#add(call);
    this.#streams.add(call);
    this.#remember();
    this.#run(call, () => {});
  }

  /** Adds a call. Throws `duplicate_id` while a call with the same id is open, and `busy` if memory is short. */
  #add(call: OpenCall): void {
    const { id } = call;
    const isTaken = id !== undefined && this.#byId.has(id);
    if (isTaken && !this.#mayShareId(call))
      throw serverError("duplicate_id", `Call ${String(id)} is open already.`);
    if (!this.#hold(call)) throw tooMuchHeld();
    this.#open.add(call);
    if (id !== undefined && (!isTaken || call.streams)) this.#byId.set(id, call);
    if (this.#caller.connection.resumable) this.#remember();
  }

  #hold(call: OpenCall): boolean {
    const { connection } = this.#caller;
    const isSmall = call.held <= connection.spareBytes;
    if (isSmall) connection.spareBytes -= call.held;
    else if (connection.held.take(call.held)) this.#large.add(call);
    else return false;
    return true;
  }

  #letGo(call: OpenCall): void {
    const { connection } = this.#caller;
    if (this.#large.delete(call)) connection.held.release(call.held);
    else connection.spareBytes += call.held;
  }

  #mayShareId({ id, streams }: OpenCall): boolean {
    return this.#isSignalR && !(streams && this.#byId.get(id!)?.streams);
  }

  get #isSignalR(): boolean {
    return this.#caller.connection.protocol.binding !== "json-rpc";
  }

  /** Whether more than `queuedCalls` calls are under way: one that waits for a client's answer then keeps its turn. */
  get isCrowded(): boolean {
    const underWay = this.#open.size - this.#streams.size - this.#waiting.length;
    return underWay > this.#caller.limits.queuedCalls;
  }

  /** Runs the call and occupies a turn until it ends or releases the turn; it may continue after that. */
  #startTurn(call: OpenCall): void {
    this.#turns++;
    let isHeld = true;
    const release = () => {
      if (!isHeld) return;
      isHeld = false;
      this.#turns--;
      const next = this.#waiting.shift();
      if (next) this.#startTurn(next);
      else this.#served?.resolve();
    };
    if (!this.#mayBeBehind || !isBehind(this.#caller)) return this.#run(call, release);
    // A SignalR client must read its answers before its next call begins. A sweep closes a reader that is stuck.
    const ready = untilCaughtUp(this.#caller, () => this.#isClosed);
    this.#caller.host.waitUntil(ready.then(() => this.#run(call, release)));
  }

  /** Whether the reader may be slow, without a check of the socket's queue, which is expensive (`isSlow`). */
  get #mayBeBehind(): boolean {
    const { connection, unsentChars } = this.#caller;
    const { flow, resumable } = connection;
    return (
      !!resumable || (this.#isSignalR && flow.written + flow.unsent + unsentChars >= flow.lookAt)
    );
  }

  #run(call: OpenCall, release: () => void): void {
    const end = () => {
      this.#end(call);
      release();
    };
    this.#caller.host.waitUntil(call.run(release).finally(end));
  }

  #end(call: OpenCall): void {
    if (this.#open.delete(call)) this.#letGo(call);
    if (call.id !== undefined && this.#byId.get(call.id) === call) this.#byId.delete(call.id);
    const isRemembered =
      this.#streams.delete(call) || this.#caller.connection.resumable !== undefined;
    if (isRemembered && !this.#isClosed) this.#remember();
    if (this.#open.size === 0) this.#idle?.resolve();
    if (this.#open.size === this.#streams.size) this.#answered?.resolve();
  }

  /**
   * Stores the ids of calls that must be answered if the object loses its memory: every open call of a connection that
   * may be resumed, because it outlives a crash; of other connections only streams, because these outlast short calls.
   */
  #remember(): void {
    const { connection, host } = this.#caller;
    const lasting = connection.resumable ? this.#open : this.#streams;
    const ids = [...lasting].flatMap(({ id }) => (id === undefined ? [] : JSON.stringify(id)));
    const short = ids.filter(({ length }) => length <= MAX_REMEMBERED_CHARS);
    host.connections.remember(connection, short);
  }

  /**
   * Answers the call with this error at once, and removes it if it waits for its turn. Ignores unknown ids; in SignalR
   * also calls that do not stream, as ASP.NET Core does.
   */
  cancel(id: CallId, error: HubError): void {
    const call = this.#byId.get(id);
    if (!call || (this.#isSignalR && !call.streams)) return;
    call.cancel(error);
    const place = this.#waiting.indexOf(call);
    if (place < 0) return;
    this.#waiting.splice(place, 1);
    this.#end(call);
  }

  /** Resolves when no call is running or waiting. */
  async settled(): Promise<void> {
    if (this.#open.size === 0) return;
    this.#idle = Promise.withResolvers();
    return this.#idle.promise;
  }

  /** Resolves when every call that is no stream has ended. */
  async answered(): Promise<void> {
    this.#answered ??= Promise.withResolvers();
    if (this.#open.size > this.#streams.size) await this.#answered.promise;
  }

  /** Called when the connection has ended: cancels running calls, and drops waiting ones if the server ended it. */
  close(reason: () => HubError, byServer: boolean): void {
    this.#isClosed = true;
    if (this.#open.size === 0) return;
    const error = reason();
    if (byServer) this.drop();
    for (const call of this.#open) if (!this.#waiting.includes(call)) call.cancel(error);
  }

  /** Removes the calls that wait for their turn. */
  drop(): void {
    for (const call of this.#waiting.splice(0)) this.#end(call);
  }

  /** Resolves when every waiting call has had its turn. Calls that still wait after `seconds` are dropped. */
  async served(seconds: number): Promise<void> {
    if (this.#waiting.length === 0) return;
    this.#served ??= Promise.withResolvers();
    await settledWithin(seconds * 1000, [this.#served.promise]);
    this.drop();
  }
}

/** The error for one call too many, also of those that wait for the hub's `connected`. */
export const tooManyWaiting = ({ queuedCalls }: { readonly queuedCalls: number }): HubError =>
  new HubError("rate_limited", `${queuedCalls} calls are waiting already (limits.queuedCalls).`);
