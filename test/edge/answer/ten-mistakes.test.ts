// Ten mistakes in the engine: the answer to each client, word for word, and the line of a developer's log. Wrong
// arguments are in wrong-arguments.extra.test.ts, an old compatibility date in test/e2e/ten-mistakes.test.ts.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { VERSION } from "../../../src/model/package-version.ts";
import worker from "../../../src/worker.ts";
import { TEN, type Mistake } from "../../support/ten-mistakes.ts";
import { TOKEN_TEXT } from "../../support/token-text.ts";

type Line = Readonly<Record<string, unknown>>;

let lines: Line[];
beforeEach(() => {
  lines = [];
  const keep = (line: string) => void lines.push(JSON.parse(line) as Line);
  vi.spyOn(console, "warn").mockImplementation(keep);
  vi.spyOn(console, "error").mockImplementation(keep);
});
afterEach(() => void vi.restoreAllMocks());

interface Made {
  readonly hub?: string;
  readonly room?: string;
  readonly issuer?: string;
  readonly bearer?: "";
  readonly origin?: string;
  readonly version?: string;
  readonly vars?: object;
  /** What its line of the log has beside the code. */
  readonly log: object;
}

const PROBLEM = { event: "misconfigured", problems: [expect.stringContaining(" In ")] };
const MADE: readonly [Mistake, Made][] = [
  ["no token", { bearer: "", log: { expected: expect.anything(), received: "neither" } }],
  ["a wrong issuer", { issuer: "me", log: { expected: ["dormouse"], received: "me" } }],
  [
    "a misspelt hub",
    { hub: "chta", log: { expected: expect.arrayContaining(["chat"]), received: "chta" } },
  ],
  [
    "a closed room",
    {
      ...{ hub: "calculator", room: "orders/1" },
      log: {
        expected: "rooms.order.enter is not set, so that nobody may enter",
        received: { user: "alice", roles: [], room: "order:1" },
      },
    },
  ],
  ["a forgotten binding", { vars: { RELAYS: undefined }, log: PROBLEM }],
  ["a short secret", { vars: { JWT_SECRET: "short" }, log: PROBLEM }],
  ["a missing secret", { vars: { JWT_SECRET: undefined }, log: PROBLEM }],
  [
    "a foreign origin",
    {
      origin: "https://page.example",
      log: { expected: ["https://edge.example"], received: "https://page.example" },
    },
  ],
  ["an old client", { version: "0.0.9", log: {} }],
];

async function request(
  made: Made,
  { path = "", ...init }: RequestInit & { readonly path?: string },
): Promise<Response> {
  const { hub = "chat", bearer, issuer = "dormouse", origin, version = VERSION, vars } = made;
  const token = await new SignJWT({ sub: "alice", iss: issuer, aud: "dormouse", exp: 4e9 })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(env.JWT_SECRET));
  const headers = {
    ...(bearer !== "" && { authorization: `Bearer ${token}` }),
    ...(origin !== undefined && { origin }),
    ...(init.headers as Record<string, string> | undefined),
  };
  const url = `https://edge.example/hubs/${hub}/${path}?dormouse=${version}`;
  const bindings = { ...env, DEVELOPMENT: "1", ...vars } as typeof env;
  return worker.fetch(new Request(url, { ...init, headers }), bindings, createExecutionContext());
}

const roomOf = ({ room = "groups/lobby" }: Made): string => room;

describe.each(MADE)("%s", (mistake, made) => {
  const { status, ...words } = TEN[mistake];

  it("is told to our client on the socket", async () => {
    const response = await request(made, { path: roomOf(made), headers: { upgrade: "websocket" } });
    const socket = response.webSocket!;
    const frame = new Promise<string>((resolve) =>
      socket.addEventListener("message", ({ data }) => resolve(data as string)),
    );
    socket.accept();
    expect(JSON.parse(await frame)).toMatchObject({
      method: "$/refused",
      params: { ...words, status },
    });
  });

  it("is told to a reader of events", async () => {
    const headers = { accept: "text/event-stream" };
    const response = await request(made, { path: roomOf(made), headers });
    expect([response.status, await response.json()]).toEqual([status, { error: words }]);
  });

  it("is a line of the log, once, with what was expected and what came", async () => {
    await request(made, { path: roomOf(made), headers: { accept: "text/event-stream" } });
    const { log } = made;
    const event = words.code === "misconfigured" ? "misconfigured" : "refused";
    const found = lines.filter((line) => line["event"] === event);
    expect(found).toEqual([
      expect.objectContaining(event === "refused" ? { ...log, ...codeOf(words) } : log),
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/"short"/);
    expect(JSON.stringify(lines)).not.toMatch(TOKEN_TEXT);
  });
});

// Not of a closed room, which is no matter of a negotiation.
it.each(MADE.filter(([mistake]) => mistake !== "a closed room"))(
  "%s is told to SignalR's clients",
  async (mistake, made) => {
    const { code, message, status } = TEN[mistake];
    const response = await request(made, { path: "negotiate", method: "POST" });
    const body = await response.text();
    expect(response.status).toBe(status);
    // Their clients show the body as it is: JSON, but the sentence alone where it is 400 or 404.
    expect(body).toContain(
      status === 404 || status === 400 ? message : JSON.stringify(message).slice(1, -1),
    );
    expect(response.headers.get("x-dormouse-error")).toBe(code);
  },
);

const codeOf = ({ code }: { readonly code: string }) => ({ code });

describe("a preflight", () => {
  const preflight = (made: Partial<Made>) => {
    const headers = { origin: "https://page.example", "access-control-request-method": "GET" };
    return request({ log: {}, ...made }, { path: "groups/lobby", method: "OPTIONS", headers });
  };

  it("of a foreign origin is a line of the log: no other request follows", async () => {
    const response = await preflight({});
    expect(response.status).toBe(204);
    expect(response.headers.has("access-control-allow-origin")).toBe(false);
    expect(lines).toEqual([
      expect.objectContaining({
        ...{ event: "refused", method: "OPTIONS", hub: "chat", code: "forbidden_origin" },
        received: "https://page.example",
      }),
    ]);
  });

  it("of an allowed origin is none, and an old client's is admitted, so that it reads why it is refused", async () => {
    const vars = { ALLOWED_ORIGINS: "https://page.example" };
    const response = await preflight({ vars, version: "0.0.9" });
    expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([
      ...[204, "https://page.example"],
    ]);
    expect(lines).toEqual([]);
  });
});
