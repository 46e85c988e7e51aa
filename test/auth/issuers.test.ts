// [S4] Several issuers: each verifies its own tokens only, by its own keys, audience, claims and tenant.

import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { verifyToken, type AuthEnv } from "../../src/auth/authenticate.ts";
import {
  claims,
  hmac,
  keyServer,
  keySet,
  NOW,
  outcome,
  testKey,
  token,
  type KeyServer,
  type TestKey,
} from "./tokens.ts";

const SECRET = "the secret of one issuer of the tests";
const ACME = "https://acme.example/";
const ENTRA = "https://login.microsoftonline.com/{tenantid}/v2.0";
const DIRECTORY = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const OTHER = "00001111-aaaa-2222-bbbb-3333cccc4444";

let [acmeKey, entraKey]: TestKey[] = [];
let acme: KeyServer;
let entra: KeyServer;
let env: AuthEnv;

beforeAll(async () => {
  [acmeKey, entraKey] = await Promise.all([testKey("RS256", "k"), testKey("RS256", "k")]);
});

beforeEach(() => {
  acme = keyServer(() => keySet(acmeKey!));
  entra = keyServer(() => keySet(entraKey!));
  const list = [
    {
      ...{ issuer: ACME, audience: ["acme-a", "acme-b"], jwks: acme.env.JWT_JWKS_URL },
      ...{ tenant: "acme", rolesClaim: "https://acme.example/roles", userIdClaim: "email" },
    },
    { issuer: ENTRA, audience: "app", jwks: entra.env.JWT_JWKS_URL },
    { issuer: "internal", audience: "dormouse", secret: SECRET, tenantClaim: "org" },
  ];
  env = { JWT_ISSUERS: JSON.stringify(list) };
});
afterEach(() => vi.unstubAllGlobals());

const byAcme = (changes: object = {}, key = acmeKey!) =>
  token(
    { alg: "RS256", kid: "k" },
    claims({ iss: ACME, aud: "acme-b", email: "a@example.com", ...changes }),
    key.sign,
  );
const byEntra = (changes: object = {}, key = entraKey!) => {
  const iss = ENTRA.replace("{tenantid}", DIRECTORY);
  const payload = claims({ iss, aud: "app", tid: DIRECTORY, ...changes });
  return token({ alg: "RS256", kid: "k" }, payload, key.sign);
};
const byUs = (changes: object = {}, secret = SECRET) =>
  token({ alg: "HS256" }, claims({ iss: "internal", ...changes }), hmac(secret));

const userOf = async (text: string) => {
  const { id, roles, tenant } = await verifyToken(text, env, { now: () => NOW });
  return { id, roles, tenant };
};

describe("[S4] a token of", () => {
  it("one issuer is read by the claims of that issuer, and has its tenant whatever it claims", async () => {
    const text = await byAcme({ tid: "other", role: "root", "https://acme.example/roles": ["a"] });
    expect(await userOf(text)).toEqual({ id: "a@example.com", roles: ["a"], tenant: "acme" });
    // The last key server's list has all fetches.
    expect(entra.fetched).toEqual([acme.env.JWT_JWKS_URL]);
  });

  it("another is read by its own", async () => {
    expect(await userOf(await byUs({ tid: "x", org: "y", role: "a" }))).toEqual({
      ...{ id: "alice", roles: ["a"], tenant: "y" },
    });
  });

  it("each directory of Entra ID has the tenant of that directory", async () => {
    expect((await userOf(await byEntra())).tenant).toBe(DIRECTORY);
    const iss = ENTRA.replace("{tenantid}", OTHER);
    expect((await userOf(await byEntra({ iss, tid: OTHER }))).tenant).toBe(OTHER);
  });
});

it("[S4] a directory's token that names no tenant by the configured claim is in none", async () => {
  env = { ...env, TENANT_CLAIM: "org" };
  expect(await outcome(await byEntra(), env)).toBe("token_claim_invalid");
  expect((await userOf(await byEntra({ org: "known" }))).tenant).toBe("known");
});

