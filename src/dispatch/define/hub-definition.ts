// The words of user code: hub, method, stream, streamOf, authorize. They only describe; the dispatcher runs them.

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
import { anyone, type Awaitable, type Policy, type RoomRules } from "./policies.ts";

export type Input<S> = S extends StandardSchemaV1<infer I, any> ? I : never;
export type Output<S> = S extends StandardSchemaV1<any, infer O> ? O : never;

/** An argument that arrives in pieces. */
export interface StreamArg<S extends StandardSchemaV1> {
  readonly streamOf: S;
}
export type Arg = StandardSchemaV1 | StreamArg<StandardSchemaV1>;

/** What the handler gets: validated values, and streams of validated items. */
export type Received<A extends readonly Arg[]> = {
  [K in keyof A]: A[K] extends StreamArg<infer S> ? AsyncIterable<Output<S>> : Output<A[K]>;
};

declare const client: unique symbol;

export type Handler<C, A extends readonly Arg[], R> = (
  context: HubContext<C>,
  ...args: Received<A>
) => R;

export interface Method<C, A extends readonly Arg[], F extends Handler<C, A, unknown>> {
  readonly [client]?: C;
  readonly kind: "method";
  readonly args: A;
  readonly policy: Policy;
  readonly handle: F;
}

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
  // any: a table of handlers has no common parameter type but this one.
  readonly handle: (context: HubContext<C>, ...args: any[]) => unknown;
}

/** The client methods that answer, by name. */
type Answering<C> = {
  [K in keyof C]: C[K] extends (...args: any) => infer R
    ? [Awaited<R>] extends [void]
      ? never
      : K
    : never;
}[keyof C];

/** A schema for each answer: what a client says is hostile until it is validated. */
export type Answers<C> = {
  readonly [K in Answering<C>]: C[K] extends (...args: any) => infer R
    ? StandardSchemaV1<any, Awaited<R>>
    : never;
};

export interface HubOptions<C> {
  /** Before every method's own policy. Default: whoever has a valid token. */
  readonly authorize?: Policy;
  /**
   * Who may enter which kind of room, beside those the token's `caps` admit. Default: nobody. A user's room admits
   * its user whatever `enter` says, and nobody else by it. Hub code that joins a connection is not asked.
   */
  readonly rooms?: { readonly [K in RoomKind]?: RoomRules };
  /** What rooms keep for late comers; `false`: nothing, which is faster in many small rooms. Default: 100, 600 s. */
  readonly history?: History | false;
  /** `behind`: the log is written within 1 s, and that second is what a crash may lose. Default: `logged`. */
  readonly durability?: Exclude<Durability, "none">;
  /** Default: `users`. */
  readonly presence?: PresenceMode;
  /** Whether the `all` room knows who is online; costs a call to it for every join. Default: no. */
  readonly online?: boolean;
  /** Which audiences reach sockets attached straight to a room, beside that room. */
  readonly reach?: {
    /** `clients.all`; costs one follow for each room with sockets. Default: yes. */
    readonly all?: boolean;
    /**
     * `clients.user(id)`; costs one follow for each user in each object. Default: connections of the whole hub yes,
     * sockets attached straight to a room no.
     */
    readonly users?: boolean;
  };
  /** Shows callers what went wrong inside hub code, and not only `HubError`s. Default: no. */
  readonly detailedErrors?: boolean;
  /**
   * Seconds for which a SignalR client that names itself (`?client=` in the hub's URL) and comes back on a new
   * connection is put into its groups again, and gets what it missed there. Default: 0, as in ASP.NET.
   */
  readonly rememberGroups?: number;
  readonly signalR?: {
    /** Calls client methods as they are spelled here; default: `receiveMessage` is called as `ReceiveMessage`. */
    readonly verbatim?: boolean;
    /**
     * How MessagePack has the keys of records that hub code sends. `pascal`: `{ title }` is written as `Title`, as .NET
     * names members; a `Map`, and an object with a key that is no such name, keep their keys. JSON always keeps them.
     * Default: `pascal`.
     */
    readonly messagePackKeys?: "pascal" | "verbatim";
    /** Default: 15. */
    readonly handshakeSeconds?: number;
    /** In the order in which clients shall try them. Default: WebSockets, ServerSentEvents, LongPolling. */
    readonly transports?: readonly Transport[];
    /** Clients that ask for it may come back to a connection on a new socket. Default: no. */
    readonly statefulReconnect?: boolean | Partial<StatefulReconnect>;
  };
  readonly liveness?: {
    readonly pingSeconds?: number;
    /** Two pings at least; hidden tabs ping once a minute. Default: 75. */
    readonly silentSeconds?: number;
    readonly sweepSeconds?: number;
    readonly graceSeconds?: number;
  };
  readonly limits?: Partial<Limits>;
  connected?(context: HubContext<C>): Awaitable<void>;
  disconnected?(context: HubContext<C>, error?: Error): Awaitable<void>;
  /** A user's first connection has come into a room. */
  joined?(context: MemberContext<C>): Awaitable<void>;
  /** A user's last connection has left a room, or was lost. */
  left?(context: MemberContext<C>): Awaitable<void>;
  /** Once for all joins and leaves of one moment. */
  presenceChanged?(context: RoomContext<C>): Awaitable<void>;
}

