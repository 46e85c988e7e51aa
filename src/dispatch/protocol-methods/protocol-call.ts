// A call of a method of the protocol itself (`$/…`): the room that it is about, and whether the user may use it.

import { HubError } from "../../model/errors.ts";
import { parseTopic, type Topic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import { pause } from "../../rooms/platform/loop-timing.ts";
import { mayEnter, mayReadPresence } from "../define/policies.ts";
import type { Call } from "../run/call.ts";
import { roomMissing } from "../run/refusals.ts";
import { checkRoom, policyInputOf } from "../run/room-permission.ts";
import type { Session } from "../run/session.ts";

/** Verifies a fresh token. Rejects like authentication, with `token_…`. */
export type Verify = (token: string, env: object) => Promise<User>;

export interface ProtocolCall {
  /** The session of the caller's connection. */
  readonly session: Session;
  readonly verify: Verify;
  /** The call, whose answer waits for its publications. */
  readonly call: Call;
  /** That of the frame. A key among the parameters counts before it. */
  readonly idempotencyKey?: string | undefined;
}

/**
 * The room with this name, by default the one that the connection is attached to. Throws `invalid_arguments` if there
 * is neither, `room_kind_not_found` or `invalid_name`.
 */
export function roomNamed({ session }: ProtocolCall, name: string | undefined): Topic {
  const { connection, host } = session;
  const room = name === undefined ? host.roomOf(connection) : parseTopic(name);
  if (room.kind === "all" && name === undefined && connection.attached.request) throw roomMissing();
  return room;
}

/** The arguments of `mayEnter` and similar functions: the connection's user at a room, and the room's rules. */
export const policyInput = ({ session }: ProtocolCall, room: Topic) =>
  policyInputOf(session, session.connection.user, room);

/** The room, if the rule allows it or the connection is attached to it. Throws `forbidden`, or a policy's error. */
async function permittedRoom(
  call: ProtocolCall,
  name: string | undefined,
  may: typeof mayEnter,
): Promise<Topic> {
  const room = roomNamed(call, name);
  await checkRoom(call.session, room, may);
  return room;
}

/** The room, if the user may enter it. Throws `forbidden`, or a policy's error. */
export const roomToEnter = (call: ProtocolCall, name: string | undefined): Promise<Topic> =>
  permittedRoom(call, name, mayEnter);

/** The room, if the user may read its presence. Throws as `roomToEnter`. */
export const roomToSee = (call: ProtocolCall, name: string | undefined): Promise<Topic> =>
  permittedRoom(call, name, mayReadPresence);

/** The cost of a page in addition to its messages or users. */
const PAGE_BYTES = 512;

/**
 * The most reads of a connection in one turn of the event loop: calls between objects of one machine do not let it
 * turn, and a batch of a hundred reads would delay all other clients of the object.
 */
const READS_A_TURN = 4;

/** Counts a read. Throws `rate_limited` if the connection has read too much. */
export async function read({ session }: ProtocolCall): Promise<void> {
  const { historyBudget, host } = session;
  session.reads += 1;
  if (session.reads % READS_A_TURN === 0) await pause(host.clock, 0);
  if (!historyBudget.spend(PAGE_BYTES, host.clock.now()))
    throw new HubError("rate_limited", "Too much was read; try again in a few seconds.");
}
