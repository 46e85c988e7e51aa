// The limits of one connection: the server's, or those of its token where they are lower.

import type { Limits } from "../../model/options.ts";
import type { User } from "../../model/user.ts";
import type { Connection } from "./connection.ts";

/** Most tokens say nothing of limits, and cost nothing here; what others say is made once for each token. */
export function limitsOf(connection: Connection, server: Limits): Limits {
  const { user } = connection;
  if (!user.limits) return server;
  if (connection.limited?.user !== user)
    connection.limited = { user, limits: limitsWithin(server, user) };
  return connection.limited.limits;
}

/** What a token says counts within what the server allows. */
export function limitsWithin(server: Limits, { limits = {} }: Pick<User, "limits">): Limits {
  const own = Object.entries(limits) as [keyof Limits, number][];
  const lower = own.map(([name, value]) => [name, Math.min(value, server[name])] as const);
  return { ...server, ...Object.fromEntries(lower) };
}
