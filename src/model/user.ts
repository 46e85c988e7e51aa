// Who is on the other end, as the token says.

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

export interface User {
  readonly id: string;
  readonly tenant: string;
  readonly roles: readonly string[];
  /** The token's whole payload, for policies. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly caps: readonly Capability[];
  /** Topics joined at connect. */
  readonly channels: readonly string[];
  /** When the token ends, milliseconds since 1970, leeway included. */
  readonly expiresAt: number;
}

/** A back end of ours: enters every room, as DESIGN §2 says. */
export const SERVICE_ROLE = "service";

export const isService = (user: Pick<User, "roles">): boolean => user.roles.includes(SERVICE_ROLE);
