// Every refusal for a claim names it: in the error, in the response and in the log; never a value of the token.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { verifyToken } from "../../src/auth/authenticate.ts";
import worker from "../../src/worker.ts";
import { hmac, hs256, NOW, SECONDS, SECRET_ENV } from "./tokens.ts";

afterEach(() => void vi.restoreAllMocks());

const LONG_ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";
const canary = ["canary"];

describe("a refusal names the claim", () => {
  it.each<[string, string, object, object?]>([
    ["iss", "token_wrong_issuer", { iss: "canary" }],
    ["aud", "token_wrong_audience", { aud: "canary" }],
    ["client_id", "token_wrong_audience", { client_id: "canary" }, { AUDIENCE_CLAIM: "client_id" }],
    ["exp", "token_expired", { exp: SECONDS - 61 }],
    ["exp", "token_claim_invalid", { exp: undefined }],
    ["exp", "token_claim_invalid", { exp: "canary" }],
    ["exp", "token_claim_invalid", { exp: 9e15 }],
    ["nbf", "token_not_yet_valid", { nbf: SECONDS + 61 }],
    ["nbf", "token_claim_invalid", { nbf: canary }],
    ["iat", "token_not_yet_valid", { iat: SECONDS + 61 }],
    ["iat", "token_claim_invalid", { iat: "canary" }],
    ["jti", "token_claim_invalid", { jti: canary }],
    ["sub", "token_no_subject", { sub: undefined }],
    ["sub", "token_claim_invalid", { sub: canary }],
    ["nameid", "token_claim_invalid", { sub: undefined, nameid: canary }],
    ["email", "token_claim_invalid", {}, { USER_ID_CLAIM: "email" }],
    ["tid", "token_claim_invalid", { tid: canary }],
    ["org.id", "token_claim_invalid", { org: { id: canary } }, { TENANT_CLAIM: "org.id" }],
    ["role", "token_claim_invalid", { role: { canary } }],
    ["roles", "token_claim_invalid", { roles: [canary] }],
    [LONG_ROLE, "token_claim_invalid", { [LONG_ROLE]: { canary } }],
    ["app.roles", "token_claim_invalid", { app: { roles: true } }, { ROLES_CLAIM: "app.roles" }],
    ["caps", "token_claim_invalid", { caps: canary }],
    ["channels", "token_claim_invalid", { channels: canary }],
    ["limits", "token_claim_invalid", { limits: { canary } }],
  ])("%s: %s", async (claim, code, changes, settings = {}) => {
    const read = verifyToken(
      await hs256(changes),
      { ...SECRET_ENV, ...settings },
      { now: () => NOW },
    );
    const error = await read.catch((refusal: unknown) => refusal);
    expect(error).toMatchObject({ code, claim });
    const { message } = error as Error;
    expect(message).toContain(` (claim ${claim}).`);
    expect(message).not.toContain("canary");
  });
});

const ask = async (path: string, changes: object, init: RequestInit = {}) => {
  const own = { iss: env.JWT_ISSUER, aud: env.JWT_AUDIENCE, iat: undefined, exp: 4e9 };
  const text = await hs256({ ...own, ...changes }, {}, hmac(env.JWT_SECRET));
  const lines: string[] = [];
  vi.spyOn(console, "warn").mockImplementation((line: string) => void lines.push(line));
  const request = new Request(`https://hubs.example${path}`, {
    ...init,
    headers: { authorization: `Bearer ${text}`, "content-type": "application/json" },
  });
  const vars = { ...env, ROLES_CLAIM: "https://a.example/rôle" };
  const response = await worker.fetch(request, vars, createExecutionContext());
  return { response, body: await response.text(), lines };
};

const NAMED = "A claim of the token is missing, or has the wrong type or form (claim tid).";
const IN_JSON = expect.stringContaining(`"message":"${NAMED}"`);

it.each<[string, string, RequestInit, unknown]>([
  ["a room", "/hubs/chat/groups/a", {}, IN_JSON],
  ["SignalR's negotiation", "/hubs/chat/negotiate", { method: "POST" }, IN_JSON],
  ["a service", "/api/hubs/chat/groups/a", {}, IN_JSON],
  ["a refresh", "/hubs/chat/refresh?id=x", { method: "POST" }, IN_JSON],
])("%s answers with the claim's name", async (_, path, init, expected) => {
  const { response, body } = await ask(path, { tid: canary }, init);
  expect([response.status, response.headers.get("x-dormouse-claim")]).toEqual([401, "tid"]);
  expect(response.headers.get("x-dormouse-error")).toBe("token_claim_invalid");
  expect(body).toEqual(expected);
  expect(body).not.toContain("canary");
});

it("the log's line has the claim's name", async () => {
  const { lines } = await ask("/hubs/chat/groups/a", { tid: canary });
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      ...{ level: "warn", event: "refused", method: "GET", path: "/hubs/chat/groups/a" },
      ...{ hub: "chat", status: 401, code: "token_claim_invalid", claim: "tid" },
    },
  ]);
});

it("a call of Connect has the claim's name in its error and in the log's line", async () => {
  const path = "/dormouse.v1.Hub/Publish";
  const init = { method: "POST", body: "{}" };
  const { body, lines } = await ask(path, { tid: canary }, init);
  expect(JSON.parse(body)).toMatchObject({ code: "unauthenticated", message: NAMED });
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ path, claim: "tid" }]);
});

it("a configured name that no header can have is escaped", async () => {
  const { response, body } = await ask("/hubs/chat/groups/a", { "https://a.example/rôle": true });
  expect(response.headers.get("x-dormouse-claim")).toBe("https://a.example/r%C3%B4le");
  expect(body).toContain("(claim https://a.example/rôle).");
});
