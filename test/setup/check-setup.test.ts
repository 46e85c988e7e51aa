// The configuration of a running worker: one error for all that is wrong, at every door, shown where it is developed.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PresenceHub } from "../../src/hubs/presence.ts";
import { hubContext } from "../../src/server.ts";
import { checkClass, runningFacts } from "../../src/setup/check-setup.ts";
import worker from "../../src/worker.ts";
import { token } from "../rooms/client.ts";

interface Line {
  readonly event: string;
  readonly problems?: readonly string[];
}

let lines: Line[];
beforeEach(() => {
  lines = [];
  const keep = (line: string) => void lines.push(JSON.parse(line) as Line);
  vi.spyOn(console, "error").mockImplementation(keep);
  vi.spyOn(console, "warn").mockImplementation(keep);
});
afterEach(() => void vi.restoreAllMocks());

const ask = async (at: string, vars: object, init: RequestInit = {}) =>
  worker.fetch(
    new Request(at, { ...init, headers: { upgrade: "websocket", ...init.headers } }),
    { ...env, ...vars } as typeof env,
    createExecutionContext(),
  );

/** A binding of another worker, whose every method seems to be there. */
class Fetcher {
  getByName() {}
}

const WRONG = {
  ROOMS: undefined,
  RELAYS: new Fetcher(),
  JWT_ISSUER: "",
  WEBHOOK_URL: "http://x.example",
};
const PROBLEMS = [
  "The binding ROOMS is missing.",
  "The binding RELAYS is not a namespace of Durable Objects.",
  "JWT_ISSUER is missing.",
  "WEBHOOK_SECRET is missing.",
  "WEBHOOK_URL is not https.",
];

describe("a worker that is misconfigured", () => {
  it("logs all problems in one line, with the lines that mend them, and once", async () => {
    const broken = { ...env, ...WRONG } as unknown as typeof env;
    for (const path of ["/hubs/chat/groups/lobby", "/hubs/chat"]) {
      const request = new Request(`https://edge.example${path}`, {
        headers: { upgrade: "websocket" },
      });
      await worker.fetch(request, broken, createExecutionContext());
    }
    const [line, ...others] = lines.filter(({ event }) => event === "misconfigured");
    expect(others).toEqual([]);
    expect(line!.problems).toEqual(PROBLEMS.map((text) => expect.stringContaining(text)));
    expect(line!.problems![0]).toContain('name = "ROOMS"\n    class_name = "Room"');
    expect(JSON.stringify(lines)).not.toMatch(/its log has|http:\/\/x\.example/);
  });

  it("shows all of them on a developer's machine", async () => {
    const answer = await ask("http://127.0.0.1:8787/hubs/chat/groups/lobby", WRONG);
    const text = await answer.text();
    expect([answer.status, answer.headers.get("x-dormouse-error")]).toEqual([500, "misconfigured"]);
    for (const problem of PROBLEMS) expect(text).toContain(problem);
  });

  it("shows them by DEVELOPMENT=1 at any address, and else nothing", async () => {
    const at = "https://edge.example/hubs/chat/groups/lobby";
    const developing = await (await ask(at, { ...WRONG, DEVELOPMENT: "1" })).text();
    expect(developing).toContain("The binding ROOMS is missing.");
    const deployed = await ask(at, WRONG);
    expect(deployed.status).toBe(500);
    expect(await deployed.text()).not.toMatch(/ROOMS|JWT/);
  });

  it.each<[string, string, RequestInit]>([
    ["an event stream", "/hubs/chat/groups/lobby", { headers: { accept: "text/event-stream" } }],
    ["a negotiation", "/hubs/chat/negotiate", { method: "POST" }],
    ["a call", "/hubs/chat/rpc", { method: "POST" }],
    ["Azure's client path", "/client/?hub=chat", {}],
    ["a service", "/api/hubs/chat/rooms", {}],
    ["the metrics", "/api/metrics", {}],
    [
      "a call of Connect",
      "/dormouse.v1.Hub/Invoke",
      {
        method: "POST",
        headers: { "content-type": "application/json", "connect-protocol-version": "1" },
        body: "{}",
      },
    ],
  ])("refuses %s with the same code", async (_, path, init) => {
    const bearer = { authorization: `Bearer ${await token("alice")}`, upgrade: "" };
    const headers = { ...bearer, ...(init.headers as Record<string, string>) };
    const answer = await ask(
      `https://edge.example${path}`,
      { ROOMS: undefined },
      { ...init, headers },
    );
    expect([answer.status, answer.headers.get("x-dormouse-error")]).toEqual([500, "misconfigured"]);
    expect(lines.filter(({ event }) => event === "misconfigured")).toHaveLength(1);
  });

  it("refuses code of the same worker", async () => {
    const broken = { ...env, ROOMS: undefined } as unknown as typeof env;
    await expect(hubContext(broken, PresenceHub).clients.all.userLeft("x")).rejects.toMatchObject({
      code: "misconfigured",
    });
  });

  it("is well with limiters that are bindings, and not with texts of their names", async () => {
    const limiter = { limit: async () => ({ success: true }) };
    const codeOf = async (vars: object) =>
      (await ask("https://edge.example/hubs/chat", vars)).headers.get("x-dormouse-error");
    expect(await codeOf({ CONNECT_LIMITER: limiter })).toBe("token_missing");
    expect(await codeOf({ CONNECT_LIMITER: "600" })).toBe("misconfigured");
    expect(await codeOf({ REST_LIMITER: null })).toBe("misconfigured");
  });

  it("is not healthy, and names nothing to those who ask", async () => {
    const url = "https://edge.example/api/health";
    expect((await ask(url, {})).status).toBe(200);
    const answer = await ask(url, WRONG);
    expect([answer.status, answer.headers.get("x-dormouse-error")]).toEqual([500, "misconfigured"]);
    expect(await answer.text()).not.toMatch(/ROOMS|JWT/);
  });
});

