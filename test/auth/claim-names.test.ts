// Paths to claims: own names first, own properties only.

import { describe, expect, it } from "vitest";
import { verifyToken } from "../../src/auth/authenticate.ts";
import { claimAt } from "../../src/auth/claims.ts";
import { hs256, NOW, outcome, SECRET_ENV } from "./tokens.ts";

describe("a claim is found", () => {
  it.each<[string, object, string, unknown]>([
    ["by its name", { a: 1 }, "a", 1],
    ["at a path", { a: { b: { c: 1 } } }, "a.b.c", 1],
    ["by a name with dots", { "https://a.example/x.y": 1 }, "https://a.example/x.y", 1],
    ["by its own name before a path", { "a.b": 1, a: { b: 2 } }, "a.b", 1],
    ["at a path where the own name is null", { "a.b": null, a: { b: 2 } }, "a.b", 2],
    ["under a name with dots", { a: { "b.c": { d: 1 } } }, "a.b.c.d", 1],
    ["under the longest name", { "a.b": { c: 1 }, a: { "b.c": 2 } }, "a.b.c", 1],
    [
      "under a shorter name where the longest leads nowhere",
      { "a.b": {}, a: { b: { c: 1 } } },
      "a.b.c",
      1,
    ],
    ["by an empty name", { "": 1 }, "", 1],
    ["though it is false", { a: { b: false } }, "a.b", false],
  ])("%s", (_, claims, path, value) => {
    expect(claimAt(claims, path)).toBe(value);
  });
});

describe("nothing is found", () => {
  it.each<[string, unknown, string]>([
    ["for a name that is absent", { a: 1 }, "b"],
    ["for null", { a: null }, "a"],
    ["for null at a path", { a: { b: null } }, "a.b"],
    ["below a text", { a: "text" }, "a.length"],
    ["below a number", { a: 1 }, "a.toFixed"],
    ["below an array", { a: [1] }, "a.0"],
    ["below an array's length", { a: [1] }, "a.length"],
    ["on Object's prototype", {}, "constructor"],
    ["on Object's prototype at a path", { a: {} }, "a.constructor.name"],
    ["by __proto__", { a: {} }, "a.__proto__.toString"],
    ["by dots alone", { a: 1 }, "..."],
    ["after a dot at the end", { a: { b: 1 } }, "a."],
    ["in no object", "text", "length"],
  ])("%s", (_, claims, path) => {
    expect(claimAt(claims, path)).toBeUndefined();
  });
});

const userOf = async (claims: object, env: object) =>
  verifyToken(await hs256(claims), { ...SECRET_ENV, ...env }, { now: () => NOW });

describe("ROLES_CLAIM", () => {
  it.each<[string, object, string[]]>([
    ["realm_access.roles", { realm_access: { roles: ["a", "b"] } }, ["a", "b"]],
    ["cognito:groups", { "cognito:groups": ["a"] }, ["a"]],
    ["https://example.com/roles", { "https://example.com/roles": ["a"] }, ["a"]],
    ["scope", { scope: "a b  c" }, ["a", "b", "c"]],
    ["app.role", { app: { role: "a" } }, ["a"]],
    ["app.role", { app: { role: 7 } }, ["7"]],
    ["app.roles", { app: { roles: ["a b", "a b"] } }, ["a b"]],
    ["app.roles", { app: {} }, []],
    ["app.roles", { app: { roles: null } }, []],
    ["roles", { roles: "Site Admin" }, ["Site Admin"]],
    ["constructor", {}, []],
    ["__proto__.constructor", {}, []],
  ])("%s reads %j as %j", async (ROLES_CLAIM, claims, roles) => {
    expect((await userOf(claims, { ROLES_CLAIM })).roles).toEqual(roles);
  });

  it("takes the place of role and roles", async () => {
    const claims = { role: "admin", roles: ["root"], groups: ["guest"] };
    expect((await userOf(claims, { ROLES_CLAIM: "groups" })).roles).toEqual(["guest"]);
  });

  it.each([{}, true, 1.5, [{}], [["a"]], [null]])("refuses the token for %j", async (groups) => {
    const env = { ...SECRET_ENV, ROLES_CLAIM: "groups" };
    expect(await outcome(await hs256({ groups }), env)).toBe("token_claim_invalid");
  });
});

it("USER_ID_CLAIM and TENANT_CLAIM are paths as well", async () => {
  const claims = { act: { sub: "bob" }, firebase: { tenant: "acme" } };
  const env = { USER_ID_CLAIM: "act.sub", TENANT_CLAIM: "firebase.tenant" };
  expect(await userOf(claims, env)).toMatchObject({ id: "bob", tenant: "acme" });
});
