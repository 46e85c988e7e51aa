// The user of a connection: identity and rights from the token, and a webhook's changes to them.

import { networkOf } from "./client-network.ts";
import { HubError } from "./errors.ts";
import type { Limits } from "./options.ts";
import { canonicalName } from "./topic.ts";

/** One entry of the claim `caps`, in Centrifugo's form. Entries only grant; a user has their union. */
export interface Capability {
  /** Topics, or with `match` patterns such as `group:news.*`: `*` is any text without `:` `.` or `/`, `**` any text. */
  readonly channels: readonly string[];
  /** Absent: a channel is an exact topic. */
  readonly match?: "wildcard";
  readonly allow: readonly Right[];
}

/** `sub`: enter (subscribe). `pub`: publish. `prs`: read presence. `hst`: read history. */
export type Right = "sub" | "pub" | "prs" | "hst";

/** Limits that a token may lower, for its own connections. */
export type TokenLimits = Partial<
  Pick<
    Limits,
    "callsPerSecond" | "callBurst" | "messageBytes" | "groupsPerConnection" | "streamsPerConnection"
  >
>;

/** The user of a connection, from its token. */
export interface User {
  readonly id: string;
  readonly tenant: string;
  readonly roles: readonly string[];
  /** The token's whole payload, for policies. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly caps: readonly Capability[];
  /** Topics joined at connect. */
  readonly channels: readonly string[];
  /** The claim `limits`. It can only lower the server's limits. */
  readonly limits?: TokenLimits;
  /** Expiry of the token in milliseconds since 1970, leeway included. */
  readonly expiresAt: number;
  /** Set for a guest, who came without a token: the network (`networkOf`) by which guests are limited. */
  readonly guestFrom?: string;
  /** The connect webhook's grant. It also applies to later tokens of the same connection. */
  readonly grant?: Grant;
}

/** Claims and rights from the connect webhook. Each member replaces the token's own. */
export interface Grant {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly roles?: readonly string[];
  readonly caps?: readonly Capability[];
  readonly channels?: readonly string[];
  readonly limits?: TokenLimits;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number;
}

/** .NET's `ClaimTypes.Role`. */
export const LONG_ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";

/** The user with the grant applied. The expiry is the earlier of both: a grant cannot extend a token. */
export function applyGrant(user: User, grant: Grant | undefined): User {
  if (!grant) return user;
  const { claims, expiresAt = Infinity, ...rights } = grant;
  const { role, roles, [LONG_ROLE]: long, ...others } = user.claims;
  return {
    ...user,
    ...rights,
    claims: { ...(grant.roles ? others : user.claims), ...claims },
    expiresAt: Math.min(user.expiresAt, expiresAt),
    grant,
  };
}

/**
 * Whether a token was issued after another (by `iat`, else by expiry). A client that polls may keep its first token
 * after a refresh has brought a newer one.
 */
export function isNewer(candidate: User, current: User): boolean {
  const [issuedAt, currentIssuedAt] = [candidate.claims["iat"], current.claims["iat"]];
  if (
    typeof issuedAt === "number" &&
    typeof currentIssuedAt === "number" &&
    issuedAt !== currentIssuedAt
  )
    return issuedAt > currentIssuedAt;
  return candidate.expiresAt > current.expiresAt;
}

/** Whether the user is a connection without a token, at a hub that admits those (`anonymous`). */
export const isGuest = ({ guestFrom }: Pick<User, "guestFrom">): boolean => guestFrom !== undefined;

/** The members of a user that determine its account. */
export type AccountUser = Pick<User, "id" | "guestFrom">;

/** The name of the account that admits a connection. Guests of one network share an account, a rate and a ban. */
export const accountOf = ({ id, guestFrom }: AccountUser): string =>
  guestFrom === undefined ? id : `guests@${guestFrom}`;

/**
 * The guests' account that an id names: the account of the network of the address in the id, in any spelling. Undefined
 * for ids of another form.
 */
export function guestAccount(id: string): string | undefined {
  const { address } = GUEST_ACCOUNT.exec(id)?.groups ?? {};
  return address === undefined ? undefined : accountOf({ id, guestFrom: networkOf(address) });
}

const GUEST_ACCOUNT =
  /^guests@(?<address>[\d.]*|[\dA-Fa-f:]*::[\dA-Fa-f:.]*|(?:[\dA-Fa-f]+:){7}[\dA-Fa-f]+)(?:\/64)?$/;

/**
 * The id of a token's user in its canonical form. Throws `invalid_name`, even for a guests' account: such a user would
 * share the guests' rate, number of connections and ban.
 */
export function tokenUserId(raw: string): string {
  const id = canonicalName(raw);
  if (guestAccount(id) === undefined) return id;
  throw new HubError(
    "invalid_name",
    "guests@ and an address is the account of a network's guests.",
  );
}

/** Whether the name that a service has given selects this user: as the user's id, or as the guests' account. */
export const isNamed = (user: AccountUser, name: string): boolean =>
  user.id === name || accountOf(user) === name;

/**
 * The role of trusted back ends. It admits to every room, regardless of the hub's policies
 * (docs/design/rest-and-tokens.md#ro3).
 */
export const SERVICE_ROLE = "service";

export const isService = (user: Pick<User, "roles">): boolean => user.roles.includes(SERVICE_ROLE);

/** The claims of a token by which it can be revoked. */
export interface TokenFacts {
  /** The user's id. */
  readonly id: string;
  /** The account that admits the user, if it is not the user's own, that is for guests. */
  readonly account?: string;
  readonly jti?: string;
  /** Issued at, in seconds since 1970. */
  readonly iat?: number;
}

export function factsOf(user: Pick<User, "id" | "guestFrom" | "claims">): TokenFacts {
  const { jti, iat } = user.claims;
  return {
    id: user.id,
    ...(isGuest(user) && { account: accountOf(user) }),
    ...(typeof jti === "string" && { jti }),
    ...(typeof iat === "number" && { iat }),
  };
}
