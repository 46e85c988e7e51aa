// Tokens in the shapes that identity providers document, with the settings of docs/auth.md for each: the user's id,
// the roles and the tenant.

import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { verifyToken } from "../../src/auth/authenticate.ts";
import { PROVIDERS } from "./provider-rows.ts";
import { keyServer, keySet, NOW, testKey, token, type TestKey } from "./tokens.ts";

let key: TestKey;
beforeAll(async () => {
  key = await testKey("RS256", "k1");
});
afterEach(() => vi.unstubAllGlobals());

it.each(Object.entries(PROVIDERS))(
  "reads a token of %s",
  async (_, { env, header = {}, claims, user }) => {
    const { env: keys } = keyServer(() => keySet(key));
    const text = await token({ alg: "RS256", kid: "k1", ...header }, claims, key.sign);
    const read = await verifyToken(text, { ...keys, ...env }, { now: () => NOW });
    expect({ id: read.id, roles: read.roles, tenant: read.tenant }).toEqual(user);
  },
);
