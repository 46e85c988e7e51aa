// The API in which users declare hubs: hub, method, stream, streamOf, authorize. Declarations are plain data; the
// dispatcher runs them.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import type {
  Durability,
  History,
  Limits,
  PresenceMode,
  StatefulReconnect,
  Transport,
} from "../../model/options.ts";
import type { RoomKind } from "../../model/topic.ts";
import type { HubContext, MemberContext, RoomContext } from "./hub-context.ts";
import type { Filter } from "./filters.ts";
import type { Arg, Received } from "./hub-arguments.ts";
import { anyone, type Awaitable, type Policy, type RoomRules } from "./policies.ts";

export { streamOf } from "./hub-arguments.ts";
export type { Arg, Received, StreamArg } from "./hub-arguments.ts";

/** Carries the type of a hub's clients; no value has this member. */
declare const client: unique symbol;

export type Handler<C, A extends readonly Arg[], R> = (
  context: HubContext<C>,
  ...args: Received<A>
) => R;

/** A method: its caller gets one result, or none. */
export interface Method<C, A extends readonly Arg[], F extends Handler<C, A, unknown>> {
  readonly [client]?: C;
  readonly kind: "method";
  readonly args: A;
  readonly policy: Policy;
  readonly handle: F;
}

/** A stream: its caller gets items until the iterable ends or the call is cancelled. */
export interface Stream<
  C,
  A extends readonly Arg[],
  F extends Handler<C, A, AsyncIterable<unknown>>,
> {
  readonly [client]?: C;
  readonly kind: "stream";
  readonly args: A;
  readonly policy: Policy;
  readonly handle: F;
}

/** Any method or stream of a hub with clients `C`. */
export interface HubMember<C> {
  readonly [client]?: C;
  readonly kind: "method" | "stream";
  readonly args: readonly Arg[];
  readonly policy: Policy;
  // any: handlers of one table have different parameters, and no other type accepts them all.
  readonly handle: (context: HubContext<C>, ...args: any[]) => unknown;
}

/** Names of the client methods that return a result. */
type ClientResultNames<C> = {
  [K in keyof C]: C[K] extends (...args: any) => infer R
    ? [Awaited<R>] extends [void]
      ? never
      : K
    : never;
}[keyof C];

/** A schema for the result of each client method that returns one. Results come from clients: they are validated. */
export type Answers<C> = {
  readonly [K in ClientResultNames<C>]: C[K] extends (...args: any) => infer R
    ? StandardSchemaV1<any, Awaited<R>>
    : never;
};

/** The settings of a hub. All are optional; those of objects have their defaults in model/options.ts. */
export interface HubOptions<C> {
  /**
   * Policy for every connection to the whole hub, and for every method call, before the method's own policy. Default:
   * every user with a valid token.
   */
  readonly authorize?: Policy;
  /**
   * Whether clients without a token are admitted, as guests: each connection is a user of its own (`guest-…`), in the
   * default tenant, without a user's room, and rate-limited by its address. `signedIn` refuses guests, `anyone` does
   * not. A request that has a token is authenticated as everywhere. Not for gRPC. Default: false.
   */
  readonly anonymous?: boolean;
  /**
   * Access to rooms, by kind, in addition to what a token's `caps` grant. Default: rooms are closed. A user's own room
   * (`user:` and the user's id) is open to that user only, whatever `enter` returns. Hub code may put any connection
   * into any room.
   */
  readonly rooms?: { readonly [K in RoomKind]?: RoomRules };
  /**
   * Messages that each room keeps for later readers and for reconnecting clients. `false`: none, which saves a database
   * row per batch of messages; clients then reload after a lost connection. Default: 100 messages, for 600 s.
   */
  readonly history?: History | false;
  /**
   * When messages are stored. `logged`: before they are delivered. `behind`: within 1 s, which costs less, and a crash
   * loses that second. Without effect if `history` is `false`. Default: `logged`.
   */
  readonly durability?: Exclude<Durability, "none">;
  /** Presence of each room: user ids with joins and leaves, counts only, or none. Default: `users`. */
  readonly presence?: PresenceMode;
  /** Whether the presence of the `all` room is the users online. Costs a call to that room per join. Default: false. */
  readonly online?: boolean;
  /** Which audiences include sockets attached directly to a room, beside that room itself. */
  readonly reach?: {
    /** Whether `clients.all` does. Costs one follow link for each room with sockets. Default: true. */
    readonly all?: boolean;
    /**
     * Whether `clients.user(id)` reaches the user's connections. Costs one follow link for each user in each object.
     * Default: true for connections to the whole hub, false for sockets attached directly to a room.
     */
    readonly users?: boolean;
  };
  /** Whether callers see exceptions of hub code, and not only `HubError`s. For development. Default: false. */
  readonly detailedErrors?: boolean;
  /** Whether `request.headers.cookie` has the client's cookies; they are stored with the connection. Default: false. */
  readonly cookies?: boolean;
  /**
   * Seconds for which the groups of a closed SignalR connection are remembered. A client with the same name
   * (`?client=` in the hub's URL) that opens a new connection meanwhile rejoins them, and receives the messages it
   * missed there. Default: 0, as in ASP.NET Core.
   */
  readonly rememberGroups?: number;
  readonly signalR?: {
    /** Whether client methods keep their spelling. Default: false; `receiveMessage` is sent as `ReceiveMessage`. */
    readonly verbatim?: boolean;
    /** Keys of records sent over MessagePack: `{ title }` as `Title`, or as it is. Default: `pascal`; docs/signalr.md. */
    readonly messagePackKeys?: "pascal" | "verbatim";
    /** Seconds until a connection without a handshake is closed. Default: 15. */
    readonly handshakeSeconds?: number;
    /** Transports offered, in the order of preference. Default: WebSockets, ServerSentEvents, LongPolling. */
    readonly transports?: readonly Transport[];
    /**
     * Whether clients that request it may resume a connection on a new socket. `true`: with 100,000 bytes of sent
     * messages buffered per connection, for up to 30 s. Default: false.
     */
    readonly statefulReconnect?: boolean | Partial<StatefulReconnect>;
  };
  /** Detection of connections that are lost without a close. */
  readonly liveness?: {
    /** Seconds between the heartbeats of clients. Default: 15. */
    readonly pingSeconds?: number;
    /** Seconds without a frame until a client that pings is closed; two intervals or more, as tabs slow. Default: 75. */
    readonly silentSeconds?: number;
    /** Seconds between checks for silent clients; each is an alarm in every object with connections. Default: 120. */
    readonly sweepSeconds?: number;
    /** Seconds between the loss of a user's last connection and the leave that the room announces. Default: 5. */
    readonly graceSeconds?: number;
  };
  /** Overrides of the limits in model/options.ts, which has their defaults and reasons. */
  readonly limits?: Partial<Limits>;
  /** Runs when a connection has opened; its calls wait for it. If it throws, the connection is closed with 4503. */
  connected?(context: HubContext<C>): Awaitable<void>;
  /**
   * Runs once after a connection has ended, and rooms no longer count it, unless `connected` threw. `error` is undefined
   * for a regular close.
   */
  disconnected?(context: HubContext<C>, error?: Error): Awaitable<void>;
  /** Runs when a user's first connection has joined a room. Only with `presence: "users"`. Errors are logged. */
  joined?(context: MemberContext<C>): Awaitable<void>;
  /** Runs when a user's last connection has left a room: at once, or `graceSeconds` after a loss. As `joined`. */
  left?(context: MemberContext<C>): Awaitable<void>;
  /** Runs once after `joined` and `left` of all users whose presence changed together. Otherwise as `joined`. */
  presenceChanged?(context: RoomContext<C>): Awaitable<void>;
}

