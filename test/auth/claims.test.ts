// The user that the claims of a valid token give.

import { describe, expect, it } from "vitest";
import { verifyToken } from "../../src/auth/authenticate.ts";
import { claims, hs256, NOW, outcome, SECONDS, SECRET_ENV } from "./tokens.ts";

const ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";

const userOf = async (changes: object = {}, env: object = {}) =>
  verifyToken(await hs256(changes), { ...SECRET_ENV, ...env }, { now: () => NOW });

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

const GUESTS = "guests@192.0.2.1";
const GUESTS_OF_IPV6 = "guests@2001:db8:1:2::/64";
const MAIL = "guests@hotel.example";

describe("the user's id", () => {
  const long = "s".repeat(500);
  const EMAIL = { USER_ID_CLAIM: "email" };
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
    ["the configured claim without sub", { sub: undefined, email: "a" }, EMAIL, "a"],
    [
      "the configured claim and not nameid",
      { sub: undefined, nameid: "a", email: "b" },
      EMAIL,
      "b",
    ],
    ["nameid where sub is null", { sub: null, nameid: "bob" }, {}, "bob"],
    ["a number as text", { sub: 42 }, {}, "42"],
    ["zero as text", { sub: 0 }, {}, "0"],
    ["an address of e-mail, though it begins as guests do", { sub: MAIL }, {}, MAIL],
    ["a time, though it begins as guests do", { sub: "guests@10:30" }, {}, "guests@10:30"],
    ["in its own case, which is not that of guests", { sub: "Guests@::1" }, {}, "Guests@::1"],
    ["a negative number as text", { sub: undefined, nameid: -1 }, {}, "-1"],
    ["the configured claim as text", { email: 1 }, EMAIL, "1"],
    ["the greatest number that is read exactly", { sub: 2 ** 53 - 1 }, {}, "9007199254740991"],
  ])("is %s", async (_, said, env, id) => {
    expect((await userOf(said, env)).id).toBe(id);
  });

  it.each<[string, object, string, string]>([
    ["no claim names a user", { sub: undefined }, "", "token_no_subject"],
    ["sub is empty beside nameid", { sub: "", nameid: "bob" }, "", "token_no_subject"],
    ["sub is null and alone", { sub: null }, "", "token_no_subject"],
    ["the configured claim is null", { email: null }, "email", "token_claim_invalid"],
    ["the configured claim is empty", { email: "" }, "email", "token_claim_invalid"],
    ["the configured claim is absent", {}, "email", "token_claim_invalid"],
    ["the configured claim is a fraction", { email: 1.5 }, "email", "token_claim_invalid"],
    ["the configured claim is inherited", {}, "constructor", "token_claim_invalid"],
    [
      "the configured claim is too long",
      { email: "a".repeat(129) },
      "email",
      "token_claim_invalid",
    ],
    ["nameid is an array", { sub: undefined, nameid: ["a"] }, "", "token_claim_invalid"],
    ["it is the account of an address's guests", { sub: GUESTS }, "", "token_claim_invalid"],
    ["it is that of an IPv6 network", { sub: GUESTS_OF_IPV6 }, "", "token_claim_invalid"],
    ["it is that of an IPv6 address", { sub: "guests@2001:DB8::1" }, "", "token_claim_invalid"],
    ["it is a mapped address's", { sub: "guests@::ffff:192.0.2.1" }, "", "token_claim_invalid"],
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
    ["default where tid is null", { tid: null }, {}, "default"],
    ["a number as text", { tid: 7 }, {}, "7"],
    [
      "tid under its long name",
      { "http://schemas.microsoft.com/identity/claims/tenantid": "acme" },
      {},
      "acme",
    ],
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
    ["a claim that is null", { role: null, roles: null }, []],
    ["numbers", { role: 1, roles: [2, "3"] }, ["1", "2", "3"]],
    [
      "the long name, beside the short ones",
      { role: "a", roles: ["b"], [ROLE]: "c" },
      ["a", "b", "c"],
    ],
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
