// The default user of tests.

import type { User } from "../../model/user.ts";

/**
 * `alice` of the tenant `default`, without roles, claims and capabilities; with these members replaced. A copy: hub code
 * gets it frozen.
 */
export const userOf = (overrides: Partial<User> = {}): User =>
  structuredClone({
    id: "alice",
    tenant: "default",
    roles: [],
    claims: {},
    caps: [],
    channels: [],
    expiresAt: Infinity,
    ...overrides,
  });
