// A fresh token for a connection that lives, whichever way it came: the user stays who they were, with new rights and
// limits. What the connection is in because its token or its client said so is judged anew; hub code's rooms stay.

import { CLOSE, HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { formatTopic, parseTopic, type Topic } from "../../model/topic.ts";
import { applyGrant, type User } from "../../model/user.ts";
import type { Refreshed } from "../../rooms/object/host.ts";
import type { Asked } from "./built-ins.ts";
import { callAt, mayEnter, rulesAt } from "../define/policies.ts";

type Refreshing = Pick<Asked, "session" | "served">;

/** One after another, in the order in which they came. Throws `forbidden`, `interrupted`, `too_large`, and
 * what the user's account says: `token_revoked`, `banned`. */
export function refreshed(asked: Refreshing, user: User): Promise<Refreshed> {
  const { session } = asked;
  const done = session.refreshing.then(() => refresh(asked, user));
  session.refreshing = done.catch(() => {});
  return done;
}

async function refresh(asked: Refreshing, fresh: User): Promise<Refreshed> {
  const { host, connection } = asked.session;
  const old = connection.user;
  if (fresh.id !== old.id || fresh.tenant !== old.tenant)
    throw new HubError("forbidden", "A fresh token must be of the same user.");
  const user = applyGrant(fresh, old.grant);
  await host.admit(user);
  if (!(await admitsPlace(asked, user))) {
    host.dismiss(connection, CLOSE.forbidden);
    throw new HubError("forbidden", "The fresh token does not admit this connection.");
  }
  // While hub code judged, a service knew the connection by its old token only: what it has said counts.
  const given = await host.admit(user);
  host.renewal.renew(connection, user);
  asked.session.limitRate();
  const refused = await refusedRooms(asked, [...user.channels, ...given]);
  const dropped = refused.filter((room) => host.renewal.expel(connection, room));
  // Not what was given before: a service may have taken the connection out of some meanwhile.
  const rooms = [...connection.user.channels, ...(await host.admit(user))];
  await host.renewal.belong(connection, rooms.map(parseTopic));
  return { expiresAt: user.expiresAt, dropped };
}

/** What the connection came for: its room, or the hub. A policy that fails here fails the refresh, and nothing else. */
async function admitsPlace(asked: Refreshing, user: User): Promise<boolean> {
  const { session, served } = asked;
  const room = session.host.roomOf(session.connection);
  if (room.kind !== "all") return mayEnter(callAt(served, user, room), rulesAt(served, room));
  return (await served.authorize?.({ hub: served.name, user, args: [] })) ?? true;
}

/** Of the rooms that are not named, those which the new token does not admit. */
async function refusedRooms(asked: Refreshing, named: readonly string[]): Promise<string[]> {
  const { host, connection } = asked.session;
  const judged = host.renewal.wishesOf(connection).map(async (room) => {
    const admitted =
      named.includes(room) || (await admits(asked, connection.user, parseTopic(room)));
    return admitted ? [] : [room];
  });
  return (await Promise.all(judged)).flat();
}

/** A policy that fails lets nobody in: the old token's rights are over. */
async function admits(asked: Refreshing, user: User, room: Topic): Promise<boolean> {
  const { served } = asked;
  try {
    return await mayEnter(callAt(served, user, room), rulesAt(served, room));
  } catch (error) {
    logError("policy_failed", { hub: served.name, room: formatTopic(room), error });
    return false;
  }
}
