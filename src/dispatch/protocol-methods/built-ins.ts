// The protocol's own methods, `$/…`: what every room answers whatever its hub.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { z } from "zod";
import { HubError } from "../../model/errors.ts";
import { formatPosition, parsePosition } from "../../model/position.ts";
import type { User } from "../../model/user.ts";
import { check } from "../run/invocation.ts";
import { mayReadHistory } from "../define/policies.ts";
import { openRpc } from "../define/open-rpc.ts";
import { refreshed } from "./refresh-token.ts";
import {
  Join,
  join,
  leave,
  Publish,
  publish,
  Resume,
  resume,
  roomAsked,
  seen,
  judged,
} from "./room-methods.ts";
import { entriesOf } from "../context/room-views.ts";
import type { Session } from "../run/session.ts";
import type { ServedHub } from "../define/hub-tables.ts";

/** Judges a fresh token. Throws what authentication throws. */
export type Verify = (token: string, env: object) => Promise<User>;

export interface Asked {
  readonly session: Session;
  readonly served: ServedHub;
  readonly verify: Verify;
}

const Limit = z.number().int().min(0).optional();
/** Which room is meant, where the connection came for the whole hub. */
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
    answer: (asked: Asked, query: StandardSchemaV1.InferOutput<S>) => Promise<unknown>,
  ) =>
  async (asked: Asked, params: unknown): Promise<unknown> =>
    answer(asked, (await check(schema, params ?? {}, "Params")) as StandardSchemaV1.InferOutput<S>);

export const builtIns: ReadonlyMap<string, (asked: Asked, params: unknown) => Promise<unknown>> =
  new Map([
    ["$/history", builtIn(HistoryQuery, history)],
    ["$/presence", builtIn(PresenceQuery, presence)],
    ["$/track", builtIn(Track, (asked, { room, state }) => track(asked, room, state))],
    ["$/untrack", builtIn(z.object({ room: Room }), (asked, { room }) => track(asked, room, null))],
    ["$/refresh", builtIn(Refresh, refresh)],
    ["$/join", builtIn(Join, join)],
    ["$/leave", builtIn(z.object({ room: z.string() }), leave)],
    ["$/publish", builtIn(Publish, publish)],
    ["$/resume", builtIn(Resume, resume)],
    ["rpc.discover", async ({ served }) => openRpc(served)],
  ]);

async function history(
  asked: Asked,
  { room: name, since, limit, reverse }: z.output<typeof HistoryQuery>,
) {
  const room = roomAsked(asked, name);
  if (!(await mayReadHistory(...judged(asked, room))))
    throw new HubError("forbidden", "This room's history is not for this user.");
  const view = await asked.session.host.history(room, {
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
  asked: Asked,
  { room: name, after, limit }: z.output<typeof PresenceQuery>,
) {
  const room = await seen(asked, name);
  return asked.session.host.presence(room, {
    ...(after !== undefined && { after }),
    ...(limit !== undefined && { limit }),
  });
}

async function track(asked: Asked, name: string | undefined, state: unknown): Promise<null> {
  const { host, connection } = asked.session;
  await host.track(connection.user.id, roomAsked(asked, name), state);
  return null;
}

async function refresh(asked: Asked, { token }: z.output<typeof Refresh>) {
  const user = await asked.verify(token, asked.session.host.env);
  const { expiresAt } = await refreshed(asked, user);
  return { expiresAt };
}
