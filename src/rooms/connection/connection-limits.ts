// The limits of one connection: the server's, or its token's if they are lower. A token never raises a limit. Also the
// number of connections that one account may have in an object.

import type { Limits } from "../../model/options.ts";
import { HubError } from "../../model/errors.ts";
import { isGuest, type AccountUser, type User } from "../../model/user.ts";
import type { Connection } from "./connection.ts";

/**
 * Called for every frame: most tokens have no limits and cost nothing here; the others are merged once for each token.
 */
export function limitsOf(connection: Connection, server: Limits): Limits {
  const { user } = connection;
  if (!user.limits) return server;
  if (connection.tokenLimits?.user !== user)
    connection.tokenLimits = { user, limits: limitsWithin(server, user) };
  return connection.tokenLimits.limits;
}

/** The lower of both, limit by limit. */
export function limitsWithin(server: Limits, { limits = {} }: Pick<User, "limits">): Limits {
  const overrides = Object.entries(limits) as [keyof Limits, number][];
  const lower = overrides.map(([name, value]) => [name, Math.min(value, server[name])] as const);
  return { ...server, ...Object.fromEntries(lower) };
}

/** How many connections the account of this user may have in an object. */
export const mostOfAccount = (limits: Limits, user: AccountUser): number =>
  isGuest(user) ? limits.connectionsPerNetwork : limits.connectionsPerUser;

/** Throws `too_many_connections` if the account of this user has as many connections here as it may have. */
export function checkAccountCount(limits: Limits, user: AccountUser, count: number): void {
  const most = mostOfAccount(limits, user);
  if (count < most) return;
  const [holder, limit] = isGuest(user)
    ? ["Guests of one network have", "connectionsPerNetwork"]
    : ["A user has", "connectionsPerUser"];
  const message = `${holder} ${most} connections here at most (limits.${limit}).`;
  throw new HubError("too_many_connections", message);
}
