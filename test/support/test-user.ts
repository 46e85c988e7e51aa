// A user as a token makes one, and a runtime without bindings, for tests of code that gets both.

import type { Runtime } from "../../src/dispatch/define/runtime.ts";
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

export const runtime: Runtime = { env: {} as Cloudflare.Env, waitUntil: () => {} };
