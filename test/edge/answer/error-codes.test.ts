// Every error code at every door: a request that is refused with it has the same HTTP status everywhere, and a call
// that fails with it the number, code or sentence that the table has.

import { createExecutionContext, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { Code } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Refusal, refusalResponse, type Reason } from "../../../src/auth/authenticate.ts";
import { tablesOf } from "../../../src/dispatch/define/hub-tables.ts";
import { endpoint } from "../../../src/edge/app.ts";
import { CallError } from "../../../src/edge/grpc/grpc-errors.ts";
import { connectError } from "../../../src/edge/grpc/grpc-errors.ts";
import { grpc } from "../../../src/grpc-server.ts";
import { failed } from "../../../src/edge/rest/azure-errors.ts";
import { hub, HubError, type Call } from "../../../src/hub.ts";
import { serverError } from "../../../src/model/errors.ts";
import {
  ERRORS,
  GRPC,
  httpStatusOf,
  type ErrorCode,
  type ErrorRow,
} from "../../../src/model/error-table.ts";
import { jsonRpc } from "../../../src/protocols/json-rpc-codec.ts";
import { failureText } from "../../../src/protocols/signalr-errors.ts";
import { roomAt, token } from "../../rooms/client.ts";

const CODES = Object.keys(ERRORS) as ErrorCode[];
/** Codes for which ASP.NET Core has a sentence, in one stage of a call or another. */
const WORDED = Object.entries<ErrorRow>(ERRORS).flatMap(([code, { signalR }]) =>
  signalR === undefined ? [] : [[code, signalR] as const],
);
/** Of hub code's own, of another version, and a name that every object has. */
const STRANGERS = ["teapot", "code_of_another_version", "constructor"];

/** No header may have the line end that hub code puts in place of its symbol, which no user's id may have. */
const UNPRINTABLE = "a\u240ab";

/** Refuses everybody with the code that is the user's id. */
const refuse = ({ user }: Call): never => {
  throw new HubError(user?.id.replace("\u240a", "\n") ?? "", "As asked.");
};
const RefusingHub = hub("refusing", {
  authorize: refuse,
  rooms: { group: { enter: refuse } },
}).methods({});
const OpenHub = hub("open", { authorize: () => true }).methods({});
const app = endpoint(tablesOf([RefusingHub, OpenHub]), { grpc });

/** A relay that has nothing but refusals. */
const relayOf = (code: string) => ({
  refresh: async () => ({ code }),
  answer: async () => ({ fault: { code, message: "As asked." } }),
});

async function ask(code: string, path: string, init: RequestInit = {}): Promise<Response> {
  const user = path.startsWith("/hubs/open") ? "alice" : code;
  const headers = { authorization: `Bearer ${await token(user)}`, ...init.headers };
  const request = new Request(`https://edge.example${path}`, { ...init, headers });
  const relays = { getByName: () => relayOf(code) } as unknown as typeof env.RELAYS;
  return app.fetch(request, { ...env, RELAYS: relays }, createExecutionContext());
}

const json = (body: object): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const call = json({ jsonrpc: "2.0", id: 1, method: "none" });
const publish = json({ hub: "refusing", topic: "group:a", target: "x" });

/** A room's own refusal of an upgrade. */
const refusedByRoom = (code: string): Promise<Response> =>
  runInDurableObject(roomAt("chat/group:refusals"), async (object) => {
    const room = object as unknown as { begin(): Promise<unknown>; fetch: typeof fetch };
    const begin = vi.spyOn(room, "begin").mockRejectedValue(new HubError(code, "As asked."));
    const response = await room.fetch(new Request("https://room.example/"));
    begin.mockRestore();
    return new Response(await response.text(), response);
  });

const upgrading = { headers: { upgrade: "websocket" } };
const DOORS: Readonly<Record<string, (code: string) => Promise<Response> | Response>> = {
  REST: (code) => failed(new HubError(code, "As asked.")),
  "the socket of a room": (code) => ask(code, "/hubs/refusing/groups/a", upgrading),
  "the socket of a hub in JSON-RPC": (code) => ask(code, "/hubs/refusing/rpc", upgrading),
  "the socket of a hub in SignalR": (code) => ask(code, "/hubs/refusing", upgrading),
  "SignalR's negotiation": (code) => ask(code, "/hubs/refusing/negotiate", { method: "POST" }),
  "a POST of calls, before its relay": (code) => ask(code, "/hubs/refusing/rpc", call),
  "a POST of calls, at its relay": (code) => ask(code, "/hubs/open/rpc", call),
  "SignalR's refresh": (code) => {
    const id = encodeURIComponent(`${"A".repeat(22)}_zzzzzzzz_${"B".repeat(22)}@relay:any.0.0`);
    return ask(code, `/hubs/open/refresh?id=${id}`, { method: "POST" });
  },
  "a room's object": refusedByRoom,
};

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.spyOn(console, "error").mockImplementation(() => {});
  return () => vi.restoreAllMocks();
});

const refusalOf = async (response: Response) => [
  response.status,
  response.headers.get("x-dormouse-error"),
];

