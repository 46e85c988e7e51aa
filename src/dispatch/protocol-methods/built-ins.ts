// The methods of the protocol itself, `$/…` and `rpc.discover`, which every hub has. They run in a turn of the
// connection like a hub's methods, but outside of its filters. SignalR's connections cannot call them.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import * as z from "zod/mini";
import english from "zod/v4/locales/en.js";
import { HubError } from "../../model/errors.ts";
import { formatPosition, parsePosition } from "../../model/topic.ts";
import { isJsonObject, parseJson, toJson } from "../../protocols/json.ts";
import type { HistoryView } from "../../rooms/rpc/log-entry.ts";
import { EXACT_NAMES } from "../define/bind-value.ts";
import { check, checkBound } from "../define/validate.ts";
import { mayReadHistory } from "../define/policies.ts";
import { openRpc } from "../define/open-rpc.ts";
import { refreshToken } from "./refresh-token.ts";
import { policyInput, read, roomNamed, roomToSee, type ProtocolCall } from "./protocol-call.ts";
import { Join, join, Kept, leave, Publish, publish, Resume, resume } from "./room-methods.ts";
import { RunRequest, run, snapshot } from "./run-method.ts";
import { entriesOf } from "../context/room-views.ts";

export type { Verify } from "./protocol-call.ts";

// `zod/mini` has no messages of its own; an application that has set a language keeps it.
if (!z.config().localeError) z.config(english());

const Limit = z.optional(z.number().check(z.int(), z.minimum(0)));
/** A topic. Default: the room that the connection is attached to; required for connections to the whole hub. */
const Room = z.optional(z.string());
/** `since` and the positions in results have the form `epoch:offset`. Without it, the newest messages are read. */
const HistoryQuery = z.object({
  room: Room,
  since: z.optional(z.string()),
  limit: Limit,
  reverse: z.optional(z.boolean()),
});
/** `after` is the last user id of the page before. */
const PresenceQuery = z.object({ room: Room, after: z.optional(z.string()), limit: Limit });
const Track = z.object({ room: Room, state: Kept });
const Refresh = z.object({ token: z.string() });

/** A method whose parameters are validated by the schema. Throws `invalid_arguments`, or what `answer` throws. */
const builtIn =
  <S extends StandardSchemaV1>(
    schema: S,
    answer: (call: ProtocolCall, query: StandardSchemaV1.InferOutput<S>) => Promise<unknown>,
  ) =>
  async (call: ProtocolCall, params: unknown): Promise<unknown> =>
    answer(
      call,
      (await check(schema, keyed(call, params ?? {}), "Params")) as StandardSchemaV1.InferOutput<S>,
    );

/** The parameters with the frame's key, which methods without one ignore. */
const keyed = ({ idempotencyKey }: ProtocolCall, params: unknown): unknown =>
  idempotencyKey !== undefined && isJsonObject(params) ? { idempotencyKey, ...params } : params;

/** By name. Parameters are one object; the result is that of the JSON-RPC response. */
export const builtIns: ReadonlyMap<
  string,
  (call: ProtocolCall, params: unknown) => Promise<unknown>
> = new Map([
  ["$/history", builtIn(HistoryQuery, history)],
  ["$/presence", builtIn(PresenceQuery, presence)],
  ["$/track", builtIn(Track, (call, { room, state }) => track(call, room, state))],
  ["$/untrack", builtIn(z.object({ room: Room }), (call, { room }) => track(call, room, null))],
  ["$/refresh", builtIn(Refresh, refresh)],
  ["$/join", builtIn(Join, join)],
  ["$/leave", builtIn(z.object({ room: z.string() }), leave)],
  ["$/publish", builtIn(Publish, publish)],
  ["$/resume", builtIn(Resume, resume)],
  ["$/run", builtIn(RunRequest, run)],
  ["$/snapshot", builtIn(z.object({ room: Room }), readSnapshot)],
  ["rpc.discover", async (call) => discover(call)],
]);

