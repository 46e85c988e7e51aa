// A hub's types for the connection of `@microsoft/signalr`: its own object, and nothing at run time. Nothing of that
// package is needed here, so that those who use our client need not have it.

import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { ClientOf, Invokes, Streams } from "../dispatch/define/hub-types.ts";
import type { HandlersOf } from "./connect-options.ts";

/** SignalR's stream of items, both ways: what `stream` gives, and what its `Subject` is. */
export interface StreamResult<T> {
  subscribe(subscriber: { next(value: T): void; error(error: unknown): void; complete(): void }): {
    dispose(): void;
  };
}

/** What of SignalR's connection has types of its own here. */
export interface SignalRConnection {
  // any: SignalR's own signatures know no hub.
  invoke(methodName: string, ...args: any[]): Promise<any>;
  send(methodName: string, ...args: any[]): Promise<void>;
  stream(methodName: string, ...args: any[]): StreamResult<any>;
  on(methodName: string, newMethod: (...args: any[]) => any): void;
  off(methodName: string, method?: (...args: any[]) => void): void;
}

/** As it is spelled in the hub, or as .NET spells it: SignalR does not look at the case. */
type Spelled<K> = K extends string ? K | Capitalize<K> : never;
type Plain<T, N> = { [K in keyof T]: N extends Spelled<K> ? K : never }[keyof T];

/** What is uploaded goes as SignalR's `Subject`. */
type Sent<A> = {
  [I in keyof A]: A[I] extends AsyncIterable<infer T> ? StreamResult<T> : A[I];
};
type Args<F> = F extends (...args: infer A) => unknown ? Sent<A> : never;
type Result<F> = F extends (...args: any[]) => infer R ? R : never;
type Item<F> = Result<F> extends AsyncIterable<infer T> ? T : never;

type Members<H extends AnyHub> = H["members"];
type Methods<H extends AnyHub> = Invokes<Members<H>>;
type Flows<H extends AnyHub> = Streams<Members<H>>;
type Heard<H> = Required<HandlersOf<H>>;

/** The same connection, which knows the hub's methods and what the hub calls here. */
export type Typed<H extends AnyHub, C extends SignalRConnection> = Omit<
  C,
  "invoke" | "send" | "stream" | "on" | "off"
> & {
  invoke<N extends Spelled<keyof Methods<H>>>(
    methodName: N,
    ...args: Args<Methods<H>[Plain<Methods<H>, N>]>
  ): Result<Methods<H>[Plain<Methods<H>, N>]>;
  send<N extends Spelled<keyof Methods<H>>>(
    methodName: N,
    ...args: Args<Methods<H>[Plain<Methods<H>, N>]>
  ): Promise<void>;
  stream<N extends Spelled<keyof Flows<H>>>(
    methodName: N,
    ...args: Args<Flows<H>[Plain<Flows<H>, N>]>
  ): StreamResult<Item<Flows<H>[Plain<Flows<H>, N>]>>;
  on<N extends Spelled<keyof ClientOf<H>>>(
    methodName: N,
    newMethod: Heard<H>[Plain<Heard<H>, N>],
  ): void;
  off<N extends Spelled<keyof ClientOf<H>>>(
    methodName: N,
    method?: Heard<H>[Plain<Heard<H>, N>],
  ): void;
};

/** The rest of SignalR's connection that most applications use. */
export interface Lifecycle {
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly connectionId: string | null;
  readonly state: string;
  serverTimeoutInMilliseconds: number;
  keepAliveIntervalInMilliseconds: number;
  onclose(callback: (error?: Error) => void): void;
  onreconnecting(callback: (error?: Error) => void): void;
  onreconnected(callback: (connectionId?: string) => void): void;
}

/**
 * Gives SignalR's connection a hub's types. It stays the same object; `typed<ChatHub, HubConnection>` keeps all that
 * SignalR's own type has beside.
 *
 * @example
 * const chat = typed<ChatHub>(new HubConnectionBuilder().withUrl("/hubs/chat").build());
 * chat.on("receiveMessage", (user, message) => console.log(user, message));
 * await chat.invoke("sendToRoom", "lobby", "hello");
 */
export const typed = <
  H extends AnyHub,
  C extends SignalRConnection = SignalRConnection & Lifecycle,
>(
  connection: C,
): Typed<H, C> => connection as unknown as Typed<H, C>;
