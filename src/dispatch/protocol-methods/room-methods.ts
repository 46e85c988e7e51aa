// Methods of the protocol itself about membership and publications: join, leave, publish, and resuming several rooms.

import * as z from "zod/mini";
import { HubError, publicError } from "../../model/errors.ts";
import {
  formatPosition,
  formatTopic,
  parsePosition,
  parseTopic,
  type Topic,
} from "../../model/topic.ts";
import { traceOf } from "../../model/trace.ts";
import { MAX_IDEMPOTENCY_KEY } from "../../model/wire-constants.ts";
import { encodeGivenParams, hasBigint } from "../../protocols/exact-json.ts";
import type { ReplayOutcome } from "../../rooms/object/host.ts";
import { mayPublish, mayReadHistory } from "../define/policies.ts";
import type { Session } from "../run/session.ts";
import { policyInput, read, roomNamed, roomToEnter, type ProtocolCall } from "./protocol-call.ts";

/** The client method that a publication invokes. Names that begin with `$` are reserved for the protocol. */
export const Target = z.string().check(z.minLength(1), z.maxLength(256), z.regex(/^[^$]/));
/** The key of a publication or a run, in every protocol. */
export const IdempotencyKey = z.string().check(z.minLength(1), z.maxLength(MAX_IDEMPOTENCY_KEY));
/**
 * A value that is stored as JSON, in which a whole number beyond 2^53 would be rounded. Its absence is refused here,
 * because zod's own text for it names no type.
 */
export const Kept = z.unknown().check(
  z.refine((value) => value !== undefined, "Invalid input: expected a value, received undefined"),
  z.refine((value) => !hasBigint(value), "a number beyond 2^53 is not kept"),
);
/** The most characters of a connection's id. */
const MAX_CONNECTION_ID = 600;
/** The most connections that one publication may exclude. */
const EXCLUDED_AT_MOST = 100;

/** `since`: the position after which messages are replayed. Absent: no replay. */
export const Join = z.object({ room: z.string(), since: z.optional(z.string()) });
/** The client's position in each room, by topic. */
export const Resume = z.object({ rooms: z.record(z.string(), z.string()) });

/** Like `enter`, within the limits of joins. Throws `rate_limited` as well. */
export async function join(call: ProtocolCall, request: z.output<typeof Join>) {
  call.session.joins.count(1);
  return call.session.joins.inTurn(() => enter(call, request));
}

/**
 * Joins a room and returns the position after the replay, which is queued then; live messages follow it without gap or
 * duplicate. A replay requires the right to read history: without it, nothing is recovered. The first replay of a room
 * is free, as the client's recovery; further ones count as reads of history. Throws `forbidden`, `too_many_groups`,
 * `rate_limited`, `invalid_position` or `interrupted`.
 */
async function enter(call: ProtocolCall, { room: name, since }: z.output<typeof Join>) {
  const { host, connection } = call.session;
  const position = since === undefined ? undefined : parsePosition(since);
  for (;;) {
    const { user } = connection;
    const room = await roomToEnter(call, name);
    const reads = position && (await mayReadHistory(...policyInput(call, room)));
    const isCounted = (reads || brings(host, room)) && !call.session.isRecovery(formatTopic(room));
    if (isCounted) await read(call);
    // A refresh that ran meanwhile did not check this room, which was not joined yet: the fresh token is checked here.
    if (connection.user !== user) continue;
    const after = reads ? position : undefined;
    const outcome = await host.rooms.joinWithReplay(connection, room, after);
    if (isCounted) call.session.historyBudget.charge(outcome.chars);
    return outcomeOf(outcome);
  }
}

/** Whether a join brings a snapshot: at each join of a room with state. */
const brings = ({ settings }: Session["host"], { kind }: Topic): boolean =>
  kind === settings.stateKind;

/** An array of arguments, or an object that is the only one; as in a call. */
const Params = z.optional(z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]));
export const Publish = z.object({
  room: z.optional(z.string()),
  method: Target,
  params: Params,
  idempotencyKey: z.optional(IdempotencyKey),
  /** Ids of connections that must not receive it. */
  excluded: z.optional(
    z.array(z.string().check(z.maxLength(MAX_CONNECTION_ID))).check(z.maxLength(EXCLUDED_AT_MOST)),
  ),
});

/**
 * Publishes in a room without hub code, for tokens with the right `pub`. Returns the position once the message is saved
 * and the caller's own copy is queued. As long as the room's log has the key, a repetition by the same user returns the
 * first position. Throws `forbidden`, `too_large` or `rate_limited`.
 */
export async function publish(call: ProtocolCall, publication: z.output<typeof Publish>) {
  const { host, connection } = call.session;
  const { user } = connection;
  const room = roomNamed(call, publication.room);
  if (!mayPublish(user, room))
    throw new HubError("forbidden", "This token does not publish in this room.");
  const { method: target, params = [], idempotencyKey: key, excluded: except } = publication;
  const draft = {
    target,
    ...encodeGivenParams(Array.isArray(params) ? params : [params]),
    ...(key !== undefined && { id: `${JSON.stringify([user.id, key])}/$` }),
    ...(except && { except }),
    ...traceOf(connection.attached),
  };
  const position = await host.publishing.publishAndSave(room, draft, connection);
  return { position: formatPosition(position) };
}

/** Leaves a room; also one that the connection is not in. Throws `invalid_request` for the room it is attached to. */
export async function leave({ session }: ProtocolCall, { room }: { room: string }): Promise<null> {
  await session.host.rooms.leave(session.connection, parseTopic(room));
  return null;
}

/**
 * Joins each room separately. The result has an outcome or an error for each; an error does not affect the others.
 * Throws `too_many_groups` or `rate_limited` for the request as a whole, before the first join.
 */
export async function resume(call: ProtocolCall, { rooms }: z.output<typeof Resume>) {
  const { connection, host, joins } = call.session;
  const requests = Object.entries(rooms);
  host.rooms.checkCount(connection, requests.length);
  joins.count(requests.length);
  const answers = requests.map(async ([room, since]) => {
    try {
      return [room, await joins.inTurn(() => enter(call, { room, since }))] as const;
    } catch (error) {
      const { code, message } = publicError(error);
      return [room, { error: { code, message } }] as const;
    }
  });
  return Object.fromEntries(await Promise.all(answers));
}

const outcomeOf = ({ position, recovered, replayed }: ReplayOutcome) => ({
  position: formatPosition(position),
  recovered,
  replayed,
});