it("advice is logged once, and refuses nothing", async () => {
  const vars = { ...env, LOG_CONNECTIONS: "yes" } as typeof env;
  for (const path of ["chat", "prices"]) {
    const request = new Request(`https://edge.example/hubs/${path}/rpc`, { method: "POST" });
    const answer = await worker.fetch(request, vars, createExecutionContext());
    expect(answer.headers.get("x-dormouse-error")).toBe("token_missing");
  }
  expect(lines.filter(({ event }) => event === "configuration_advice")).toEqual([
    expect.objectContaining({ problems: [expect.stringContaining("LOG_CONNECTIONS")] }),
  ]);
});

it("facts of the engine: namespaces, classes that are one, flags", () => {
  const { bound, areSame, isOn } = runningFacts({ ...env, RELAYS: env.ROOMS });
  expect([bound("ROOMS"), bound("ACCOUNTS")]).toEqual(["namespace", "namespace"]);
  expect([areSame("ROOMS", "RELAYS"), areSame("ROOMS", "ACCOUNTS")]).toEqual([true, false]);
  expect([isOn("enable_request_signal"), isOn("web_socket_compression")]).toEqual([true, false]);
});

it("an object tells that another binding leads to its class", () => {
  const id = env.ROOMS.idFromName("default/chat/group/lobby");
  expect(() => checkClass(id, env, { binding: "ROOMS", place: undefined })).not.toThrow();
  expect(() => checkClass(id, env, { binding: "ACCOUNTS", place: undefined })).toThrow(
    "The server is misconfigured.",
  );
  expect(() =>
    checkClass(id, { ...env, DEVELOPMENT: "1" }, { binding: "RELAYS", place: undefined }),
  ).toThrow("class_name of RELAYS is the name under which main exports Relay");
  expect(lines.map(({ event }) => event)).toEqual(["misconfigured", "misconfigured"]);
});
