// Tokens as .NET's two handlers write them, and what the configured claims find in them. The claims are those that
// test/dotnet/TokenHandlers makes.

import { describe, expect, it } from "vitest";
import { verifyToken, type AuthEnv } from "../../src/auth/authenticate.ts";
import { hmac, hs256, NOW, outcome, SECONDS, SECRET_ENV, token } from "./tokens.ts";

const SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims";
const ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";

/** `new JwtSecurityToken(claims: …)`, and JsonWebTokenHandler: types of claims are written as they are. */
const long = {
  sub: undefined,
  [`${SOAP}/nameidentifier`]: "alice",
  [`${SOAP}/name`]: "Alice",
  [`${SOAP}/emailaddress`]: "alice@example.com",
  [ROLE]: ["Admin", "Manager"],
};

/** `JwtSecurityTokenHandler.CreateToken`: types of claims are mapped to short names. */
const short = {
  sub: undefined,
  ...{ nameid: "alice", unique_name: "Alice", email: "alice@example.com" },
  ...{ role: ["Admin", "Manager"], nbf: SECONDS },
};

const read = async (claims: object, env: AuthEnv = {}) => {
  const { id, roles } = await verifyToken(
    await hs256(claims),
    { ...SECRET_ENV, ...env },
    { now: () => NOW },
  );
  return { id, roles };
};

describe.each(Object.entries({ long, short }))("%s names", (_, claims) => {
  it("give the user and the roles by default", async () => {
    expect(await read(claims)).toEqual({ id: "alice", roles: ["Admin", "Manager"] });
  });

  it.each([
    [`${SOAP}/nameidentifier`, "alice"],
    [`${SOAP}/name`, "Alice"],
    [`${SOAP}/emailaddress`, "alice@example.com"],
    ["unique_name", "Alice"],
    ["email", "alice@example.com"],
    ["nameid", "alice"],
  ])("give the user by %s", async (USER_ID_CLAIM, id) => {
    expect((await read(claims, { USER_ID_CLAIM })).id).toBe(id);
  });

  it.each([ROLE, "role"])("give the roles by %s, blanks included", async (ROLES_CLAIM) => {
    const { role, ...others } = claims as Record<string, unknown>;
    const spaced = { ...others, [role === undefined ? ROLE : "role"]: "Site Admin" };
    expect((await read(spaced, { ROLES_CLAIM })).roles).toEqual(["Site Admin"]);
  });
});

it.each<[string, object, object]>([
  ["sub with the long role", { [ROLE]: "Admin" }, { id: "alice", roles: ["Admin"] }],
  ["a number as id", { sub: undefined, [`${SOAP}/nameidentifier`]: 42 }, { id: "42", roles: [] }],
  ["a number as nameid", { sub: undefined, nameid: 42 }, { id: "42", roles: [] }],
  ["iat as text", { iat: `${SECONDS}` }, { id: "alice", roles: [] }],
  ["times as text", { nbf: `${SECONDS}`, exp: ` ${SECONDS + 300}.5 ` }, { id: "alice", roles: [] }],
  ["a time in exponents", { exp: "1.8e9" }, { id: "alice", roles: [] }],
  ["claims that are null", { role: null, jti: null, tid: null }, { id: "alice", roles: [] }],
  ["an audience with a slash", { aud: "dormouse/" }, { id: "alice", roles: [] }],
  ["null among audiences", { aud: [null, "dormouse"] }, { id: "alice", roles: [] }],
])("reads %s", async (_, claims, user) => {
  expect(await read(claims)).toEqual(user);
});

it("keeps times as numbers and no null in the claims that policies see", async () => {
  const text = await hs256({ iat: `${SECONDS}`, nbf: "0", tid: null });
  const { claims } = await verifyToken(text, SECRET_ENV, { now: () => NOW });
  expect(claims).toEqual({
    ...{ iss: SECRET_ENV.JWT_ISSUER, aud: "dormouse", sub: "alice" },
    ...{ iat: SECONDS, nbf: 0, exp: SECONDS + 300 },
  });
});

describe("a secret", () => {
  const secret = (bytes: number) => "s".repeat(bytes);
  it.each([
    [32, 256, "accepted"],
    [47, 384, "token_algorithm"],
    [48, 384, "accepted"],
    [63, 512, "token_algorithm"],
    [64, 512, "accepted"],
    [64, 256, "accepted"],
  ])("of %i bytes, used by HS%i: %s, as in .NET", async (bytes, bits, expected) => {
    const key = hmac(secret(bytes), bits);
    const text = await hs256({}, { alg: `HS${bits}` }, key);
    expect(await outcome(text, { ...SECRET_ENV, JWT_SECRET: secret(bytes) })).toBe(expected);
  });

  it("of 64 bytes never verifies one algorithm's token by another", async () => {
    const text = await hs256({}, { alg: "HS512" }, hmac(secret(64), 256));
    const env = { ...SECRET_ENV, JWT_SECRET: secret(64) };
    expect(await outcome(text, env)).toBe("token_bad_signature");
  });
});

it("refuses an XML signature's algorithm, and says why", async () => {
  const alg = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
  const text = await token({ alg, typ: "JWT" }, { iss: SECRET_ENV.JWT_ISSUER }, hmac());
  await expect(verifyToken(text, SECRET_ENV)).rejects.toMatchObject({
    code: "token_algorithm",
    message: expect.stringContaining("the URI of an XML signature"),
  });
});
