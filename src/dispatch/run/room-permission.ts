// The hub's rules for a room, as they judge the user of a connection.

import { adviceFor } from "../../model/error-advice.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import { callAt, mayEnter, rulesAt } from "../define/policies.ts";
import { forbidden, ruleText } from "../define/policy-names.ts";
import { policyRuntime } from "../define/runtime.ts";
import type { Session } from "./session.ts";

/** The arguments of `mayEnter` and its like. `user` is the connection's, or that of a fresh token. */
export function policyInputOf({ host, served }: Session, user: User, room: Topic) {
  const runtime = policyRuntime(host, served);
  return [callAt(served, { user, room, ...runtime }), rulesAt(served, room)] as const;
}

/** A rule of rooms. */
type May = typeof mayEnter;

/**
 * Judges by the rule; a room that the connection is attached to was entered already. Throws `forbidden`, or what a
 * policy throws.
 */
export async function checkRoom(session: Session, room: Topic, may: May = mayEnter): Promise<void> {
  const { connection, host, served } = session;
  const { user } = connection;
  const name = formatTopic(room);
  if (room.kind !== "all" && name === formatTopic(host.roomOf(connection))) return;
  if (await may(...policyInputOf(session, user, room))) return;
  const expected = () => ruleText(room.kind, rulesAt(served, room));
  const error = forbidden("This room is not for this user.", { expected, user, room: name });
  // A room on the socket of the whole hub is refused by this call alone: the client shows it as the room's state.
  throw Object.assign(error, { action: adviceFor("forbidden") });
}
