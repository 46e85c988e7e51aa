// Types of `world`: its options and its result.

import type { HandlersOf } from "../../client/model/client-handlers.ts";
import type { Frame } from "../../client/transport/wire.ts";
import type { User } from "../../model/user.ts";
import type { Filter } from "../define/filters.ts";
import type { Clients, RoomView } from "../define/hub-context.ts";
import type { AnyHub } from "../define/hub-definition.ts";
import type { ClientOf, HubCalls } from "../define/hub-types.ts";
import type { TestEnv } from "./calling-types.ts";

/** Options of a world. */
export interface WorldSetting {
  /** `context.env`, of all handlers. Default: nothing. */
  readonly env?: TestEnv;
  /** The filters of `serve`. Default: none. */
  readonly filters?: readonly Filter[];
  /** The time at which the world begins, in milliseconds since 1970. Default: now. */
  readonly now?: number;
}

/** How a client connects. */
export interface Joining<H extends AnyHub> {
  /** An id, or a user with more than that: `tenant` is `default` for all. Default: `alice`. */
  readonly user?: string | Partial<User>;
  /** The room that the connection is attached to, as a topic. Default: the whole hub. */
  readonly room?: string;
  /** With `room`: the position (`epoch:offset`) from which the client resumes. */
  readonly since?: string;
  /**
   * Handlers of client methods, as those of `connect`. The results of those that the hub awaits come from here: one
   * that is missing is the hub's `client_error`, one that never resolves its `timed_out`.
   */
  readonly handlers?: HandlersOf<H>;
}

/** A message of the hub, as a client gets it. */
export interface Received {
  readonly method: string;
  readonly args: readonly unknown[];
  /** The room it was published in, as a topic. Absent: it is only for this connection. */
  readonly room?: string;
  /** `epoch:offset` in that room. */
  readonly position?: string;
}

/** The result of a join. */
export interface JoinOutcome {
  /** The room's position at the join, `epoch:offset`. */
  readonly position: string;
  /** Whether all messages after `since` were replayed. */
  readonly recovered: boolean;
  /** The number of replayed messages. */
  readonly replayed: number;
}

/** One connection, for its client. */
export interface Caller<H extends AnyHub> extends HubCalls<H> {
  readonly connectionId: string;
  /** The hub's messages so far, in the order of their arrival. The array grows. */
  readonly received: readonly Received[];
  /** All received messages as JSON-RPC, also answers and the protocol's own (`$/connected`, `$/presence`, `$/left`). */
  readonly frames: readonly Frame[];
  /** Why the server has closed the connection; undefined while it is open. */
  readonly closed: { readonly code: number; readonly reason: string } | undefined;
  /** Joins a room as a client does (`$/join`): the hub's rules apply. Rejects with `forbidden`. */
  join(room: string, since?: string): Promise<JoinOutcome>;
  leave(room: string): Promise<void>;
  /** Any method by its name, also one of the protocol (`$/history`, `$/track`, `$/publish`). */
  call(method: string, args: readonly unknown[], options?: CallerOptions): Promise<unknown>;
  /** A fresh token of the same user, with these members replaced. Gives the rooms that it no longer admits. */
  refresh(user: Partial<User>): Promise<{ readonly dropped: readonly string[] }>;
  /**
   * Ends by a close of the client's. With 1000, which is the default, the user's leave has no grace; with another code
   * (1001: a page that may be loading again) it has.
   */
  close(code?: number): Promise<void>;
  /** Loses the network: hooks get an error, and the user is present for the grace, unless another connection comes. */
  lose(): Promise<void>;
}

/** Options of one call. */
export interface CallerOptions {
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

/** A hub with several callers, in memory. */
export interface World<H extends AnyHub> {
  /**
   * Opens a connection; resolves when the hub's `connected` is done. Rejects with `forbidden` if a policy refuses, and
   * with the policy's error.
   */
  connect(joining?: Joining<H>): Promise<Caller<H>>;
  /** The hub's clients, like those of services and `hubContext`. */
  readonly clients: Clients<ClientOf<H>>;
  /** The history and presence of a room, by its topic. */
  room(topic: string): RoomView;
  /** Milliseconds since 1970. Stands still between two moves. */
  readonly now: number;
  /**
   * Advances the clock: graces, deadlines and expiries come in their order, and their effects settle. Timers and
   * `Date.now()` of hub code itself are real, or the test's own fakes.
   */
  advance(ms: number): Promise<void>;
  /** Resolves when all messages are delivered and hooks have run. Work that waits for I/O may continue. */
  settled(): Promise<void>;
}
