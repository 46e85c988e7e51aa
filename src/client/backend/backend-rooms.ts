// Rooms, users and connections as a service holds them: what it may see of them, and do to them.

import type { AnyHub } from "../../dispatch/define/hub-definition.ts";
import type { ClientOf } from "../../dispatch/define/hub-types.ts";
import { HubError } from "../../model/errors.ts";
import { formatPosition, type Position } from "../../model/position.ts";
import { roomTopic, type RoomKind } from "../../model/topic.ts";
import type { HandlersOf, HistoryQuery, PresenceQuery } from "../connect-options.ts";
import type { PresencePage } from "../scope/room-presence.ts";
import { roomPath, segment } from "./backend-urls.ts";
import { countsOf, historyOf, presenceOf, type Counted } from "./backend-answers.ts";
import type { History, Present } from "./backend-answers.ts";
import type { Requests } from "./backend-requests.ts";

/** Something that was said in a room: `method` tells what, and with it what `params` are. */
export type HubEntry<H extends AnyHub> = {
  readonly [K in keyof ClientOf<H> & string]: {
    readonly method: K;
    readonly params: Parameters<NonNullable<HandlersOf<H>[K]>>;
    readonly position: string;
    /** Milliseconds since 1970. */
    readonly at: number;
  };
}[keyof ClientOf<H> & string];

export interface HubHistory<H extends AnyHub> {
  readonly messages: readonly HubEntry<H>[];
  /** Where the room stands. */
  readonly position: string;
}

export interface Ending {
  /** What clients are told. */
  readonly reason?: string;
  /** Connections that stay. */
  readonly except?: readonly string[];
}

/** A room, whatever its kind. */
export interface ServiceRoom<H extends AnyHub> {
  /** `group:lobby` */
  readonly room: string;
  /** Puts a connection into the room: false where there is no such connection. */
  add(connectionId: string): Promise<boolean>;
  /** False where it was not there. */
  remove(connectionId: string): Promise<boolean>;
  /** Throws `history_gone` where the log no longer has all after `since`. */
  history(query?: HistoryQuery): Promise<HubHistory<H>>;
  /** Forgets what was said; whoever comes back by position is told to reload. */
  clearHistory(): Promise<void>;
  readonly presence: {
    list(page?: PresenceQuery): Promise<PresencePage>;
    count(): Promise<{ readonly users: number; readonly connections: number }>;
  };
  /** Where it stands, and how many are there. */
  info(): Promise<RoomInfo>;
  /** Its log and all that is known of it, for good. Answers where the new log begins. */
  erase(): Promise<string>;
  /** Ends the connections that are in it. */
  close(ending?: Ending): Promise<void>;
}

export interface RoomInfo {
  readonly position: string;
  readonly users: number;
  readonly connections: number;
  readonly messagesPerSecond: number;
}

type Info = Position & Counted & { readonly messages_per_second: number };

export function roomAt<H extends AnyHub>(
  requests: Requests,
  kind: RoomKind,
  name: string,
): ServiceRoom<H> {
  const topic = roomTopic(kind, name);
  const path = roomPath(topic);
  const memberPath = (id: string) => `${path}/connections/${segment(id)}`;
  const get = (what: string, query: HistoryQuery & PresenceQuery = {}) =>
    requests({ method: "GET", path: `${path}${what}`, query: queryOf(query) });
  return {
    room: `${kind}:${topic.name}`,
    add: (id) => found(requests({ method: "PUT", path: memberPath(id) })),
    remove: (id) => found(requests({ method: "DELETE", path: memberPath(id) })),
    history: async (query) => historyOf((await get("/history", query)) as History) as HubHistory<H>,
    clearHistory: () => done(requests({ method: "DELETE", path: `${path}/history` })),
    presence: {
      list: async (page) => presenceOf((await get("/presence", page)) as Present),
      count: async () => countsOf((await get("/presence_stats")) as Counted),
    },
    info: async () => infoOf((await get("")) as Info),
    erase: async () => formatPosition((await requests({ method: "DELETE", path })) as Position),
    close: (ending) => close(requests, path, ending),
  };
}

const infoOf = ({ messages_per_second, ...info }: Info): RoomInfo => ({
  position: formatPosition(info),
  ...countsOf(info),
  messagesPerSecond: messages_per_second,
});

/** `reverse` stands for itself. */
const queryOf = ({ reverse, ...query }: HistoryQuery & PresenceQuery) => ({
  ...query,
  reverse: reverse ? "true" : undefined,
});

export const close = (requests: Requests, path: string, ending: Ending = {}): Promise<void> => {
  const query = { reason: ending.reason, excluded: ending.except };
  return done(requests({ method: "POST", path: `${path}/:closeConnections`, query }));
};

/** For what has nothing to say. */
export const done = async (answer: Promise<unknown>): Promise<void> => void (await answer);

const MISSING: ReadonlySet<string> = new Set([
  "not_found",
  "connection_not_found",
  "user_not_found",
  "group_not_found",
]);

/** Whether it is there. A hub that is not served is an error all the same. */
export async function found(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
    return true;
  } catch (error) {
    if (error instanceof HubError && MISSING.has(error.code)) return false;
    throw error;
  }
}
