// The limits of one connection: the server's, or its token's where they are lower. A token never raises a limit.

import type { Limits } from "../../model/options.ts";
import type { User } from "../../model/user.ts";
import type { Connection } from "./connection.ts";

/**
 * Called for every frame: most tokens name no limits and cost nothing here, those of others are merged once a token.
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
