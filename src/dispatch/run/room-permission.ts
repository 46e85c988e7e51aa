// Checks the hub's rules of a room for the user of a connection.

import { adviceFor } from "../../model/error-advice.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import { callAt, mayEnter, rulesAt } from "../define/policies.ts";
import { forbidden, ruleText } from "../define/policy-names.ts";
import { policyRuntime } from "../define/runtime.ts";
import type { Session } from "./session.ts";

/** The arguments of `mayEnter` and similar functions. `user` is the connection's, or that of a fresh token. */
export function policyInputOf({ host, served }: Session, user: User, room: Topic) {
  const runtime = policyRuntime(host, served);
  return [callAt(served, { user, room, ...runtime }), rulesAt(served, room)] as const;
}

/** A rule of rooms. */
type May = typeof mayEnter;

/**
 * Checks a rule, unless the connection is attached to the room and has entered it already. Rejects with `forbidden`, or
 * the error of a policy.
 */
export async function checkRoom(session: Session, room: Topic, may: May = mayEnter): Promise<void> {
  const { connection, host, served } = session;
  const { user } = connection;
  const name = formatTopic(room);
  if (room.kind !== "all" && name === formatTopic(host.roomOf(connection))) return;
  if (await may(...policyInputOf(session, user, room))) return;
  const expected = () => ruleText(room.kind, rulesAt(served, room));
  const error = forbidden("This room is not for this user.", { expected, user, room: name });
  // On the socket of a whole hub only this answer tells the client that the room is refused: it needs the advice.
  throw Object.assign(error, { action: adviceFor("forbidden") });
}
