// An application's own paths, in addition to `/hubs/{hub}`: a hub in JSON-RPC, and feeds, which are event streams of
// one room with names and data of the application's choice. Declarations are plain data; the endpoint serves them.

import type { User } from "../../model/user.ts";
import type { AnyHub, Hub } from "./hub-definition.ts";
import type { Awaitable } from "./policies.ts";
import type { Runtime } from "./runtime.ts";

/** `GET` with an upgrade is a JSON-RPC connection to the hub; `POST` is one request, or a batch of them. */
export interface JsonRpcPath {
  readonly kind: "json-rpc";
  readonly path: string;
  /** The hub's name. */
  readonly hub: string;
}

/** A request for a feed. */
export interface FeedRequest extends Runtime {
  /** Parameters of the path by name: `id` in `/events/orders/:id`. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly user: User;
}

/** A client method as an event of a feed. */
export interface FeedEvent<A extends readonly unknown[] = any[]> {
  /** The event's name. Default: that of the client method. */
  readonly name?: string;
  /**
   * The event's data, which is sent as JSON. Default: the argument, or the array of several ones. If it throws, the
   * error is logged, and the event is left out.
   */
  readonly data?: (...args: A) => unknown;
}

/** The room of a feed, and the client methods that are its events; other messages of the room are left out. */
export interface FeedOptions<C> {
  /** As a topic, `group:updates`. May throw a `HubError`, which is the answer. */
  readonly room: string | ((request: FeedRequest) => Awaitable<string>);
  readonly events: {
    readonly [K in keyof C]?: C[K] extends (...args: infer A) => unknown
      ? string | FeedEvent<A>
      : never;
  };
}

/** A declared feed, for the endpoint. */
export interface FeedPath {
  readonly kind: "feed";
  readonly path: string;
  /** The hub's name. */
  readonly hub: string;
  roomOf(request: FeedRequest): Awaitable<string>;
  /** By client method. */
  readonly events: ReadonlyMap<string, Required<FeedEvent>>;
}

/** One of the application's own paths: the result of `feed` or `jsonRpc`, for `paths` of `serve`. */
export type HubPath = JsonRpcPath | FeedPath;

/** Serves a hub in JSON-RPC at a path, for `serve(hubs, { paths })`. Throws a `TypeError` for a path without `/`. */
export const jsonRpc = (path: string, { name: hub }: AnyHub): JsonRpcPath => ({
  kind: "json-rpc",
  path: checked(path),
  hub,
});

/**
 * Serves the events of one room of a hub at a path, in Hono's syntax, for `serve(hubs, { paths })`. The hub's rules
 * decide who may read the room; positions and `Last-Event-ID` are those of all event streams. Throws a `TypeError` for
 * a path without `/`, and for an event's name that has line ends.
 *
 * @example
 * feed("/events/orders/:id", OrderHub, {
 *   room: ({ params }) => `order:${params.id}`,
 *   events: { orderStatusChanged: { name: "order-update", data: (orderId, status) => ({ orderId, status }) } },
 * });
 */
export function feed<C, M>(
  path: string,
  { name: hub }: Hub<C, M>,
  { room, events }: FeedOptions<C>,
): FeedPath {
  return {
    ...{ kind: "feed", path: checked(path), hub },
    roomOf: typeof room === "string" ? () => room : room,
    events: new Map(
      Object.entries<string | FeedEvent>(events as Record<string, string | FeedEvent>).map(
        ([method, event]) => [method, complete(method, event)],
      ),
    ),
  };
}

function complete(method: string, event: string | FeedEvent): Required<FeedEvent> {
  const { name = method, data = onlyArgument } =
    typeof event === "string" ? { name: event } : event;
  if (/[\r\n]/.test(name))
    throw new TypeError(`Event of ${method}: a name may not have line ends.`);
  return { name, data };
}

const onlyArgument = (...args: unknown[]): unknown => (args.length === 1 ? args[0] : args);

function checked(path: string): string {
  if (!path.startsWith("/")) throw new TypeError(`Path "${path}": a path begins with /.`);
  return path;
}
