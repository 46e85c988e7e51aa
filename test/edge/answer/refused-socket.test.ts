// Refusals on the socket, for our own client: the same verdict as over HTTP, readable in a browser, at no object's
// cost.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { RefusedSockets } from "../../../src/edge/answer/refused-socket.ts";
import { VERSION } from "../../../src/model/package-version.ts";
import worker from "../../../src/worker.ts";
import { token } from "../../rooms/client.ts";

const OWN = `dormouse=${VERSION}`;

interface Asked {
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly vars?: Record<string, unknown>;
}

function ask({ path, headers = {}, vars = {} }: Asked): Promise<Response> {
  const request = new Request(`https://edge.example${path}`, {
    headers: { upgrade: "websocket", ...headers },
  });
  return Promise.resolve(worker.fetch(request, { ...env, ...vars }, createExecutionContext()));
}

interface Told {
  readonly messages: unknown[];
  readonly code: number;
  readonly reason: string;
}

/** All that a client sees of a socket, until it is closed. */
async function told(asked: Asked): Promise<Told> {
  const { status, webSocket } = await ask(asked);
  expect(status).toBe(101);
  const socket = webSocket!;
  const messages: unknown[] = [];
  socket.addEventListener("message", ({ data }) => messages.push(JSON.parse(data as string)));
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener("close", resolve));
  socket.accept();
  const { code, reason } = await closed;
  return { messages, code, reason };
}

let lines: string[];
beforeEach(() => {
  lines = [];
  vi.spyOn(console, "warn").mockImplementation((line: string) => void lines.push(line));
});
afterEach(() => void vi.restoreAllMocks());

const bearer = async (claims = {}) => ({ authorization: `Bearer ${await token("alice", claims)}` });
const ROOM = "/hubs/chat/groups/lobby";

const MISTAKES: readonly [
  what: string,
  path: string,
  status: number,
  code: string,
  extra?: object,
][] = [
  ["another position", `${ROOM}?since=nonsense`, 400, "invalid_position"],
  ["a misspelt hub", "/hubs/chta/groups/lobby?x", 404, "hub_not_found"],
  ["a misspelt hub as a whole", "/hubs/chta/rpc?x", 404, "hub_not_found"],
  ["a hub that is closed to it", "/hubs/admin/rpc?x", 403, "forbidden"],
  ["a closed room", "/hubs/admin/groups/staff?x", 403, "forbidden"],
  ["another user's room", "/hubs/chat/users/bob?x", 403, "forbidden"],
  ["an unknown kind", "/hubs/chat/rooms/x?x", 404, "room_kind_not_found"],
  ["a party without a kind", "/parties/chat/lobby?x", 404, "room_kind_not_found"],
  ["a path where nothing is", "/hub/chat?x", 404, "not_found"],
  ["a foreign origin", `${ROOM}?x`, 403, "forbidden_origin", { origin: "https://evil.example" }],
  ["no token", `${ROOM}?x`, 401, "token_missing", { authorization: "" }],
  ["a broken token", "/hubs/chat/rpc?x", 401, "token_malformed", { authorization: "Bearer x" }],
];

describe("our own client with", () => {
  it.each(MISTAKES)("%s is told so, with the verdict of HTTP", async (...mistake) => {
    const [, path, status, code, extra = {}] = mistake;
    const headers = { ...(await bearer()), ...extra };
    const plain = await ask({ path, headers });
    const { error } = await plain.json<{ error: object }>();
    expect([plain.status, error]).toMatchObject([status, { code }]);
    const { messages, ...closed } = await told({ path: `${path}&${OWN}`, headers });
    expect(messages).toEqual([
      { jsonrpc: "2.0", method: "$/refused", params: { ...error, status } },
    ]);
    expect(closed).toEqual({ code: 4520, reason: expect.stringMatching(`^${code}: `) });
    const [first, second] = lines.map((line) => JSON.parse(line) as object);
    expect(second).toEqual(first);
    expect(lines.length).toBe(code === "not_found" ? 0 : 2);
  });

  it("an issuer or audience of others is told so", async () => {
    const headers = await bearer();
    for (const [name, code] of [
      ["JWT_ISSUER", "token_wrong_issuer"],
      ["JWT_AUDIENCE", "token_wrong_audience"],
    ] as const) {
      const vars = { [name]: "https://other.example" };
      // oxlint-disable-next-line no-await-in-loop -- one after another
      const { messages } = await told({ path: `${ROOM}?${OWN}`, headers, vars });
      expect(messages).toMatchObject([
        { params: { status: 401, code, message: expect.any(String), action: expect.any(String) } },
      ]);
      // Neither the expected nor the given value is a stranger's business.
      expect(JSON.stringify(messages)).not.toContain("other.example");
    }
  });

  it("a refusal that will be over is closed with 4420, and says when", async () => {
    const fetch = () => Promise.reject(Object.assign(new Error("busy"), { overloaded: true }));
    const vars = { ROOMS: { getByName: () => ({ fetch }) } };
    const { messages, code } = await told({
      path: `${ROOM}?${OWN}`,
      headers: await bearer(),
      vars,
    });
    expect(code).toBe(4420);
    expect(messages).toMatchObject([
      { params: { status: 503, code: "unavailable", retryAfter: expect.any(Number) } },
    ]);
  });

  it.each([
    ["a service's path", "/api/metrics?x", "token_missing"],
    ["a path of gRPC", "/dormouse.v1.Hub/Publish?x", ""],
  ])("%s is told no more than its code", async (_, path, code) => {
    const { messages } = await told({ path: `${path}&${OWN}` });
    const message = "The connection was refused.";
    expect(messages).toMatchObject([{ params: { code: code || "internal", message } }]);
  });

  it("a refusal of the room's object is told like the others", async () => {
    const refuse = () =>
      Response.json(
        { error: { code: "room_full", message: "Full." } },
        { status: 429, headers: { "x-dormouse-error": "rate_limited", "retry-after": "1" } },
      );
    const vars = { ROOMS: { getByName: () => ({ fetch: async () => refuse() }) } };
    const { messages } = await told({ path: `${ROOM}?${OWN}`, headers: await bearer(), vars });
    expect(messages).toMatchObject([{ params: { code: "room_full", retryAfter: 1 } }]);
  });
});

