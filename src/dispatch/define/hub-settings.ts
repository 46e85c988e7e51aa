// The settings of a hub that its author declares. Their defaults are in model/options.ts.

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
import type { ClientMethods } from "./client-methods.ts";
import type { Awaitable, Policy, RoomRules } from "./policies.ts";

/** Names of the client methods that return a result. */
export type ClientResultNames<C> = {
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
   * The client methods as data (`clientMethods({ … })`), with the schemas of their arguments and results: `C` follows
   * from it, and so do `answers`. In development a message that differs is refused with `invalid_message`; documents of
   * the hub (`rpc.discover`) describe them. Default: only the types in hub code.
   */
  readonly client?: ClientMethods<C>;
  /**
   * Policy for every connection to the whole hub or to the user's own room, and for every method call, before the
   * method's own policy. Groups and orders have `rooms`. Default: every user with a valid token.
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
   * (`user:` and the user's id) is open to that user only, as `authorize` says, whatever `enter` returns. Hub code may
   * put any connection into any room.
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
  /** Which audiences include sockets attached directly to a room, besides that room itself. */
  readonly reach?: {
    /** Whether `clients.all` does. Costs one follow link for each room with sockets. Default: true. */
    readonly all?: boolean;
    /**
     * Whether `clients.user(id)` reaches the user's connections. Costs one follow link for each user in each object.
     * Default: true for connections to the whole hub, false for sockets attached directly to a room.
     */
    readonly users?: boolean;
  };
  /** Whether SignalR's callers see exceptions of hub code, and not only `HubError`s. For development. Default: false. */
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
    /**
     * Keys of records sent over MessagePack: `{ title }` as `Title`, or as it is. Default: `pascal`; docs/signalr.md.
     */
    readonly messagePackKeys?: "pascal" | "verbatim";
    /** The client methods that get states of rooms. Default: `RoomState` for a snapshot, `RoomPatch` for a change. */
    readonly state?: { readonly snapshot?: string; readonly patch?: string };
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
    /**
     * Seconds without a frame until a client that pings is closed; two intervals or more, as tabs slow. Default: 75.
     */
    readonly silentSeconds?: number;
    /** Seconds between checks for silent clients; each is an alarm in objects with connections. Default: 120. */
    readonly sweepSeconds?: number;
    /** Seconds between the loss of a user's last connection and the leave that the room announces. Default: 5. */
    readonly graceSeconds?: number;
  };
  /** Overrides of the limits in model/options.ts, which has their defaults and reasons. */
  readonly limits?: Partial<Limits>;
  /** Runs when a connection has opened; its calls wait for it. If it throws, the connection is closed with 4503. */
  connected?(context: HubContext<C>): Awaitable<void>;
  /**
   * Runs once after a connection has ended, and rooms no longer count it, unless `connected` threw. `error` is
   * undefined for a regular close.
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
// any: a list of hubs takes those with answers and those without.
export type HubSettings<C> = HubOptions<C> &
  (0 extends 1 & C
    ? { readonly answers?: Readonly<Record<string, StandardSchemaV1<any, any>>> }
    : [ClientResultNames<C>] extends [never]
      ? { readonly answers?: never }
      : { readonly answers: Answers<C> });
