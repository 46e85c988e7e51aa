// A fresh token for an open connection, by any transport: the same user with new rights and limits. Memberships that
// the token or the client requested are checked again; those that hub code added stay.

import { CLOSE, HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { formatTopic, writtenTopic, type Topic } from "../../model/topic.ts";
import { applyGrant, type User } from "../../model/user.ts";
import type { RefreshOutcome } from "../../rooms/rpc/relay-rpc.ts";
import { rateError } from "../run/refusals.ts";
import type { Session } from "../run/session.ts";
import { mayEnter, mayUse } from "../define/policies.ts";
import { policyRuntime } from "../define/runtime.ts";
import { policyInputOf } from "../run/room-permission.ts";

/**
 * Applies a fresh token. Refreshes of a connection run one after another, in the order of arrival. Rejects with
 * `forbidden`, `interrupted` or `too_large`, and with `token_revoked` or `banned` from the user's account.
 *
 * `forbidden` for another user leaves the connection as it is; for a token that no longer admits the connection, it is
 * closed. Otherwise the result names the rooms that it had to leave.
 */
export function refreshToken(session: Session, user: User): Promise<RefreshOutcome> {
  const done = session.refreshing.then(() => refresh(session, user));
  session.refreshing = done.catch(() => {});
  return done;
}

/**
 * The same for a token that is posted outside the transport. It counts as a call, like `$/refresh`, because all rooms
 * of the connection are checked again. Rejects with `rate_limited` as well.
 */
export async function refreshAsCall(session: Session, user: User): Promise<RefreshOutcome> {
  if (!session.rate.take(session.host.clock.now())) throw rateError(session);
  return refreshToken(session, user);
}

/** Calls `admit` again after each policy, because services may change the user's groups while hub code runs. */
async function refresh(session: Session, fresh: User): Promise<RefreshOutcome> {
  const { host, connection } = session;
  const { renewal } = host;
  const old = connection.user;
  if (fresh.id !== old.id || fresh.tenant !== old.tenant)
    throw new HubError("forbidden", "A fresh token must be of the same user.");
  const user = applyGrant(fresh, old.grant);
  await renewal.admit(user);
  if (!(await admitsPlace(session, user))) {
    session.isReceiving = false;
    session.calls.drop();
    host.connections.dismiss(connection, CLOSE.forbidden);
    throw new HubError("forbidden", "The fresh token does not admit this connection.");
  }
  // Services may have changed the user's groups while the policy ran.
  const groups = await renewal.admit(user);
  renewal.renew(connection, user);
  session.tokenChanged();
  const refused = await refusedRooms(session, [...user.channels, ...groups]);
  const dropped = refused.filter((room) => renewal.expel(connection, room));
  // Read again: a service may have removed the connection from groups meanwhile.
  const rooms = [...connection.user.channels, ...(await renewal.admit(user))];
  await renewal.belong(connection, rooms.map(writtenTopic));
  return { expiresAt: user.expiresAt, dropped };
}

/** Whether the user may still be in the room, or the hub, of the connection. Rejects with a policy's error. */
async function admitsPlace(session: Session, user: User): Promise<boolean> {
  const { served } = session;
  const room = session.host.roomOf(session.connection);
  if (room.kind !== "all") return mayEnter(...policyInputOf(session, user, room));
  return mayUse(served, { user, ...policyRuntime(session.host, served) });
}

/** The requested rooms that the token neither names nor admits, as topics. */
async function refusedRooms(session: Session, named: readonly string[]): Promise<string[]> {
  const { host, connection } = session;
  const checks = host.renewal.requestedRooms(connection).map(async (room) => {
    const admitted =
      named.includes(room) || (await admits(session, connection.user, writtenTopic(room)));
    return admitted ? [] : [room];
  });
  return (await Promise.all(checks)).flat();
}

/** Whether the user may enter the room. A policy that throws refuses: the old token's rights have ended. */
async function admits(session: Session, user: User, room: Topic): Promise<boolean> {
  try {
    return await mayEnter(...policyInputOf(session, user, room));
  } catch (error) {
    logError("policy_failed", { hub: session.served.name, room: formatTopic(room), error });
    return false;
  }
}