describe("[S4] keys of one issuer verify no token of another", () => {
  it.each<[string, string, () => Promise<string>]>([
    ["another's key for a fixed issuer", "token_bad_signature", () => byAcme({}, entraKey)],
    ["another's key for a directory", "token_bad_signature", () => byEntra({}, acmeKey)],
    ["another secret", "token_bad_signature", () => byUs({}, `${SECRET}!`)],
    [
      "the secret where keys are published",
      "token_algorithm",
      () => byUs({ iss: ACME, aud: "acme-a" }),
    ],
    [
      "a published key where a secret is shared",
      "token_algorithm",
      () => byAcme({ iss: "internal", aud: "dormouse" }),
    ],
    ["the audience of another issuer", "token_wrong_audience", () => byAcme({ aud: "dormouse" })],
    ["no issuer", "token_wrong_issuer", () => byAcme({ iss: undefined })],
    ["an unknown issuer", "token_wrong_issuer", () => byAcme({ iss: "https://evil.example" })],
    ["an issuer without its slash", "token_wrong_issuer", () => byAcme({ iss: ACME.slice(0, -1) })],
    ["issuers in an array", "token_wrong_issuer", () => byAcme({ iss: [ACME] })],
  ])("%s: %s", async (_, reason, make) => {
    expect(await outcome(await make(), env)).toBe(reason);
  });
});

describe("[S4] the issuer of a directory is matched exactly against tid", () => {
  it.each<[string, object]>([
    ["another directory's tid", { tid: OTHER }],
    ["no tid", { tid: undefined }],
    ["the template itself", { iss: ENTRA, tid: "{tenantid}" }],
    ["the template without tid", { iss: ENTRA }],
    ["a tid in capitals", { tid: DIRECTORY.toUpperCase() }],
    ["a path as tid", { iss: ENTRA.replace("{tenantid}", "../x"), tid: "../x" }],
    ["common as tid", { iss: ENTRA.replace("{tenantid}", "common"), tid: "common" }],
    ["an empty tid", { iss: ENTRA.replace("{tenantid}", ""), tid: "" }],
    ["a pattern as tid", { iss: ENTRA.replace("{tenantid}", "$&"), tid: "$&" }],
    ["an issuer that goes on", { iss: `${ENTRA.replace("{tenantid}", DIRECTORY)}/` }],
    ["tids in an array", { tid: [DIRECTORY] }],
  ])("%s is refused", async (_, changes) => {
    expect(await outcome(await byEntra(changes), env)).toBe("token_wrong_issuer");
  });
});

describe("[S4] a key of one directory among those of all", () => {
  const CONSUMERS = ENTRA.replace("{tenantid}", OTHER);
  const publish = (issuer: string) =>
    keyServer(() => {
      const own: object = { ...acmeKey!.jwk, kid: "one", issuer };
      const common: object = { ...entraKey!.jwk, issuer: ENTRA };
      return Response.json({ keys: [own, common] });
    });
  const outcomeAt = async ({ env: keys }: KeyServer, key: TestKey, kid: string, tid: string) => {
    const payload = claims({ iss: ENTRA.replace("{tenantid}", tid), aud: "app", tid });
    const text = await token({ alg: "RS256", kid }, payload, key.sign);
    return outcome(text, { ...keys, JWT_ISSUER: ENTRA, JWT_AUDIENCE: "app" });
  };

  it("verifies tokens of that directory only", async () => {
    const server = publish(CONSUMERS);
    expect(await outcomeAt(server, acmeKey!, "one", OTHER)).toBe("accepted");
    expect(await outcomeAt(server, acmeKey!, "one", DIRECTORY)).toBe("token_unknown_key");
  });

  it("leaves the others to all directories", async () => {
    const server = publish(CONSUMERS);
    expect(await outcomeAt(server, entraKey!, "k", OTHER)).toBe("accepted");
    expect(await outcomeAt(server, entraKey!, "k", DIRECTORY)).toBe("accepted");
  });

  it("is one of all where its issuer is the template, or none", async () => {
    for (const issuer of [ENTRA, "CN=keys"]) {
      const server = publish(issuer);
      expect(await outcomeAt(server, acmeKey!, "one", DIRECTORY)).toBe("accepted");
    }
  });
});
