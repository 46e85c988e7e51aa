// The protocol's own methods, `$/…`: every hub has them.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { z } from "zod";
import { HubError } from "../../model/errors.ts";
import { formatPosition, parsePosition } from "../../model/position.ts";
import { check } from "../define/validate.ts";
import { mayReadHistory } from "../define/policies.ts";
import { openRpc } from "../define/open-rpc.ts";
import { refreshed } from "./refresh-token.ts";
import { judgedAt, roomNamed, roomToSee, type ProtocolCall } from "./protocol-call.ts";
import { Join, join, leave, Publish, publish, Resume, resume } from "./room-methods.ts";
import { entriesOf } from "../context/room-views.ts";

export type { Verify } from "./protocol-call.ts";

const Limit = z.number().int().min(0).optional();
/** The room that is meant, where the connection came for the whole hub. */
const Room = z.string().optional();
const HistoryQuery = z.object({
  room: Room,
  since: z.string().optional(),
  limit: Limit,
  reverse: z.boolean().optional(),
});
const PresenceQuery = z.object({ room: Room, after: z.string().optional(), limit: Limit });
const Track = z.object({ room: Room, state: z.unknown() });
const Refresh = z.object({ token: z.string() });

const builtIn =
  <S extends StandardSchemaV1>(
    schema: S,
    answer: (call: ProtocolCall, query: StandardSchemaV1.InferOutput<S>) => Promise<unknown>,
  ) =>
  async (call: ProtocolCall, params: unknown): Promise<unknown> =>
    answer(call, (await check(schema, params ?? {}, "Params")) as StandardSchemaV1.InferOutput<S>);

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
  ["rpc.discover", async ({ session }) => openRpc(session.served)],
]);

async function history(
  call: ProtocolCall,
  { room: name, since, limit, reverse }: z.output<typeof HistoryQuery>,
) {
  const room = roomNamed(call, name);
  if (!(await mayReadHistory(...judgedAt(call, room))))
    throw new HubError("forbidden", "This room's history is not for this user.");
  const view = await call.session.host.rooms.history(room, {
    ...(since !== undefined && { since: parsePosition(since) }),
    ...(limit !== undefined && { limit }),
    ...(reverse !== undefined && { reverse }),
  });
  const messages = entriesOf(view).map(({ position, target, args, at }) => ({
    method: target,
    params: args,
    position: formatPosition(position),
    at,
  }));
  return { messages, position: formatPosition(view.position) };
}

async function presence(
  call: ProtocolCall,
  { room: name, after, limit }: z.output<typeof PresenceQuery>,
) {
  const room = await roomToSee(call, name);
  return call.session.host.rooms.presence(room, {
    ...(after !== undefined && { after }),
    ...(limit !== undefined && { limit }),
  });
}

async function track(call: ProtocolCall, name: string | undefined, state: unknown): Promise<null> {
  const { host, connection } = call.session;
  await host.rooms.track(connection.user.id, roomNamed(call, name), state);
  return null;
}

async function refresh(call: ProtocolCall, { token }: z.output<typeof Refresh>) {
  const user = await call.verify(token, call.session.host.env);
  const { expiresAt } = await refreshed(call.session, user);
  return { expiresAt };
}
