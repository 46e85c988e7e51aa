// `JWT_ISSUERS` is checked as a whole, with one line for all that is wrong.

import { describe, expect, it, vi } from "vitest";
import { verifyToken, type AuthEnv } from "../../src/auth/authenticate.ts";
import { claims, hmac, NOW, outcome, SECRET_ENV, token } from "./tokens.ts";

const SECRET = "the secret of one issuer of the tests";
const ENTRA = "https://login.microsoftonline.com/{tenantid}/v2.0";

const byUs = (changes: object = {}) =>
  token({ alg: "HS256" }, claims({ iss: "internal", ...changes }), hmac(SECRET));

describe("JWT_ISSUERS", () => {
  const problemOf = async (JWT_ISSUERS: string, more: AuthEnv = {}): Promise<string> => {
    const logged: string[] = [];
    vi.spyOn(console, "error").mockImplementation((line: string) => void logged.push(line));
    expect(await outcome(await byUs(), { JWT_ISSUERS, ...more })).toBe("misconfigured");
    vi.restoreAllMocks();
    expect(logged).toHaveLength(1);
    return (JSON.parse(logged[0]!) as { problem: string }).problem;
  };
  const whole = { issuer: "i", audience: "a", secret: SECRET };

  it("is checked as a whole, and one line names all that is missing", async () => {
    const list = [
      { audience: "a", secret: SECRET },
      whole,
      { issuer: "x", jwks: "http://x.example", secret: SECRET },
    ];
    expect(await problemOf(JSON.stringify(list), { ALLOWED_ORIGINS: "*" })).toBe(
      [
        "JWT_ISSUERS[0].issuer is missing.",
        "JWT_ISSUERS[2].audience is missing.",
        "JWT_ISSUERS[2].secret and JWT_ISSUERS[2].jwks are both set.",
        "ALLOWED_ORIGINS has an entry which is not an origin, such as https://app.example.",
      ].join(" "),
    );
  });

  it.each<[string, string, string]>([
    ["text that is no JSON", "canary", "JWT_ISSUERS is not a JSON array of objects."],
    ["an object", "{}", "JWT_ISSUERS is not a JSON array of objects."],
    ["an empty array", "[]", "JWT_ISSUERS is not a JSON array of objects."],
    ["texts", '["canary"]', "JWT_ISSUERS is not a JSON array of objects."],
    [
      "an unknown setting",
      JSON.stringify([{ ...whole, jwksUrl: "canary" }]),
      "JWT_ISSUERS[0].jwksUrl is not a setting.",
    ],
    [
      "a number",
      JSON.stringify([{ ...whole, tenant: 7 }]),
      "JWT_ISSUERS[0].tenant is not a string.",
    ],
    [
      "a short secret",
      JSON.stringify([{ ...whole, secret: "canary" }]),
      "JWT_ISSUERS[0].secret is under 32 bytes.",
    ],
    [
      "an invalid tenant",
      JSON.stringify([{ ...whole, tenant: "canary\n" }]),
      "JWT_ISSUERS[0].tenant is no name of a tenant.",
    ],
    [
      "one tenant for all directories",
      JSON.stringify([{ ...whole, issuer: ENTRA, tenant: "canary" }]),
      "JWT_ISSUERS[0].tenant is set, though the issuer has {tenantid}.",
    ],
    [
      "an issuer twice",
      JSON.stringify([whole, whole]),
      "JWT_ISSUERS names an issuer that is configured already.",
    ],
    [
      "a key URL without https",
      JSON.stringify([{ issuer: "i", audience: "a", jwks: "http://canary.example" }]),
      "JWT_ISSUERS[0].jwks is not https.",
    ],
    [
      "an empty audience",
      JSON.stringify([{ ...whole, audience: [] }]),
      "JWT_ISSUERS[0].audience is missing.",
    ],
  ])("refuses %s", async (_, value, problem) => {
    expect(await problemOf(value)).toBe(problem);
  });

  it("stands beside the single variables, which are checked with it", async () => {
    const list = JSON.stringify([{ ...whole, issuer: "internal", audience: "dormouse" }]);
    const both = { ...SECRET_ENV, JWT_ISSUERS: list };
    const ours = await token({ alg: "HS256" }, claims(), hmac());
    expect(await outcome(ours, both)).toBe("accepted");
    expect(await outcome(await byUs(), both)).toBe("accepted");
    const problem = await problemOf(list, { JWT_ISSUER: "dormouse" });
    expect(problem).toContain("JWT_AUDIENCE is missing.");
    expect(problem).toContain("JWT_SECRET is missing");
  });

  it("takes the names of claims from the single variables where an entry has none", async () => {
    const JWT_ISSUERS = JSON.stringify([{ ...whole, issuer: "internal", audience: "dormouse" }]);
    const text = await byUs({ email: "e", groups: ["g"], org: "o" });
    const names = { USER_ID_CLAIM: "email", ROLES_CLAIM: "groups", TENANT_CLAIM: "org" };
    const user = await verifyToken(text, { JWT_ISSUERS, ...names }, { now: () => NOW });
    expect(user).toMatchObject({ id: "e", roles: ["g"], tenant: "o" });
  });
});
