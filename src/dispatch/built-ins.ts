// The protocol's own methods, `$/…`: what every room answers whatever its hub.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { z } from "zod";
import { HubError } from "../model/errors.ts";
import { formatPosition, parsePosition } from "../model/position.ts";
import type { User } from "../model/user.ts";
import { check } from "./invocation.ts";
import { mayEnter, mayReadHistory } from "./policies.ts";
import { entriesOf } from "./room-views.ts";
import type { Session } from "./session.ts";
import type { ServedHub } from "./tables.ts";

/** Judges a fresh token. Throws what authentication throws. */
export type Verify = (token: string, env: object) => Promise<User>;

interface Asked {
  readonly session: Session;
  readonly served: ServedHub;
  readonly verify: Verify;
}

const Limit = z.number().int().min(0).optional();
const HistoryQuery = z.object({
  since: z.string().optional(),
  limit: Limit,
  reverse: z.boolean().optional(),
});
const PresenceQuery = z.object({ after: z.string().optional(), limit: Limit });
const Track = z.object({ state: z.unknown() });
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
    ["$/track", builtIn(Track, ({ session }, { state }) => track(session, state))],
    ["$/untrack", builtIn(z.object({}), ({ session }) => track(session, null))],
    ["$/refresh", builtIn(Refresh, refresh)],
  ]);

async function history(
  { session, served }: Asked,
  { since, limit, reverse }: z.output<typeof HistoryQuery>,
) {
  const { host, connection } = session;
  const room = host.roomOf(connection);
  const call = { hub: served.name, user: connection.user, args: [], room };
  if (room.kind !== "all" && !(await mayReadHistory(call, served.hub.settings.rooms?.[room.kind])))
    throw new HubError("forbidden", "This room's history is not for this user.");
  const view = await host.history(room, {
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
  { session: { host, connection } }: Asked,
  { after, limit }: z.output<typeof PresenceQuery>,
) {
  return host.presence(host.roomOf(connection), {
    ...(after !== undefined && { after }),
    ...(limit !== undefined && { limit }),
  });
}

async function track({ host, connection }: Session, state: unknown): Promise<null> {
  await host.track(connection.user.id, host.roomOf(connection), state);
  return null;
}

/** The user stays who they were; rights may change, but must still admit the room. */
async function refresh({ session, served, verify }: Asked, { token }: z.output<typeof Refresh>) {
  const { host, connection } = session;
  const user = await verify(token, host.env);
  const old = connection.user;
  if (user.id !== old.id || user.tenant !== old.tenant)
    throw new HubError("forbidden", "A fresh token must be of the same user.");
  const room = host.roomOf(connection);
  const call = { hub: served.name, user, args: [], room };
  if (room.kind !== "all" && !(await mayEnter(call, served.hub.settings.rooms?.[room.kind])))
    throw new HubError("forbidden", "The fresh token does not admit this room.");
  host.renew(connection, user);
  return { expiresAt: user.expiresAt };
}
