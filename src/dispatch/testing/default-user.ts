// The default user of tests.

import { freezeDeep } from "../../model/plain-json.ts";
import type { User } from "../../model/user.ts";

/** `alice` of the tenant `default`, without roles, claims and capabilities; with copies of these members, frozen. */
export const userOf = (overrides: Partial<User> = {}): User =>
  freezeDeep({
    id: "alice",
    tenant: "default",
    roles: [],
    claims: {},
    caps: [],
    channels: [],
    expiresAt: Infinity,
    ...structuredClone(overrides),
  });