/** `answers` is required exactly if a client method returns a result. */
export type HubSettings<C> = HubOptions<C> &
  ([ClientResultNames<C>] extends [never]
    ? { readonly answers?: never }
    : { readonly answers: Answers<C> });

/** A declared hub with clients `C`, members `M`, and states `S` that users show in its rooms' presence. */
export interface Hub<C, M, S = unknown> {
  readonly name: string;
  readonly settings: HubSettings<C>;
  readonly members: M;
  readonly filters: readonly Filter<C>[];
  /** The schema of the states. Absent: any JSON value. */
  readonly presenceState?: StandardSchemaV1<any, S>;
}

// any: one list holds hubs with different client interfaces.
export type AnyMember = HubMember<any>;
/** A hub of any type, for the dispatcher and for `serve`. */
export type AnyHub = Hub<any, Record<string, HubMember<any>>, any>;

/** Constructors of hub members: a schema for each argument, then the handler. */
interface MemberFactories {
  method<C, const A extends readonly Arg[], F extends Handler<C, A, unknown>>(
    args: A,
    handle: F,
  ): Method<C, A, NoInfer<F>>;
  stream<C, const A extends readonly Arg[], F extends Handler<C, A, AsyncIterable<unknown>>>(
    args: A,
    handle: F,
  ): Stream<C, A, NoInfer<F>>;
}

/** `authorize(policy).method(…)`: as `method`, but calls that the policy refuses fail with `forbidden`. */
export const authorize = (policy: Policy): MemberFactories => ({
  method: (args, handle) => ({ kind: "method", args, handle, policy }),
  stream: (args, handle) => ({ kind: "stream", args, handle, policy }),
});

/** Members without a policy of their own; the hub's `authorize` applies to them all the same. */
export const { method, stream } = authorize(anyone);

const HUB_NAME = /^[a-z][a-z0-9_-]{0,63}$/;

/** A hub whose methods are still to be declared. */
export interface HubBuilder<C, S = unknown> {
  /** Adds a filter around every call. The first one added is the outermost; filters of `serve` are outside of all. */
  use(filter: Filter<C>): HubBuilder<C, S>;
  /**
   * Declares the states that clients may show in a room's presence (`track`): another one is refused with
   * `invalid_arguments`, and clients have its type. States that hub code sets are not validated.
   */
  presenceState<T>(schema: StandardSchemaV1<any, T>): HubBuilder<C, T>;
  /** Declares the methods and streams that clients may call, by name. */
  methods<const M extends Record<string, HubMember<C>>>(members: M): Hub<C, M, S>;
}

/**
 * Declares a hub with its settings; `.methods({ … })` completes it. The name is part of the hub's URL. Throws a
 * `TypeError` for a name that is not 1–64 characters of a–z, 0–9, _ and -, beginning with a letter.
 */
export function hub<C = {}>(
  name: string,
  ...[settings]: [ClientResultNames<C>] extends [never] ? [HubSettings<C>?] : [HubSettings<C>]
): HubBuilder<C> {
  if (!HUB_NAME.test(name))
    throw new TypeError(`Hub "${name}": a name is lower case, a–z, 0–9, _ and -, 64 at most.`);
  return builder({ name, settings: (settings ?? {}) as HubSettings<C>, filters: [] });
}

const builder = <C, S>(parts: Omit<Hub<C, never, S>, "members">): HubBuilder<C, S> => ({
  use: (filter) => builder({ ...parts, filters: [...parts.filters, filter] }),
  presenceState: <T>(schema: StandardSchemaV1<any, T>) =>
    builder<C, T>({ ...parts, presenceState: schema }),
  methods: (members) => ({ ...parts, members }),
});
