// Keys, targets, bodies, queries and ids in odd forms: each door takes or refuses them as the others do.

import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { backend } from "../../src/client/backend/index.ts";
import { hubContext, type EndpointEnv } from "../../src/server.ts";
import { ZERO_COUNTERS } from "../../src/rooms/observe/counters.ts";
import { Client, enter, roomAt, token, upgrade } from "../rooms/client.ts";
import { as, clientBy, failure, SERVICE } from "./grpc/client.ts";
import { envelope, HUB as GRPC, raw } from "./grpc/raw.ts";
import { publication } from "./grpc/values.ts";
import { ParityHub } from "../support/parity-hub.ts";
import { ask, KEY, ORIGIN, refusal, type Asking } from "./rest/service.ts";
import { listen } from "./sse/listener.ts";

beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

async function post(body: BodyInit): Promise<string | undefined> {
  const response = await exports.default.fetch("https://edge.example/hubs/plain/rpc", {
    ...{ method: "POST", body },
    headers: {
      authorization: `Bearer ${await token("alice", SERVICE)}`,
      "content-type": "application/json",
    },
  });
  return (await response.json<{ error?: { data: { code: string } } }>()).error?.data.code;
}

const call = (method: string, params: unknown, more: object = {}) =>
  post(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params, ...more }));

async function rest(path: string, asking: Asking): Promise<string | undefined> {
  const response = await ask("POST", `/hubs/plain${path}`, asking);
  return response.ok ? undefined : ((await refusal(response))[1] ?? "?");
}

async function grpc(more: object): Promise<string | undefined> {
  const request = { ...publication("group:odd", "x"), ...more };
  const published = clientBy().publish(request, await as("alice", SERVICE));
  return published.then(
    () => undefined,
    async () => (await failure(published))[1],
  );
}

type Doors = Readonly<Record<string, (value: string) => Promise<string | undefined>>>;

/** What the doors answer: undefined, or the code of a refusal. */
async function answers(doors: Doors, value: string): Promise<Record<string, string | undefined>> {
  const all: Record<string, string | undefined> = {};
  for (const [name, open] of Object.entries(doors)) all[name] = await open(value);
  return all;
}

describe("an idempotency key", () => {
  const KEYED: Doors = {
    "a call": (idempotencyKey) => call("sayOrder", ["odd", "x"], { idempotencyKey }),
    "$/publish": (idempotencyKey) =>
      call("$/publish", { room: "group:odd", method: "said", idempotencyKey }),
    REST: (key) =>
      rest("/rooms/group%3Aodd/:publish", { body: { target: "said", idempotency_key: key } }),
    gRPC: (idempotencyKey) => grpc({ idempotencyKey }),
  };
  const none = { "a call": undefined, "$/publish": undefined, REST: undefined, gRPC: undefined };

  it.each(["🐭".repeat(256), "e\u0301", "__proto__", "a\0\n", "\u202e"])(
    "%j is one",
    async (key) => {
      expect(await answers(KEYED, key)).toEqual(none);
    },
  );

  it("of more than 256 characters is none", async () => {
    expect(await answers(KEYED, "🐭".repeat(257))).toEqual({
      ...{ "a call": "invalid_request", "$/publish": "invalid_arguments" },
      ...{ REST: "invalid_arguments", gRPC: "invalid_arguments" },
    });
  });
});

describe("a target", () => {
  const TARGETED: Doors = {
    "$/publish": (method) => call("$/publish", { room: "group:odd", method }),
    "REST, a room": (target) => rest("/rooms/group%3Aodd/:publish", { body: { target } }),
    "REST, a group": (target) => rest("/groups/odd/:send", { body: { target } }),
    ":execute": (target) =>
      rest("/:execute", { body: [{ type: "SendMessage", message: { target } }] }),
    gRPC: (target) => grpc({ target }),
  };

  it.each<[string, string | undefined]>([
    ["t".repeat(256), undefined],
    ["t".repeat(257), "invalid_arguments"],
    ["$/presence", "invalid_arguments"],
    ["", "invalid_arguments"],
    ["constructor", undefined],
  ])("%j", async (target, code) => {
    const all = Object.keys(TARGETED).map((door) => [door, code]);
    expect(await answers(TARGETED, target)).toEqual(Object.fromEntries(all));
  });
});

describe("a body that is not UTF-8 is refused", () => {
  const bytes = (text: string) =>
    Uint8Array.from(text, (char) => char.charCodeAt(0)) as Uint8Array<ArrayBuffer>;
  const VALUE = '"a\xffb"';

  it("by JSON-RPC and REST", async () => {
    const params = `{"room":"group:odd","method":"said","params":[${VALUE}]}`;
    const body = bytes(`{"jsonrpc":"2.0","id":1,"method":"$/publish","params":${params}}`);
    expect(await post(body)).toBe("malformed");
    const message = bytes(`{"target":"said","arguments":[${VALUE}]}`);
    expect(await rest("/groups/odd/:send", { raw: message })).toBe("malformed");
  });

  it("by Connect in JSON, as a call and as a stream", async () => {
    const room = '{"hub":"plain","topic":"group:odd","target":"said"';
    const unary = await raw(bytes(`${room},"arguments":[${VALUE}]}`));
    expect([unary.status, await unary.json()]).toMatchObject([400, { code: "invalid_argument" }]);
    const path = `${GRPC}/Upload`;
    const message = envelope(bytes(`{"publish":${room},"arguments":[${VALUE}]}}`));
    const upload = await raw(message, { path, type: "application/connect+json" });
    expect(await upload.text()).toContain("invalid_argument");
  });
});

