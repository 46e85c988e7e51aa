// The default user of tests.

import type { User } from "../../model/user.ts";

/** `alice` of the tenant `default`, without roles, claims and capabilities; with these members replaced. */
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
