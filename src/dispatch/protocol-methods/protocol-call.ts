// A call of a method of the protocol itself (`$/…`): the room that it is about, and whether the user may use it.

import { HubError } from "../../model/errors.ts";
import { adviceFor } from "../../model/error-advice.ts";
import { formatTopic, parseTopic, type Topic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import { callAt, mayEnter, mayReadPresence, rulesAt } from "../define/policies.ts";
import { forbidden, ruleText } from "../define/policy-names.ts";
import { runtimeAt } from "../define/runtime.ts";
import type { Session } from "../run/session.ts";

/** Verifies a fresh token. Rejects as authentication does, with `token_…`. */
export type Verify = (token: string, env: object) => Promise<User>;

export interface ProtocolCall {
  /** The session of the caller's connection. */
  readonly session: Session;
  readonly verify: Verify;
}

/**
 * The room with this name, by default the one that the connection is attached to. Throws `invalid_arguments` if there
 * is neither, `room_kind_not_found` or `invalid_name`.
 */
export function roomNamed({ session }: ProtocolCall, name: string | undefined): Topic {
  const { connection, host } = session;
  const room = name === undefined ? host.roomOf(connection) : parseTopic(name);
  if (room.kind === "all" && name === undefined && connection.attached.request)
    throw new HubError("invalid_arguments", "Which room? This connection is of the whole hub.");
  return room;
}

/** The arguments of `mayEnter` and its like: the connection's user at a room, and the hub's rules for that room. */
export const policyInput = ({ session }: ProtocolCall, room: Topic) =>
  policyInputOf(session, session.connection.user, room);

/** The same for another user: a fresh token's. */
export function policyInputOf({ host, served }: Session, user: User, room: Topic) {
  const runtime = runtimeAt(host, { hub: served.name, method: "policy" });
  return [callAt(served, { user, room, ...runtime }), rulesAt(served, room)] as const;
}

/** A rule of rooms. */
type May = typeof mayEnter;

/** The room, if the rule allows it or the connection is attached to it. Throws `forbidden`. */
async function permittedRoom(
  call: ProtocolCall,
  name: string | undefined,
  may: May,
): Promise<Topic> {
  const { connection, host } = call.session;
  const room = roomNamed(call, name);
  const isOwn = room.kind !== "all" && formatTopic(room) === formatTopic(host.roomOf(connection));
  if (isOwn || (await may(...policyInput(call, room)))) return room;
  const expected = () => ruleText(room.kind, rulesAt(call.session.served, room)?.enter);
  const { user } = connection;
  const error = forbidden("This room is not for this user.", {
    ...{ expected, user, room: formatTopic(room) },
  });
  // A room on the socket of the whole hub is refused by this call alone: the client shows it as the room's state.
  throw Object.assign(error, { action: adviceFor("forbidden") });
}

/** The room, if the user may enter it. Throws `forbidden`, or what a policy throws. */
export const roomToEnter = (call: ProtocolCall, name: string | undefined): Promise<Topic> =>
  permittedRoom(call, name, mayEnter);

/** The room, if the user may read its presence. Throws as `roomToEnter`. */
export const roomToSee = (call: ProtocolCall, name: string | undefined): Promise<Topic> =>
  permittedRoom(call, name, mayReadPresence);
