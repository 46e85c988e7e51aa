// Who is on the other end, as the token says.

import type { Limits } from "./options.ts";

/** One right of the token's `caps` (Centrifugo's shape): grants only, their union counts. */
export interface Capability {
  /** Topics, or with `match` patterns such as `group:news.*`: `*` is a run without `:` `.` or `/`, `**` any run. */
  readonly channels: readonly string[];
  /** Absent: `channels` are compared as they stand. */
  readonly match?: "wildcard";
  readonly allow: readonly Right[];
}

/** Enter, publish, read presence, read history. */
export type Right = "sub" | "pub" | "prs" | "hst";

/** Limits that a token may lower, for its own connections. */
export type TokenLimits = Partial<
  Pick<
    Limits,
    "callsPerSecond" | "callBurst" | "messageBytes" | "groupsPerConnection" | "streamsPerConnection"
  >
>;

export interface User {
  readonly id: string;
  readonly tenant: string;
  readonly roles: readonly string[];
  /** The token's whole payload, for policies. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly caps: readonly Capability[];
  /** Topics joined at connect. */
  readonly channels: readonly string[];
  /** The claim `limits`: within those of the server. */
  readonly limits?: TokenLimits;
  /** When the token ends, milliseconds since 1970, leeway included. */
  readonly expiresAt: number;
  /** What was said of the user when the connection began: it holds for the connection's later tokens as well. */
  readonly grant?: Grant;
}

/** What a webhook says of a user beside the token, or in place of it. */
export interface Grant {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly roles?: readonly string[];
  readonly caps?: readonly Capability[];
  readonly channels?: readonly string[];
  readonly limits?: TokenLimits;
  readonly expiresAt?: number;
}

/** Each claim stands in the token's place; nobody is let in for longer than the token says. */
export function granted(user: User, grant: Grant | undefined): User {
  if (!grant) return user;
  const { claims, expiresAt = Infinity, ...rights } = grant;
  const { ...others } = user.claims;
  return {
    ...user,
    ...rights,
    claims: { ...(grant.roles ? others : user.claims), ...claims },
    expiresAt: Math.min(user.expiresAt, expiresAt),
    grant,
  };
}

/**
 * Whether one token was given out after another: a client that polls may go on with the one it began with, after a
 * refresh has brought a newer.
 */
export function isNewer(one: User, other: User): boolean {
  const [at, before] = [one.claims["iat"], other.claims["iat"]];
  if (typeof at === "number" && typeof before === "number" && at !== before) return at > before;
  return one.expiresAt > other.expiresAt;
}

/** A back end of ours: enters every room (docs/design/rest-and-tokens.md#ro3). */
export const SERVICE_ROLE = "service";

export const isService = (user: Pick<User, "roles">): boolean => user.roles.includes(SERVICE_ROLE);
