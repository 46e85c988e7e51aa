// A call of one of the protocol's own methods (`$/…`), and which room it is about.

import { HubError } from "../../model/errors.ts";
import { formatTopic, parseTopic, type Topic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import { callAt, mayEnter, mayReadPresence, rulesAt } from "../define/policies.ts";
import type { Session } from "../run/session.ts";

/** Verifies a fresh token. Throws what authentication throws. */
export type Verify = (token: string, env: object) => Promise<User>;

export interface ProtocolCall {
  readonly session: Session;
  readonly verify: Verify;
}

/** The room that is named, or the one the connection came for. Throws `invalid_arguments` where there is neither. */
export function roomNamed({ session }: ProtocolCall, name: string | undefined): Topic {
  const { connection, host } = session;
  const room = name === undefined ? host.roomOf(connection) : parseTopic(name);
  if (room.kind === "all" && name === undefined && connection.attached.request)
    throw new HubError("invalid_arguments", "Which room? This connection is of the whole hub.");
  return room;
}

/** What policies judge: the connection's user, at a room; and the hub's rules for it. */
export const judgedAt = ({ session: { connection, served } }: ProtocolCall, room: Topic) =>
  [callAt(served, connection.user, room), rulesAt(served, room)] as const;

type May = typeof mayEnter;

/** The room, where its user may; the room that it came for is always allowed. Throws `forbidden`. */
async function permittedRoom(
  call: ProtocolCall,
  name: string | undefined,
  may: May,
): Promise<Topic> {
  const { connection, host } = call.session;
  const room = roomNamed(call, name);
  const isOwn = room.kind !== "all" && formatTopic(room) === formatTopic(host.roomOf(connection));
  if (isOwn || (await may(...judgedAt(call, room)))) return room;
  throw new HubError("forbidden", "This room is not for this user.");
}

/** The room, where the user may enter it. */
export const roomToEnter = (call: ProtocolCall, name: string | undefined): Promise<Topic> =>
  permittedRoom(call, name, mayEnter);

/** The room, where the user may read its presence. */
export const roomToSee = (call: ProtocolCall, name: string | undefined): Promise<Topic> =>
  permittedRoom(call, name, mayReadPresence);