describe("a refusal by", () => {
  it.each(Object.entries(DOORS))(
    "%s has the status of the table, for every code",
    async (name, door) => {
      for (const code of CODES) {
        // A connection that ended while its token was refreshed is one that is not there.
        const isGone = name === "SignalR's refresh" && code === "interrupted";
        const shown = isGone ? "connection_not_found" : code;
        expect(await refusalOf(await door(code))).toEqual([ERRORS[shown].http, shown]);
      }
    },
  );

  it.each(Object.entries(DOORS))("%s says at 429 and 503 when to come back", async (_, door) => {
    const later = CODES.filter((code) => [429, 503].includes(ERRORS[code].http));
    const silent: string[] = [];
    for (const code of later)
      if (!(Number((await door(code)).headers.get("retry-after")) > 0)) silent.push(code);
    expect(silent).toEqual([]);
  });

  it.each(Object.entries(DOORS))("%s is 500 for a code without a row", async (_, door) => {
    for (const code of STRANGERS) expect(await refusalOf(await door(code))).toEqual([500, code]);
  });

  it.each(Object.entries(DOORS))("%s has a code of any text", async (_, door) => {
    expect(await refusalOf(await door(UNPRINTABLE))).toEqual([500, "a?b"]);
  });

  it("an event stream has it too, but for 429 and 503, which are a stream that ends", async () => {
    const events = { headers: { accept: "text/event-stream" } };
    for (const code of [...CODES, ...STRANGERS]) {
      const status = httpStatusOf(code);
      const response = await ask(code, "/hubs/refusing/groups/a", events);
      expect(await refusalOf(response)).toEqual([[429, 503].includes(status) ? 200 : status, code]);
    }
  });

  it("a call by POST, a socket and a HEAD have 503 as it is, whatever else they accept", async () => {
    const accept = "application/json, text/event-stream";
    const accepting = ({ headers, ...init }: RequestInit) => ({
      ...init,
      headers: { ...(headers as Record<string, string>), accept },
    });
    for (const [path, init] of [
      ["/hubs/refusing/rpc", call],
      ["/hubs/refusing/groups/a", upgrading],
      ["/hubs/refusing/groups/a", { method: "HEAD" }],
    ] as const) {
      const response = await ask("unavailable", path, accepting(init));
      expect([path, ...(await refusalOf(response))]).toEqual([path, 503, "unavailable"]);
    }
  });

  it("authentication has it too", async () => {
    for (const code of CODES) {
      const response = refusalResponse(new Refusal(code as Reason));
      expect(await refusalOf(response)).toEqual([ERRORS[code].http, code]);
    }
  });

  it("Connect has the gRPC code of the table, and UNKNOWN without a row", async () => {
    for (const code of [...CODES, ...STRANGERS]) {
      const response = await ask(code, "/dormouse.v1.Hub/Publish", publish);
      const body = await response.json<{ code: string }>();
      const row = CODES.find((known) => known === code);
      const expected = row ? ERRORS[row].grpc : Code.Unknown;
      expect([code, codeFromString(body.code)]).toEqual([code, expected]);
      expect(response.headers.get("x-dormouse-error")).toBe(code);
    }
    const { headers } = await ask(UNPRINTABLE, "/dormouse.v1.Hub/Publish", publish);
    expect(headers.get("x-dormouse-error")).toBe("a?b");
  });
});

describe("a call that fails", () => {
  it.each(CODES)("with %s has its number and its gRPC code", (code) => {
    const error = new HubError(code, "As asked.");
    const failure = { type: "failure", id: 1, error } as const;
    const row = ERRORS[code];
    expect(JSON.parse(jsonRpc.encode(failure))).toEqual({
      ...{ jsonrpc: "2.0", id: 1 },
      error: { code: row.jsonRpc, message: "As asked.", data: { code } },
    });
    expect(connectError(new CallError(code, "As asked.")).code).toBe(row.grpc);
    expect(connectError(error).code).toBe(row.grpc);
  });

  it.each(WORDED)("with %s has ASP.NET Core's sentence in SignalR", (code, sentence) => {
    const stages = ["finding", "authorising", "binding", "invoking", "streaming"] as const;
    const error = serverError(code as ErrorCode, "As asked.");
    const texts = stages.map((stage) =>
      failureText({ type: "failure", id: 1, error, target: "1", stage }),
    );
    expect(texts.join("\n")).toContain(sentence.replace(/\{\w+\}/, "1"));
  });

  it.each(STRANGERS)("with %s is hub code's own refusal", (code) => {
    const error = new HubError(code, "As asked.");
    const failure = { type: "failure", id: 1, error } as const;
    expect(JSON.parse(jsonRpc.encode(failure))).toMatchObject({ error: { code: -32000 } });
    expect(connectError(new CallError(code, "As asked.")).code).toBe(Code.FailedPrecondition);
    expect(failureText({ ...failure, target: "1" })).toBe(
      "An unexpected error occurred invoking '1' on the server. HubException: As asked.",
    );
  });
});

it("gRPC's codes are numbered as in Connect's library", () => {
  const names = Object.entries(GRPC).map(([name, code]) => [name, Code[code]?.toLowerCase()]);
  const expected = Object.keys(GRPC).map((name) => [name, name.toLowerCase()]);
  expect(names).toEqual(
    expected.map(([name, lower]) => [name, lower === "cancelled" ? "canceled" : lower]),
  );
});