/** `answers` is demanded exactly where a client method answers. */
export type HubSettings<C> = HubOptions<C> &
  ([Answering<C>] extends [never]
    ? { readonly answers?: never }
    : { readonly answers: Answers<C> });

export interface Hub<C, M> {
  readonly name: string;
  readonly settings: HubSettings<C>;
  readonly members: M;
  readonly filters: readonly Filter<C>[];
}

// any: hubs of every client interface stand in one list and one table.
export type AnyMember = HubMember<any>;
/** Any hub, as the dispatcher and the tables take it. */
export type AnyHub = Hub<any, Record<string, HubMember<any>>>;

export const streamOf = <S extends StandardSchemaV1>(schema: S): StreamArg<S> => ({
  streamOf: schema,
});

/** The two things a hub can offer: an answer, or a stream of them. */
interface Verbs {
  method<C, const A extends readonly Arg[], F extends Handler<C, A, unknown>>(
    args: A,
    handle: F,
  ): Method<C, A, NoInfer<F>>;
  stream<C, const A extends readonly Arg[], F extends Handler<C, A, AsyncIterable<unknown>>>(
    args: A,
    handle: F,
  ): Stream<C, A, NoInfer<F>>;
}

/** `authorize(policy).method(...)`: like `method`, for those the policy lets through. */
export const authorize = (policy: Policy): Verbs => ({
  method: (args, handle) => ({ kind: "method", args, handle, policy }),
  stream: (args, handle) => ({ kind: "stream", args, handle, policy }),
});

export const { method, stream } = authorize(anyone);

const HUB_NAME = /^[a-z][a-z0-9_-]{0,63}$/;

/** A hub that still lacks its methods. */
export interface HubBuilder<C> {
  /** Puts a filter around every call; the first is the outermost, those of `serve` are around all. */
  use(filter: Filter<C>): HubBuilder<C>;
  methods<const M extends Record<string, HubMember<C>>>(members: M): Hub<C, M>;
}

/** Names a hub and says how its rooms behave; `.methods({ … })` says what clients may call. */
export function hub<C = {}>(
  name: string,
  ...[settings]: [Answering<C>] extends [never] ? [HubSettings<C>?] : [HubSettings<C>]
): HubBuilder<C> {
  if (!HUB_NAME.test(name))
    throw new TypeError(`Hub "${name}": a name is lower case, a–z, 0–9, _ and -, 64 at most.`);
  return builder({ name, settings: (settings ?? {}) as HubSettings<C>, filters: [] });
}

const builder = <C>(parts: Omit<Hub<C, never>, "members">): HubBuilder<C> => ({
  use: (filter) => builder({ ...parts, filters: [...parts.filters, filter] }),
  methods: (members) => ({ ...parts, members }),
});
