// One room that an object follows, and who of its connections is in it.

import type { Position } from "../../model/position.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import { JoinReplays } from "./join-replay.ts";
import type { Connection } from "../connection/connection.ts";
import type { Delivery, MemberCount } from "../rpc/room-rpc.ts";
import type { Entry } from "../rpc/log-entry.ts";

export interface FollowedRoom {
  readonly room: string;
  readonly topic: Topic;
  readonly members: ReadonlySet<Connection>;
  /** Users whose count the room does not know yet. */
  readonly untold: Set<string>;
  /** Where we stand in the room's log; unknown after a wake, and the room knows then. */
  position: Position | undefined;
  following: boolean;
  readonly catchingUp: JoinReplays;
  /** Whether the room may count this object among its followers. */
  asked: boolean;
  syncing: Promise<void>;
}

export const followedOf = (topic: Topic, members: ReadonlySet<Connection>): FollowedRoom => ({
  room: formatTopic(topic),
  topic,
  members,
  untold: new Set(),
  position: undefined,
  catchingUp: new JoinReplays(),
  following: false,
  asked: false,
  syncing: Promise.resolve(),
});

/** What a batch brings that was not heard yet; undefined where it does not follow on what was. */
export function newIn(
  { position }: FollowedRoom,
  { epoch, after, entries, reset, from = Infinity }: Delivery,
): { readonly entries: readonly Entry[]; readonly position: Position } | undefined {
  const at = position?.epoch === epoch ? position.offset : undefined;
  // A reset that reaches further back than this object: the room forgot in a crash how far it had come.
  if (at !== undefined && (reset ? at > from : after > at)) return undefined;
  const offset = Math.max(at ?? 0, entries.at(-1)?.offset ?? after);
  const isNew = (entry: Entry) => at === undefined || entry.offset > at;
  return { entries: entries.filter(isNew), position: { epoch, offset } };
}

export function countsOf(
  members: ReadonlySet<Connection>,
  users: readonly string[],
): MemberCount[] {
  const counts = new Map(users.map((user) => [user, 0]));
  for (const { user } of members) {
    const count = counts.get(user.id);
    if (count !== undefined) counts.set(user.id, count + 1);
  }
  return [...counts];
}