/** The approximate cost of a user on a page, and of a state. */
const [MEMBER_BYTES, STATE_BYTES] = [128, 512];
/** The share of a message's cost that counts if it is read, and not returned. */
const UNGIVEN_PART = 1 / 4;
/** The cost of a hub's description, which is made again each time. */
const DESCRIPTION_BYTES = 32 * 1024;

/** Throws like `snapshot`, and `rate_limited`. */
async function readSnapshot(call: ProtocolCall, query: { readonly room?: string | undefined }) {
  await read(call);
  return snapshot(call, query);
}

async function discover(call: ProtocolCall): Promise<object> {
  await read(call);
  call.session.historyBudget.charge(DESCRIPTION_BYTES);
  return openRpc(call.session.served);
}

/**
 * A page of messages, oldest first unless `reverse`, and the room's newest position. Throws `forbidden`, `history_gone`
 * if the log no longer has all after `since`, `invalid_position`, and `rate_limited` if the connection has read too
 * many bytes.
 */
async function history(
  call: ProtocolCall,
  { room: name, since, limit, reverse }: z.output<typeof HistoryQuery>,
) {
  const room = roomNamed(call, name);
  if (!(await mayReadHistory(...policyInput(call, room))))
    throw new HubError("forbidden", "This room's history is not for this user.");
  const query = {
    ...(since !== undefined && { since: parsePosition(since) }),
    ...(limit !== undefined && { limit }),
    ...(reverse !== undefined && { reverse }),
  };
  const { host, connection, historyBudget } = call.session;
  await read(call);
  const view = await host.rooms.history(room, query, connection);
  historyBudget.charge(bytesOf(view));
  const messages = entriesOf(view).map(({ position, target, args, at }) => ({
    method: target,
    params: args,
    position: formatPosition(position),
    at,
  }));
  return { messages, position: formatPosition(view.position) };
}

/**
 * The cost of a page. Entries that are read and not returned count as well: rows are read as a whole.
 */
function bytesOf({ entries, readChars = 0 }: HistoryView): number {
  const given = entries.reduce((sum, { params }) => sum + params.length, 0);
  return Math.max(given, Math.ceil(readChars * UNGIVEN_PART));
}

/** A page of users with the counts of the room. Throws `forbidden`, and `rate_limited` as `history`. */
async function presence(
  call: ProtocolCall,
  { room: name, after, limit }: z.output<typeof PresenceQuery>,
) {
  const room = await roomToSee(call, name);
  await read(call);
  const view = await call.session.host.rooms.presence(room, {
    ...(after !== undefined && { after }),
    ...(limit !== undefined && { limit }),
  });
  const states = view.members.filter(({ state }) => state !== null).length;
  call.session.historyBudget.charge(view.members.length * MEMBER_BYTES + states * STATE_BYTES);
  return view;
}

/**
 * Sets the state that the user shows in the room; null removes it. Throws `forbidden`, `too_large`, and
 * `invalid_arguments` for a state that the hub's schema refuses.
 */
async function track(call: ProtocolCall, name: string | undefined, state: unknown): Promise<null> {
  const { host, connection, served } = call.session;
  const schema = served.hub.presenceState;
  const shown = schema && state !== null ? await shownAs(schema, state) : state;
  await host.rooms.track(connection.user.id, roomNamed(call, name), shown);
  return null;
}

/** Validates a state like an argument, and converts it to JSON. */
async function shownAs(schema: StandardSchemaV1, state: unknown): Promise<unknown> {
  const shown = await checkBound(schema, state, { name: () => "State", binder: EXACT_NAMES });
  return parseJson(toJson(shown ?? null));
}

/** `expiresAt` is in milliseconds since 1970. Throws errors of the verification (`token_…`) and of `refreshToken`. */
async function refresh(call: ProtocolCall, { token }: z.output<typeof Refresh>) {
  const user = await call.verify(token, call.session.host.env);
  const { expiresAt } = await refreshToken(call.session, user);
  return { expiresAt };
}
