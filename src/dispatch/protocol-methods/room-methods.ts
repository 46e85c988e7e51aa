// The protocol's words about rooms, for connections that came for a whole hub: which room is meant, who may join it, and
// how a client that was away resumes several at once.

import { z } from "zod";
import { HubError, publicError } from "../../model/errors.ts";
import { formatPosition, parsePosition } from "../../model/position.ts";
import { formatTopic, parseTopic, type Topic } from "../../model/topic.ts";
import { encodeParams } from "../../protocols/json.ts";
import type { CaughtUp } from "../../rooms/object/host.ts";
import type { Asked } from "./built-ins.ts";
import {
  callAt,
  mayEnter,
  mayPublish,
  mayReadHistory,
  mayReadPresence,
  rulesAt,
} from "../define/policies.ts";

/** As the wire has it for calls. */
const MAX_METHOD = 128;
const MAX_CONNECTION_ID = 600;
const EXCLUDED_AT_MOST = 100;

export const Join = z.object({ room: z.string(), since: z.string().optional() });
/** Where the client stands, by room. */
export const Resume = z.object({ rooms: z.record(z.string(), z.string()) });

/** The room that is named, or the one the connection came for. Throws `invalid_arguments` where there is neither. */
export function roomAsked({ session }: Asked, name: string | undefined): Topic {
  const room = name === undefined ? session.host.roomOf(session.connection) : parseTopic(name);
  if (room.kind === "all" && name === undefined && session.connection.attached.request)
    throw new HubError("invalid_arguments", "Which room? This connection is of the whole hub.");
  return room;
}

/** What policies judge: the connection's user, at a room; and its hub's rules for that. */
export const judged = ({ session, served }: Asked, room: Topic) =>
  [callAt(served, session.connection.user, room), rulesAt(served, room)] as const;

/** The same, for who may. Throws `forbidden`. */
async function permitted(asked: Asked, name: string | undefined, may: May): Promise<Topic> {
  const room = roomAsked(asked, name);
  const isOwn =
    room.kind !== "all" &&
    formatTopic(room) === formatTopic(asked.session.host.roomOf(asked.session.connection));
  if (isOwn || (await may(...judged(asked, room)))) return room;
  throw new HubError("forbidden", "This room is not for this user.");
}

type May = typeof mayEnter;

export const entered = (asked: Asked, name: string | undefined): Promise<Topic> =>
  permitted(asked, name, mayEnter);

export const seen = (asked: Asked, name: string | undefined): Promise<Topic> =>
  permitted(asked, name, mayReadPresence);

/** Where the connection stands there; what it missed is on its way. A replay is history. */
export async function join(asked: Asked, { room: name, since }: z.output<typeof Join>) {
  const { host, connection } = asked.session;
  const position = since === undefined ? undefined : parsePosition(since);
  for (;;) {
    const { user } = connection;
    const room = await entered(asked, name);
    const reads = position && (await mayReadHistory(...judged(asked, room)));
    // A fresh token that came meanwhile judges what is joined by then: so it must not have been judged by the old one.
    if (connection.user === user)
      return told(await host.catchUp(connection, room, reads ? position : undefined));
  }
}

/** What an array or an object of the caller's is as arguments, as in a call. */
const Params = z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]).optional();
export const Publish = z.object({
  room: z.string().optional(),
  method: z.string().min(1).max(MAX_METHOD),
  params: Params,
  idempotencyKey: z.string().min(1).max(MAX_METHOD).optional(),
  /** Connections that shall not hear it, by id. */
  excluded: z.array(z.string().max(MAX_CONNECTION_ID)).max(EXCLUDED_AT_MOST).optional(),
});

/** Says something in a room, in nobody's name: for tokens that may. */
export async function publish(asked: Asked, said: z.output<typeof Publish>) {
  const { host, connection } = asked.session;
  const { user } = connection;
  const room = roomAsked(asked, said.room);
  if (!mayPublish(user, room))
    throw new HubError("forbidden", "This token does not publish in this room.");
  const { method: target, params = [], idempotencyKey: key, excluded: except } = said;
  const position = await host.publishSaved(room, {
    target,
    ...encodeParams(Array.isArray(params) ? params : [params]),
    ...(key !== undefined && { id: `${JSON.stringify([user.id, key])}/$` }),
    ...(except && { except }),
  });
  return { position: formatPosition(position) };
}

export async function leave({ session }: Asked, { room }: { room: string }): Promise<null> {
  await session.host.leave(session.connection, parseTopic(room));
  return null;
}

/** An answer for each room: one that cannot be entered any more keeps none of the others away. */
export async function resume(asked: Asked, { rooms }: z.output<typeof Resume>) {
  const answers = Object.entries(rooms).map(async ([room, since]) => {
    try {
      return [room, await join(asked, { room, since })] as const;
    } catch (error) {
      const { code, message } = publicError(error);
      return [room, { error: { code, message } }] as const;
    }
  });
  return Object.fromEntries(await Promise.all(answers));
}

const told = ({ position, recovered, replayed }: CaughtUp) => ({
  position: formatPosition(position),
  recovered,
  replayed,
});
