// A room as a service uses it: its history, presence and connections.

import type { AnyHub } from "../../dispatch/define/hub-definition.ts";
import type { ClientOf, PresenceStateOf } from "../../dispatch/define/hub-types.ts";
import { HubError } from "../../model/errors.ts";
import { formatPosition, type Position, type RoomKind, roomTopic } from "../../model/topic.ts";
import type { HandlersOf } from "../model/client-handlers.ts";
import type { HistoryQuery } from "../model/client-messages.ts";
import type { PresencePage, PresenceQuery } from "../model/room-presence.ts";
import { countsOf, historyOf, presenceOf, type CountsResponse } from "./backend-answers.ts";
import type { HistoryResponse, PresenceResponse } from "./backend-answers.ts";
import type { SendRequest } from "./backend-requests.ts";
import { roomPath, segment } from "./backend-urls.ts";

/** A message in a room's history. `method` narrows the type of `params`. */
export type HubEntry<H extends AnyHub> = {
  readonly [K in keyof ClientOf<H> & string]: {
    readonly method: K;
    readonly params: Parameters<NonNullable<HandlersOf<H>[K]>>;
    readonly position: string;
    /** Milliseconds since 1970. */
    readonly at: number;
  };
}[keyof ClientOf<H> & string];

/** A room's history, as services read it. */
export interface HubHistory<H extends AnyHub> {
  readonly messages: readonly HubEntry<H>[];
  /** The room's newest position, `epoch:offset`. */
  readonly position: string;
}

/** How connections are closed. */
export interface Ending {
  /** Sent to the clients with the close of their connections. */
  readonly reason?: string | undefined;
  /** Ids of connections that stay open. */
  readonly except?: readonly string[] | undefined;
}

/**
 * A room of any kind. Calls reject with a HubError of the server's code. They are repeated after a failure that may be
 * transient: a request that is executed twice leaves the room in the same state as one executed once.
 */
export interface ServiceRoom<H extends AnyHub> {
  /** Kind and name: `group:lobby`. */
  readonly room: string;
  /** Adds a connection to the room. False if the hub has no connection with this id. */
  add(connectionId: string): Promise<boolean>;
  /** False if the connection was not in the room. */
  remove(connectionId: string): Promise<boolean>;
  /** Rejects with `history_gone` if the log no longer has all messages after `since`. */
  history(query?: HistoryQuery): Promise<HubHistory<H>>;
  /** Deletes the messages in the log. A client that resumes from a position among them has to reload its state. */
  clearHistory(): Promise<void>;
  readonly presence: {
    list(page?: PresenceQuery): Promise<PresencePage<PresenceStateOf<H>>>;
    count(): Promise<{ readonly users: number; readonly connections: number }>;
  };
  /** Position, and numbers of users and connections. */
  info(): Promise<RoomInfo>;
  /** Deletes the room's log and all other data, for good. Resolves with the start position of the new log. */
  erase(): Promise<string>;
  /** Closes the connections in the room. */
  close(ending?: Ending): Promise<void>;
}

/** The figures of a room: its position, users and connections, and its rate. */
export interface RoomInfo {
  /** The newest position, `epoch:offset`. */
  readonly position: string;
  readonly users: number;
  readonly connections: number;
  readonly messagesPerSecond: number;
  /** Whether the hub gives rooms of its kind a state. */
  readonly hasState: boolean;
}

interface InfoResponse extends Position, CountsResponse {
  readonly messages_per_second: number;
  /** Absent in answers of older versions. */
  readonly has_state?: boolean;
}

/** Throws `invalid_name` and `room_kind_not_found`. */
export function roomAt<H extends AnyHub>(
  send: SendRequest,
  kind: RoomKind,
  name: string,
): ServiceRoom<H> {
  const topic = roomTopic(kind, name);
  const path = roomPath(topic);
  const connectionPath = (id: string) => `${path}/connections/${segment(id)}`;
  const get = (resource: string, query: HistoryQuery & PresenceQuery = {}) =>
    send({ method: "GET", path: `${path}${resource}`, query: queryOf(query) });
  return {
    room: `${kind}:${topic.name}`,
    add: (id) => exists(send({ method: "PUT", path: connectionPath(id) })),
    remove: (id) => exists(send({ method: "DELETE", path: connectionPath(id) })),
    history: async (query) =>
      historyOf((await get("/history", query)) as HistoryResponse) as HubHistory<H>,
    clearHistory: () => withoutResult(send({ method: "DELETE", path: `${path}/history` })),
    presence: {
      list: async (page) =>
        presenceOf((await get("/presence", page)) as PresenceResponse) as PresencePage<
          PresenceStateOf<H>
        >,
      count: async () => countsOf((await get("/presence_stats")) as CountsResponse),
    },
    info: async () => infoOf((await get("")) as InfoResponse),
    erase: async () => formatPosition((await send({ method: "DELETE", path })) as Position),
    close: (ending) => closeConnections(send, path, ending),
  };
}

const infoOf = ({ messages_per_second, has_state = false, ...info }: InfoResponse): RoomInfo => ({
  position: formatPosition(info),
  ...countsOf(info),
  messagesPerSecond: messages_per_second,
  hasState: has_state,
});

/** The API accepts only `reverse=true`: the parameter is left out for false. */
const queryOf = ({ reverse, ...query }: HistoryQuery & PresenceQuery) => ({
  ...query,
  reverse: reverse ? "true" : undefined,
});

/** `path` is the path of a room or a user. */
export const closeConnections = (
  send: SendRequest,
  path: string,
  ending: Ending = {},
): Promise<void> => {
  const query = { reason: ending.reason, excluded: ending.except };
  return withoutResult(send({ method: "POST", path: `${path}/:closeConnections`, query }));
};

export const withoutResult = async (response: Promise<unknown>): Promise<void> =>
  void (await response);

const MISSING_CODES: ReadonlySet<string> = new Set([
  "not_found",
  "connection_not_found",
  "user_not_found",
  "group_not_found",
]);

/** False for a missing connection, user or group. Rejects for all other errors, even if there is no such hub. */
export async function exists(response: Promise<unknown>): Promise<boolean> {
  try {
    await response;
    return true;
  } catch (error) {
    if (error instanceof HubError && MISSING_CODES.has(error.code)) return false;
    throw error;
  }
}