describe("an answer over HTTP is what it was for", () => {
  it.each([
    ["a client that says no version", `${ROOM}`],
    ["a version that is none", `${ROOM}?dormouse=1`],
    ["a version that is too long", `${ROOM}?dormouse=1.2.33333`],
    ["a version with a tail", `${ROOM}?dormouse=0.1.0-beta`],
    ["a script in its place", `${ROOM}?dormouse=%3Cscript%3E`],
    ["a parameter that ends alike", `${ROOM}?mydormouse=0.1.0`],
  ])("%s", async (_, path) => {
    expect((await ask({ path })).status).toBe(401);
  });

  it("a request that is no upgrade, and SignalR's sockets", async () => {
    expect((await ask({ path: `${ROOM}?${OWN}`, headers: { upgrade: "" } })).status).toBe(401);
    expect((await ask({ path: `/hubs/chat?${OWN}` })).status).toBe(401);
  });
});

describe("a client that is too old", () => {
  const path = `${ROOM}?dormouse=0.0.9`;

  it("is refused in words, before its token is read", async () => {
    const { messages } = await told({ path });
    expect(messages).toMatchObject([
      {
        params: {
          ...{ status: 400, code: "client_too_old", action: expect.stringContaining("Update") },
          message: "This server supports clients from version 0.1.0 on; this one is 0.0.9.",
        },
      },
    ]);
  });

  it("is refused at an event stream as well", async () => {
    const response = await ask({ path, headers: { upgrade: "", accept: "text/event-stream" } });
    expect([response.status, response.headers.get("x-dormouse-error")]).toEqual([
      ...[400, "client_too_old"],
    ]);
  });

  it("is none that is newer than the server", async () => {
    const { messages } = await told({ path: `${ROOM}?dormouse=0.10.0` });
    expect(messages).toMatchObject([{ params: { code: "token_missing" } }]);
  });
});

it("a client that is admitted hears the server's version, and nothing of refusals", async () => {
  const { webSocket } = await ask({ path: `${ROOM}?${OWN}`, headers: await bearer() });
  const first = new Promise((resolve) =>
    webSocket!.addEventListener("message", ({ data }) => resolve(JSON.parse(data as string))),
  );
  webSocket!.accept();
  expect(await first).toMatchObject({ method: "$/connected", params: { server: VERSION } });
  webSocket!.close();
});

it("an event stream for our own client is refused with the status, and not as a stream that ends", async () => {
  const fetch = () => Promise.reject(Object.assign(new Error("busy"), { retryable: true }));
  const headers = { upgrade: "", accept: "text/event-stream", ...(await bearer()) };
  const vars = { ROOMS: { getByName: () => ({ fetch }) } };
  const response = await ask({ path: `${ROOM}?${OWN}`, headers, vars });
  expect([response.status, response.headers.get("retry-after")]).toEqual([
    ...[503, expect.stringMatching(/^[1-5]$/)],
  ]);
});

describe("sockets whose clients do not answer the close", () => {
  const request = new Request(`https://edge.example${ROOM}?${OWN}`, {
    headers: { upgrade: "websocket" },
  });
  const refused = () =>
    Response.json({ error: { code: "forbidden", message: "No." } }, { status: 403 });
  /** Their sockets are neither accepted nor given up. */
  const held: Response[] = [];
  const statusOf = async (sockets: RefusedSockets): Promise<number> => {
    const response = await sockets.tell(request, refused());
    held.push(response);
    return response.status;
  };

  it("are 500 at most in an isolate: beyond it refusals are plain, until the platform has ended them", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const sockets = new RefusedSockets();
    const statuses = [];
    // oxlint-disable-next-line no-await-in-loop -- one after another
    for (let n = 0; n < 502; n += 1) statuses.push(await statusOf(sockets));
    expect(statuses).toEqual([...Array<number>(500).fill(101), 403, 403]);
    vi.setSystemTime(Date.now() + 120_000);
    expect(await statusOf(sockets)).toBe(101);
  });

  it("do not count once a client has answered", async () => {
    const sockets = new RefusedSockets();
    for (let n = 0; n < 510; n += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after another
      const { webSocket } = await sockets.tell(request, refused());
      const closed = new Promise((resolve) => webSocket!.addEventListener("close", resolve));
      webSocket!.accept();
      // oxlint-disable-next-line no-await-in-loop -- the same
      await closed;
      webSocket!.close();
    }
    await vi.waitFor(async () => expect(await statusOf(sockets)).toBe(101));
  });
});
