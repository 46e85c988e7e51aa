// The log of a developer's machine: what each refusal expected and what came; and that no token, no secret and no other
// worker's log has it.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import worker from "../../../src/worker.ts";
import { token } from "../../rooms/client.ts";
import { TOKEN_TEXT } from "../../support/token-text.ts";

let lines: Record<string, unknown>[];
beforeEach(() => {
  lines = [];
  vi.spyOn(console, "warn").mockImplementation((line: string) => void lines.push(JSON.parse(line)));
});
afterEach(() => void vi.restoreAllMocks());

interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly bearer?: string;
  readonly headers?: Record<string, string>;
  readonly vars?: object;
}

/** The one line of a refused request. */
async function refused({ path = ROOM, method = "GET", bearer, headers, vars }: Asked) {
  const own = { upgrade: "websocket", ...(bearer && { authorization: `Bearer ${bearer}` }) };
  const request = new Request(`https://edge.example${path}`, {
    method,
    headers: { ...own, ...headers },
  });
  const bindings = { ...env, DEVELOPMENT: "1", ...vars } as typeof env;
  await worker.fetch(request, bindings, createExecutionContext());
  const [line, ...others] = lines.filter(({ event }) => event === "refused");
  expect(others).toEqual([]);
  return line!;
}

const ROOM = "/hubs/chat/groups/lobby";

const signed = (claims: object, secret = env.JWT_SECRET!) =>
  new SignJWT({ sub: "alice", iss: "dormouse", aud: "dormouse", exp: 4e9, ...claims })
    .setProtectedHeader({ alg: "HS256", kid: "k1" })
    .sign(new TextEncoder().encode(secret));

describe("in development the line of a refusal has what was expected and what came", () => {
  it.each<[string, () => Promise<Asked>, object]>([
    [
      "no token",
      async () => ({}),
      {
        code: "token_missing",
        expected: "Authorization: Bearer …, or ?access_token=…",
        received: "neither",
      },
    ],
    [
      "another scheme",
      async () => ({ headers: { authorization: "Basic YTpi" } }),
      { code: "token_missing", received: "Authorization: Basic" },
    ],
    [
      "a token without a scheme",
      async () => ({ headers: { authorization: await signed({}) } }),
      { code: "token_missing", received: "Authorization: without Bearer" },
    ],
    [
      "the issuer",
      async () => ({ bearer: await signed({ iss: "me" }) }),
      { code: "token_wrong_issuer", expected: ["dormouse"], received: "me" },
    ],
    [
      "the audience",
      async () => ({ bearer: await signed({ aud: ["x", "y"] }) }),
      { code: "token_wrong_audience", expected: ["dormouse"], received: ["x", "y"] },
    ],
    [
      "the time",
      async () => ({ bearer: await signed({ exp: 1_000_000_000 }) }),
      {
        code: "token_expired",
        expected: expect.stringMatching(/^exp after 20\d\d-/),
        received: "2001-09-09T01:46:40.000Z",
      },
    ],
    [
      "the key",
      async () => ({ bearer: await signed({}, "another secret with 32 bytes or more") }),
      {
        code: "token_bad_signature",
        expected: { alg: expect.arrayContaining(["HS256"]) },
        received: { alg: "HS256", kid: "k1" },
      },
    ],
    [
      "the origin",
      async () => ({
        bearer: await token("alice"),
        headers: { origin: "https://evil.example" },
        vars: { ALLOWED_ORIGINS: "https://app.example" },
      }),
      {
        code: "forbidden_origin",
        expected: ["https://edge.example", "https://app.example"],
        received: "https://evil.example",
      },
    ],
    [
      "the hub's name",
      async () => ({ path: "/hubs/chatt/groups/lobby", bearer: await token("alice") }),
      {
        code: "hub_not_found",
        expected: expect.arrayContaining(["chat", "prices"]),
        received: "chatt",
      },
    ],
    [
      "the room's rule",
      async () => ({ path: "/hubs/calculator/groups/lobby", bearer: await token("alice") }),
      {
        code: "forbidden",
        expected: "rooms.group.enter is not set, so that nobody may enter",
        received: { user: "alice", roles: [], room: "group:lobby" },
      },
    ],
    [
      "the user's room",
      async () => ({ path: "/hubs/notifications/users/bob", bearer: await token("alice") }),
      {
        code: "forbidden",
        expected: "the user of this room, by authorize: signedIn; or a token that grants it",
        received: { user: "alice", room: "user:bob" },
      },
    ],
    [
      "the issuer of a fresh token",
      async () => ({
        ...{ path: "/hubs/chat/refresh?id=x", method: "POST", headers: { upgrade: "" } },
        bearer: await signed({ iss: "me" }),
      }),
      { code: "token_wrong_issuer", claim: "iss", expected: ["dormouse"], received: "me" },
    ],
    [
      "a service's role",
      async () => ({ path: "/api/hubs/chat/rooms", bearer: await token("alice") }),
      { code: "forbidden", expected: { roles: ["service"] }, received: { user: "alice" } },
    ],
  ])("%s", async (_, asked, facts) => {
    const line = await refused(await asked());
    expect(line).toMatchObject(facts);
    expect(JSON.stringify(line)).not.toMatch(/secret/);
    expect(JSON.stringify(line)).not.toMatch(TOKEN_TEXT);
  });
});

it("in production the line has no such members", async () => {
  const bearer = await signed({ iss: "me" });
  const line = await refused({ bearer, vars: { DEVELOPMENT: "" } });
  expect(Object.keys(line)).toEqual([
    "level",
    "event",
    "method",
    "path",
    "hub",
    "status",
    "code",
    "claim",
  ]);
});

it("in production a service has a line where its token is not taken, and none for what it asks", async () => {
  const api = async (path: string, bearer: string) => {
    lines = [];
    const headers = { authorization: `Bearer ${bearer}` };
    const request = new Request(`https://edge.example/api${path}`, { headers });
    await worker.fetch(request, { ...env }, createExecutionContext());
    return lines.map(({ path: _, level: _level, ...line }) => line);
  };
  const about = { event: "refused", method: "GET" };
  const wrong = await signed({ iss: "dormouse", aud: "x", roles: ["service"] });
  expect(await api("/hubs/chat/rooms", wrong)).toEqual([
    { ...about, hub: "chat", status: 401, code: "token_wrong_audience", claim: "aud" },
  ]);
  expect(await api("/metrics", await token("alice"))).toEqual([
    { ...about, status: 403, code: "forbidden" },
  ]);
  const service = await signed({ roles: ["service"] });
  expect(await api("/hubs/none/rooms", service)).toEqual([]);
  expect(await api("/hubs/chat/rooms?limit=x", service)).toEqual([]);
});
