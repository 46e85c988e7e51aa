// Types of a hub for a connection of `@microsoft/signalr`. Types only: the connection stays SignalR's own object. That
// package is not imported here, so that applications without it need not install it.

import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type {
  ActionsOf,
  ClientOf,
  Invokes,
  RoomOf,
  Streams,
} from "../dispatch/define/hub-types.ts";
import type { Runs } from "../dispatch/define/stateful-room.ts";
import type { HandlersOf } from "./model/client-handlers.ts";

/** SignalR's stream of items: the result of `stream`, and the `Subject` of an upload. */
export interface StreamResult<T> {
  subscribe(subscriber: { next(value: T): void; error(error: unknown): void; complete(): void }): {
    dispose(): void;
  };
}

/** The methods of SignalR's connection that get the hub's types. */
export interface SignalRConnection {
  // any: as in SignalR's own signatures, which are the same for every hub.
  invoke(methodName: string, ...args: any[]): Promise<any>;
  send(methodName: string, ...args: any[]): Promise<void>;
  stream(methodName: string, ...args: any[]): StreamResult<any>;
  on(methodName: string, newMethod: (...args: any[]) => any): void;
  off(methodName: string, method?: (...args: any[]) => void): void;
}

/** A method's name as in the hub, or capitalized as in .NET. SignalR servers ignore the case of names. */
type Spelled<K> = K extends string ? K | Capitalize<K> : never;
/** The hub's spelling of the name `N`. */
type Plain<T, N> = { [K in keyof T]: N extends Spelled<K> ? K : never }[keyof T];

/** Arguments as SignalR's client takes them: an upload is a `Subject`. */
type Uploaded<A> = {
  [I in keyof A]: A[I] extends AsyncIterable<infer T> ? StreamResult<T> : A[I];
};
type Args<F> = F extends (...args: infer A) => unknown ? Uploaded<A> : never;
type Result<F> = F extends (...args: any[]) => infer R ? R : never;
type Item<F> = Result<F> extends AsyncIterable<infer T> ? T : never;

/** Actions of rooms with state: the first argument is the room's name, except for users' own rooms. */
type Actions<H extends AnyHub, R = Runs<ActionsOf<H>>> = {
  readonly [K in keyof R]: RoomOf<H>["kind"] extends "user" ? R[K] : InRoom<R[K]>;
};
type InRoom<F> = F extends (...args: infer A) => infer R ? (room: string, ...args: A) => R : never;

type Members<H extends AnyHub> = H["members"];
type Methods<H extends AnyHub, B> = Invokes<Members<H>, B> & Actions<H>;
type StreamMethods<H extends AnyHub, B> = Streams<Members<H>, B>;
type Handlers<H, B> = {
  readonly [K in keyof HandlersOf<H, B>]-?: NonNullable<HandlersOf<H, B>[K]>;
};

/** Bytes that a hub sends: base64 in SignalR's JSON, bytes in its MessagePack. */
type Bytes = string | Uint8Array;

/**
 * The connection `C` with the hub's method names, arguments, results and client methods in place of `any`. `B` is the
 * type of bytes in its protocol.
 */
export type Typed<H extends AnyHub, C extends SignalRConnection, B = Bytes> = Omit<
  C,
  "invoke" | "send" | "stream" | "on" | "off"
> & {
  invoke<N extends Spelled<keyof Methods<H, B>>>(
    methodName: N,
    ...args: Args<Methods<H, B>[Plain<Methods<H, B>, N>]>
  ): Result<Methods<H, B>[Plain<Methods<H, B>, N>]>;
  send<N extends Spelled<keyof Methods<H, B>>>(
    methodName: N,
    ...args: Args<Methods<H, B>[Plain<Methods<H, B>, N>]>
  ): Promise<void>;
  stream<N extends Spelled<keyof StreamMethods<H, B>>>(
    methodName: N,
    ...args: Args<StreamMethods<H, B>[Plain<StreamMethods<H, B>, N>]>
  ): StreamResult<Item<StreamMethods<H, B>[Plain<StreamMethods<H, B>, N>]>>;
  on<N extends Spelled<keyof ClientOf<H>>>(
    methodName: N,
    newMethod: Handlers<H, B>[Plain<Handlers<H, B>, N>],
  ): void;
  off<N extends Spelled<keyof ClientOf<H>>>(
    methodName: N,
    method?: Handlers<H, B>[Plain<Handlers<H, B>, N>],
  ): void;
};

/** Further members of SignalR's connection, for applications that do not name its type. */
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
 * Gives SignalR's connection the types of a hub, and returns the same object. `typed<ChatHub, HubConnection>` also
 * keeps the further members of SignalR's own type. Bytes that the hub sends are texts in base64, or bytes if the
 * connection has MessagePack: `typed<ChatHub, HubConnection, Uint8Array>`.
 *
 * @example
 * const chat = typed<ChatHub>(new HubConnectionBuilder().withUrl("/hubs/chat").build());
 * chat.on("receiveMessage", (user, message) => console.log(user, message));
 * await chat.invoke("sendToRoom", "lobby", "hello");
 */
export const typed = <
  H extends AnyHub,
  C extends SignalRConnection = SignalRConnection & Lifecycle,
  B extends Bytes = Bytes,
>(
  connection: C,
): Typed<H, C, B> => connection as unknown as Typed<H, C, B>;
