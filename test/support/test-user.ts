// A user as a token makes one, for tests that need no token.

import type { User } from "../../src/model/user.ts";

/** Alice, without roles and rights of her own; with these members replaced. */
export const userOf = (overrides: Partial<User> = {}): User => ({
  id: "alice",
  tenant: "default",
  roles: [],
  claims: {},
  caps: [],
  channels: [],
  expiresAt: Infinity,
  ...overrides,
});
