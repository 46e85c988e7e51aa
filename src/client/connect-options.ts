// What the application may say of a connection, and what it is told of it.

import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { ClientOf, Wire } from "../dispatch/define/hub-types.ts";
import type { HubError } from "../model/errors.ts";
import { MESSAGE_BYTES } from "../model/wire-constants.ts";
import type { Address, RoomText } from "./scope/room-address.ts";
import type { Backoff } from "./transport/backoff.ts";

/** A token, or what fetches a fresh one: it is asked before every attempt, and before the token expires. */
export type Token = string | (() => string | Promise<string>);

/** One handler of what the hub calls here. Where the hub waits for an answer, it gives one. */
export type HandlerOf<F> = F extends (...args: infer A) => infer R
  ? (...args: Heard<A>) => [Awaited<R>] extends [void] ? unknown : Awaited<R> | Promise<Awaited<R>>
  : never;
type Heard<A extends readonly unknown[]> = { [I in keyof A]: Wire<A[I]> };

export type HandlersOf<H> = { readonly [K in keyof ClientOf<H>]?: HandlerOf<ClientOf<H>[K]> };

/** For a connection to one room. */
export interface ConnectOptions<H extends AnyHub> extends HubConnectOptions<H> {
  readonly room: RoomText;
  /** Where the application's own state stands (`epoch:offset`), if it has one: what came after it is replayed. */
  readonly since?: string;
}

/** For a connection to a whole hub. */
export interface HubConnectOptions<H extends AnyHub> {
  readonly token: Token;
  /** What the hub may call here. More with `on`. */
  readonly handlers?: HandlersOf<H>;
  /** Calls that may wait for a connection; one more is refused with `queue_full`. */
  readonly queue?: number;
  /** Failed attempts in a row after which it gives up. Refusals look like a lost network, so the default is never. */
  readonly maxRetries?: number;
  /** Pauses between attempts, with full jitter: 1 s at first, doubling to 30 s. */
  readonly backoff?: Partial<Backoff>;
  /** Seconds a token may take. */
  readonly tokenSeconds?: number;
  /** Bytes of one message: the hub's own limit, where it has another than 32 KiB. */
  readonly messageBytes?: number;
  /** In place of the global one. */
  readonly WebSocket?: unknown;
}

export const DEFAULTS = {
  queue: 100,
  maxRetries: Infinity,
  backoff: { baseMs: 1_000, capMs: 30_000, random: Math.random },
  tokenSeconds: 30,
  messageBytes: MESSAGE_BYTES,
} as const;

/** `ConnectOptions` with nothing left open. */
export interface SessionOptions {
  readonly address: Address;
  readonly token: Token;
  readonly handlers: object | undefined;
  readonly queue: number;
  readonly maxRetries: number;
  readonly backoff: Backoff;
  readonly tokenSeconds: number;
  readonly messageBytes: number;
  readonly WebSocket: unknown;
}

/** `error` is why the last attempt or connection ended; `retryAt` is in milliseconds since 1970. */
export type State =
  | { readonly status: "connecting"; readonly error?: HubError; readonly retryAt?: number }
  | { readonly status: "connected"; readonly connectionId: string; readonly userId: string }
  | { readonly status: "reconnecting"; readonly error: HubError; readonly retryAt: number }
  /** Without an error the application closed it. */
  | { readonly status: "closed"; readonly error?: HubError };

/** Something said in a room, or to this client alone (then without a room). */
export interface Message {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly room?: string;
  readonly position?: string;
}

export interface HistoryQuery {
  readonly since?: string;
  readonly limit?: number;
  readonly reverse?: boolean;
}

export interface HistoryPage {
  readonly messages: readonly {
    readonly method: string;
    readonly params: readonly unknown[];
    readonly position: string;
    /** Milliseconds since 1970. */
    readonly at: number;
  }[];
  /** Where the room stands. */
  readonly position: string;
}

export interface PresenceQuery {
  /** A user id: those after it. */
  readonly after?: string;
  readonly limit?: number;
}
