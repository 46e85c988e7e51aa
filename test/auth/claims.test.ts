// The user that the claims of a valid token give.

import { describe, expect, it } from "vitest";
import { verifyToken } from "../../src/auth/authenticate.ts";
import { claims, hs256, NOW, outcome, SECONDS, SECRET_ENV } from "./tokens.ts";

const userOf = async (changes: object = {}, env: object = {}) =>
  verifyToken(await hs256(changes), { ...SECRET_ENV, ...env }, () => NOW);

it("makes the whole user", async () => {
  const said = {
    tid: "acme",
    role: "driver",
    roles: ["admin"],
    caps: [{ channels: ["group:a.*"], match: "wildcard", allow: ["sub", "hst"] }],
    channels: ["group:lobby", "order:42"],
  };
  expect(await userOf(said)).toEqual({
    id: "alice",
    tenant: "acme",
    roles: ["driver", "admin"],
    claims: claims(said),
    caps: said.caps,
    channels: said.channels,
    expiresAt: (SECONDS + 360) * 1000,
  });
});

it("leaves out what a token does not say", async () => {
  expect(await userOf()).toEqual({
    id: "alice",
    tenant: "default",
    roles: [],
    claims: claims(),
    caps: [],
    channels: [],
    expiresAt: (SECONDS + 360) * 1000,
  });
});

describe("the user's id", () => {
  const long = "s".repeat(500);
  it.each<[string, object, object, string]>([
    ["sub", {}, {}, "alice"],
    ["sub before nameid", { nameid: "bob" }, {}, "alice"],
    ["nameid where there is no sub", { sub: undefined, nameid: "bob" }, {}, "bob"],
    ["the configured claim", { email: "a@b.example" }, { USER_ID_CLAIM: "email" }, "a@b.example"],
    [
      "the configured claim, however long sub is",
      { sub: long, email: "a" },
      { USER_ID_CLAIM: "email" },
      "a",
    ],
    ["in its composed form", { sub: "Zoe\u0308" }, {}, "Zo\u00eb"],
  ])("is %s", async (_, said, env, id) => {
    expect((await userOf(said, env)).id).toBe(id);
  });

  it.each<[string, object, string, string]>([
    [
      "sub is absent beside the configured claim",
      { sub: undefined, email: "a" },
      "email",
      "token_no_subject",
    ],
    [
      "nameid would have to stand in",
      { sub: undefined, nameid: "a", email: "a" },
      "email",
      "token_no_subject",
    ],
    ["sub is null beside nameid", { sub: null, nameid: "bob" }, "", "token_no_subject"],
    ["the configured claim is absent", {}, "email", "token_claim_invalid"],
    ["the configured claim is a number", { email: 1 }, "email", "token_claim_invalid"],
    ["the configured claim is inherited", {}, "constructor", "token_claim_invalid"],
    [
      "the configured claim is too long",
      { email: "a".repeat(129) },
      "email",
      "token_claim_invalid",
    ],
    ["nameid is a number", { sub: undefined, nameid: 1 }, "", "token_claim_invalid"],
  ])("is refused where %s", async (_, said, USER_ID_CLAIM, reason) => {
    expect(await outcome(await hs256(said), { ...SECRET_ENV, USER_ID_CLAIM })).toBe(reason);
  });
});

describe("the tenant", () => {
  it.each<[string, object, object, string]>([
    ["tid", { tid: "acme" }, {}, "acme"],
    ["the configured claim", { tid: "acme", org: "other" }, { TENANT_CLAIM: "org" }, "other"],
    [
      "default where the configured claim is absent",
      { tid: "acme" },
      { TENANT_CLAIM: "org" },
      "default",
    ],
    ["default where only Object has such a member", {}, { TENANT_CLAIM: "constructor" }, "default"],
    ["in its composed form", { tid: "cafe\u0301" }, {}, "caf\u00e9"],
    ["case-sensitive", { tid: "ACME" }, {}, "ACME"],
  ])("is %s", async (_, said, env, tenant) => {
    expect((await userOf(said, env)).tenant).toBe(tenant);
  });
});

describe("roles", () => {
  it.each<[string, object, string[]]>([
    ["one string", { role: "admin" }, ["admin"]],
    ["an array", { role: ["a", "b"] }, ["a", "b"]],
    ["both claims, once each", { role: ["a", "b"], roles: ["b", "c", "a"] }, ["a", "b", "c"]],
    ["a string that looks like several", { roles: "a,b c" }, ["a,b c"]],
    ["an empty array", { roles: [] }, []],
  ])("are read from %s", async (_, said, roles) => {
    expect((await userOf(said)).roles).toEqual(roles);
  });
});

describe("caps", () => {
  it("keep what they say and nothing else", async () => {
    const caps = [
      { channels: ["group:a"], allow: ["sub", "pub", "prs", "hst"], note: "x" },
      { channels: [], match: "wildcard", allow: [] },
    ];
    expect((await userOf({ caps })).caps).toEqual([
      { channels: ["group:a"], allow: ["sub", "pub", "prs", "hst"] },
      { channels: [], match: "wildcard", allow: [] },
    ]);
  });

  it("name channels in the form topics have", async () => {
    const caps = [{ channels: ["group:cafe\u0301"], allow: ["sub"] }];
    expect((await userOf({ caps })).caps[0]?.channels).toEqual(["group:caf\u00e9"]);
  });
});

it("makes channels canonical and names each once", async () => {
  const channels = ["group:cafe\u0301", "group:caf\u00e9", "user:alice", "order:a:b"];
  expect((await userOf({ channels })).channels).toEqual([
    "group:caf\u00e9",
    "user:alice",
    "order:a:b",
  ]);
});
