// The type of a hub without its source: made from the signatures of its methods, as `dormouse types` writes them.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Hub, HubMember, StreamArg } from "../dispatch/define/hub-definition.ts";
import type { RoomKind } from "../model/topic.ts";

/** The members of a hub. A stream returns an async iterable; a parameter that is one is sent as a stream. */
export interface RemoteMembers {
  // Typed as `object`, because interfaces have no index signature.
  readonly methods?: object;
  readonly streams?: object;
  /** The methods that the hub calls on its clients. Absent: any. */
  readonly client?: object;
  /** The states of the hub's presence. */
  readonly state?: unknown;
  /** Actions of its rooms with state: their parameters, without the room. */
  readonly actions?: object;
  /** The kind of these rooms, and the state as clients see it. */
  readonly room?: { readonly kind: RoomKind; readonly view: unknown };
}

/**
 * A hub for `connect<…>`, `events<…>` and the like, without its source.
 *
 * @example
 * type ChatHub = RemoteHub<{ methods: { joinRoom(name: string): unknown } }>;
 */
export type RemoteHub<R extends RemoteMembers> = Hub<
  Client<R>,
  Methods<Client<R>, R["methods"]> & Streams<Client<R>, R["streams"]>,
  R["state"],
  Room<R>,
  Actions<R["actions"]>
>;

type Client<R extends RemoteMembers> = R["client"] extends object ? R["client"] : AnyClient;
type AnyClient = Record<string, (...args: any[]) => void>;

type Methods<C, M> = {
  readonly [K in keyof M]: M[K] extends (...args: infer P) => infer R
    ? Member<C, "method", (context: any, ...args: P) => R, ArgumentsOf<P>>
    : never;
};
type Streams<C, M> = {
  readonly [K in keyof M]: M[K] extends (...args: infer P) => AsyncIterable<infer T>
    ? Member<C, "stream", (context: any, ...args: P) => AsyncIterable<T>, ArgumentsOf<P>>
    : never;
};
type Room<R extends RemoteMembers> = R["room"] extends { kind: infer K; view: infer V }
  ? { client: Client<R>; kind: K; state: unknown; view: V; internal: {} }
  : never;
type Actions<A> = A extends object
  ? {
      readonly [K in keyof A]: A[K] extends (...args: infer P) => infer T
        ? {
            readonly kind: "action";
            readonly args: ArgumentsOf<P>;
            readonly handle: (context: any, ...args: P) => T;
          }
        : never;
    }
  : {};
type Member<C, K, F, A> = Omit<HubMember<C>, "kind" | "args" | "handle"> & {
  readonly kind: K;
  readonly args: A;
  readonly handle: F;
};

type ArgumentsOf<P extends readonly unknown[]> = {
  readonly [K in keyof P]-?: P[K] extends AsyncIterable<infer T>
    ? StreamArg<StandardSchemaV1<T, T>>
    : StandardSchemaV1<P[K], P[K]>;
};