describe("a value of a service", () => {
  const SERVICES = {
    backend: backend<typeof ParityHub>({
      url: `${ORIGIN}/hubs/parity`,
      accessKey: KEY,
      fetcher: exports.default,
    }),
    hubContext: hubContext(env as unknown as EndpointEnv, ParityHub),
  };
  const publishBy = async (name: keyof typeof SERVICES, value: unknown) => {
    const position = await SERVICES[name].publish("group:odd", "said", [value as string]);
    const [epoch = "", offset] = position.split(":");
    const since = { epoch, offset: Number(offset) - 1 };
    return (await roomAt("parity/group:odd").history({ since })).entries[0]!.params;
  };

  it.each(["backend", "hubContext"] as const)(
    "keeps its digits, or is refused, by %s",
    async (name) => {
      expect(await publishBy(name, 2n ** 53n + 1n)).toBe("[9007199254740993]");
      for (const value of [NaN, -Infinity, 2n ** 64n, JSON.parse('{"__proto__":1}')])
        await expect(publishBy(name, value)).rejects.toMatchObject({ code: "invalid_arguments" });
    },
  );
});

describe("a query", () => {
  const said = () => roomAt("plain/group:odd").publish({ target: "said", params: "[]" });

  it("is read alike by a room and a hub: any case, and the last of repeated ones", async () => {
    const { epoch, offset } = await said();
    const query = `since=none:1&Since=${epoch}:${offset}&access_token=${await token("alice")}`;
    const { webSocket } = await upgrade(`/hubs/plain/groups/odd?${query}`);
    using client = new Client(webSocket!);
    expect((await client.next()).params.recovered).toBe(true);
  });

  it("may repeat ?rooms=, and ids may have a name in another form", async () => {
    const { epoch, offset } = await roomAt("plain/group:é").publish({
      target: "said",
      params: "[]",
    });
    const id = encodeURIComponent(`group%3Ae%CC%81=${epoch}:${offset}`);
    const rooms = "rooms=group:f,&rooms=group:e%CC%81";
    const { next } = await listen(`/hubs/plain/groups/odd?${rooms}&lastEventId=${id}`);
    await next(({ event, data }) => event === "connected" && data.room === "group:f");
    const resumed = await next(({ data }) => data.room === "group:é");
    expect(resumed.event).toBe("recovered");
  });

  it("does not resume by a room that is none", async () => {
    const path = `/hubs/plain/groups/odd?lastEventId=${encodeURIComponent("lobby=a:1")}`;
    expect((await listen(path)).response.headers.get("x-dormouse-error")).toBe("invalid_position");
  });
});

describe("a name in another form than NFC", () => {
  const NFD = "zoe\u0308";
  const sign = { claims: { tid: "odd" } };

  it("selects connections", async () => {
    using zoe = await enter("plain/group:zoë", { user: "zoë", claims: { tid: "odd" } });
    const filter = encodeURIComponent(`userId eq '${NFD}' and '${NFD}' in groups`);
    const body = [{ type: "CloseConnection" }];
    expect(await rest(`/:execute?filter=${filter}`, { body, sign })).toBeUndefined();
    expect((await zoe.closed).code).toBe(4510);
  });

  it("begins the names of rooms", async () => {
    const figures = { sockets: 0, connections: 0, users: 0, wake: "w" };
    const counters = { counted: ZERO_COUNTERS, before: ZERO_COUNTERS };
    await roomAt("plain/all", "odd").report("group:zoë-1", { ...figures, ...counters });
    const path = `/hubs/plain/rooms?prefix=${encodeURIComponent(`group:${NFD}-`)}`;
    const { rooms } = await (await ask("GET", path, { sign })).json<{ rooms: object[] }>();
    expect(rooms).toMatchObject([{ room: "group:zoë-1" }]);
  });

  it("stands for the room of another kind as far as it is a name", async () => {
    const roomOf = async (path: string) => {
      const response = await ask("POST", `/hubs/parity${path}`, { body: { target: "said" } });
      return response.ok || (await refusal(response))[1];
    };
    const long = `order-${"4".repeat(128)}`;
    for (const path of [`/groups/${long}/:send`, `/rooms/group%3A${long}/:publish`])
      expect(await roomOf(path)).toBe("invalid_name");
  });
});

it("an account of guests is that of any address of its network, however it is written", async () => {
  const from = (address: string) => ({ "cf-connecting-ip": address });
  const statusOf = async () => {
    const { status, webSocket } = await upgrade("/hubs/guests/groups/odd", from("2001:db8:5:6::9"));
    webSocket?.accept();
    webSocket?.close();
    return status;
  };
  const user = encodeURIComponent("guests@2001:0DB8:5:6:7:8:9:A");
  const ban = (what: string, body?: object) =>
    ask("POST", `/hubs/guests/users/${user}/${what}`, body ? { body } : {});
  expect((await ban(":ban", { seconds: 60 })).status).toBe(204);
  expect(await statusOf()).toBe(403);
  expect((await ban(":unban")).status).toBe(204);
  expect(await statusOf()).toBe(101);
});
