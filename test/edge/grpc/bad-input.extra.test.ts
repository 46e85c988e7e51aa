// What does not belong into the service: each is refused with its code, nothing is left, and others go on.

import { exports } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { createClient } from "@connectrpc/connect";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "../../../src/protocols/proto/grpc/health/v1/health_pb.ts";
import { relayOf } from "../../rooms/relay/client.ts";
import { enter } from "../../rooms/client.ts";
import {
  as,
  BASE,
  clientBy,
  drained,
  emptied,
  failure,
  listen,
  PROTOCOLS,
  SERVICE,
  transport,
} from "./client.ts";
import { envelope, HUB, raw, type Raw } from "./raw.ts";
import { begun } from "./talker.ts";
import { item, list, publication, publishing, uploaded } from "./values.ts";

const codeIn = async (response: Response): Promise<[number, string]> => [
  response.status,
  (await response.json<{ code: string }>()).code,
];

const MESSAGE = JSON.stringify({
  hub: "plain",
  topic: "group:a",
  target: "said",
  arguments: ["x"],
});

const SUBSCRIPTION = '{"hub":"plain","topics":[{"topic":"group:a","position":"x"}]}';

it("takes a publish in JSON as curl sends it", async () => {
  const response = await raw(MESSAGE);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ position: expect.stringMatching(/^[0-9a-z]+:\d+$/) });
});

it.each<[string, string, Raw, [number, string]]>([
  ["an unknown method", MESSAGE, { path: `${HUB}/None` }, [404, "unimplemented"]],
  ["a body that is no JSON", "{", {}, [400, "invalid_argument"]],
  [
    "a field that there is not",
    MESSAGE.replace("arguments", "args"),
    {},
    [400, "invalid_argument"],
  ],
  ["a field of another type", '{"hub":1}', {}, [400, "invalid_argument"]],
  ["no token", MESSAGE, { user: null }, [401, "unauthenticated"]],
  [
    "a token that is none",
    MESSAGE,
    { user: null, headers: { authorization: "Bearer x" } },
    [401, "unauthenticated"],
  ],
  [
    "an origin that is not allowed",
    MESSAGE,
    { headers: { origin: "https://evil.example" } },
    [403, "permission_denied"],
  ],
  [
    "a deadline in the past",
    MESSAGE,
    { headers: { "connect-timeout-ms": "0" } },
    [504, "deadline_exceeded"],
  ],
  [
    "a deadline that is none",
    MESSAGE,
    { headers: { "connect-timeout-ms": "soon" } },
    [400, "invalid_argument"],
  ],
  [
    "another version of Connect's protocol",
    MESSAGE,
    { headers: { "connect-protocol-version": "2" } },
    [400, "invalid_argument"],
  ],
  ["compression", MESSAGE, { headers: { "content-encoding": "gzip" } }, [501, "unimplemented"]],
  ["another hub", MESSAGE.replace("plain", "none"), {}, [404, "not_found"]],
  ["another kind of room", MESSAGE.replace("group:", "x:"), {}, [404, "not_found"]],
  ["a name that is none", MESSAGE.replace("group:a", "group:"), {}, [400, "invalid_argument"]],
  ["the protocol's own words", MESSAGE.replace("said", "$/reset"), {}, [400, "invalid_argument"]],
  ["no target", MESSAGE.replace("said", ""), {}, [400, "invalid_argument"]],
  [
    "a message beyond the limit",
    MESSAGE.replace('"x"', `"${"x".repeat(40_000)}"`),
    {},
    [429, "resource_exhausted"],
  ],
  [
    "arguments that are too deep",
    MESSAGE.replace('"x"', `${"[".repeat(80)}${"]".repeat(80)}`),
    {},
    [400, "invalid_argument"],
  ],
  [
    "arguments that would exhaust the stack",
    MESSAGE.replace('"x"', `${"[".repeat(15_000)}${"]".repeat(15_000)}`),
    {},
    [400, "invalid_argument"],
  ],
])("refuses %s", async (_, body, options, expected) => {
  expect(await codeIn(await raw(body, options))).toEqual(expected);
});

it("says with 401 how to authenticate", async () => {
  const challenges = [{}, { authorization: "Bearer x" }].map(async (headers) => {
    const { status, headers: answered } = await raw(MESSAGE, { user: null, headers });
    return [status, answered.get("www-authenticate")];
  });
  expect(await Promise.all(challenges)).toEqual([
    [401, "Bearer"],
    [401, 'Bearer error="invalid_token"'],
  ]);
});

it.each([
  ["another content type", "text/plain", 415],
  ["none", "", 415],
])("refuses %s by HTTP's own status", async (_, type, status) => {
  const response = await raw(MESSAGE, { type });
  expect([response.status, await response.text()]).toEqual([
    status,
    expect.stringContaining("application/json"),
  ]);
});

it("answers gRPC-Web in base64 at once, in a form that its clients read", async () => {
  const response = await raw("AAAAAAA=", { type: "application/grpc-web-text+proto" });
  expect([response.status, response.headers.get("grpc-status")]).toEqual([200, "12"]);
  expect(response.headers.get("content-type")).toBe("application/grpc-web-text");
  expect(decodeURIComponent(response.headers.get("grpc-message")!)).toContain("binary");
});

it("refuses a session over HTTP/1.1 before its first message, where the platform says that it is", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  onTestFinished(() => writable.abort().catch(() => {}));
  const response = await raw(readable, {
    path: `${HUB}/Session`,
    type: "application/connect+json",
    cf: { httpProtocol: "HTTP/1.1" },
  });
  expect(await response.text()).toContain('"code":"unimplemented"');
});

it("says nothing in the log of what a method itself fails with", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const response = await raw(MESSAGE, { claims: {} });
  expect([response.status, response.headers.get("x-dormouse-error")]).toEqual([403, "forbidden"]);
  expect(warn).not.toHaveBeenCalled();
});

it.each(["Publish", "Subscribe"])("refuses another verb for %s", async (method) => {
  const response = await raw("", { method: "PUT", path: `${HUB}/${method}` });
  expect([response.status, await response.text()]).toEqual([405, expect.stringContaining("POST")]);
});

it("says what a stream's content type is", async () => {
  const response = await raw(SUBSCRIPTION, { path: `${HUB}/Subscribe` });
  expect([response.status, await response.text()]).toEqual([
    415,
    expect.stringContaining("application/connect+json"),
  ]);
});

it("meets what is broken in an upload after what came before it was said", async () => {
  const [one, broken] = [`{"publish":${MESSAGE}}`, "{nonsense"].map((text) => envelope(text));
  const body = new Uint8Array([...Array.from({ length: 50 }).flatMap(() => [...one!]), ...broken!]);
  using bob = await enter("plain/group:a", { user: "bob" });
  const type = "application/connect+json";
  const response = await raw(body, { path: `${HUB}/Upload`, type });
  expect(await response.text()).toContain('"code":"invalid_argument"');
  expect(bob.messages("said")).toHaveLength(50);
});

it.each(["application/grpc", "application/grpc+proto"])(
  "refuses %s as native clients understand it",
  async (type) => {
    const { status, headers } = await raw(new Uint8Array(5), { type });
    expect([status, headers.get("grpc-status"), headers.get("content-type")]).toEqual([
      200,
      "12",
      "application/grpc",
    ]);
    expect(decodeURIComponent(headers.get("grpc-message")!)).toMatch(/^Native gRPC ends with/);
  },
);

it("knows no such method in gRPC-Web, either", async () => {
  const { headers } = await raw(new Uint8Array(5), {
    path: `${HUB}/None`,
    type: "application/grpc-web+proto",
  });
  expect(headers.get("grpc-status")).toBe("12");
  // Pages read it.
  expect(headers.get("access-control-expose-headers")).toMatch(/grpc-status/i);
});

it.each([
  ["Publish", MESSAGE.replace("plain", "none"), { status: 404, code: "hub_not_found" }],
  ["Invoke", '{"hub":""}', { status: 400, code: "invalid_arguments" }],
  ["Subscribe", SUBSCRIPTION, { status: 400, code: "invalid_position" }],
])("says in the log why a %s was refused", async (method, message, why) => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const path = `${HUB}/${method}`;
  const [type, body] =
    method === "Subscribe"
      ? ["application/connect+json", envelope(message)]
      : ["application/json", message];
  await (await raw(body, { path, type, claims: {} })).text();
  expect(warn.mock.calls.map(([text]) => JSON.parse(text as string))).toMatchObject([
    { event: "refused", method: "POST", path, ...why },
  ]);
});

describe.each([
  ["Subscribe", '{"hub":"plain","topics":[{"topic":"group:a"}]}'],
  ["Upload", MESSAGE],
])("%s", (method, message) => {
  const stream = { path: `${HUB}/${method}`, type: "application/connect+json" };
  const BOMB = { "connect-content-encoding": "gzip" };

  it.each<[string, Uint8Array<ArrayBuffer>, Record<string, string>, string]>([
    ["a message that is cut off", envelope(message, 0, 5_000), {}, "invalid_argument"],
    ["a length beyond the limit", envelope(message, 0, 0xffff_ffff), {}, "resource_exhausted"],
    ["a message that is no JSON", envelope("{"), {}, "invalid_argument"],
    ["compression", envelope(message, 1), BOMB, "unimplemented"],
    ["a compressed message where nothing was said of it", envelope(message, 1), {}, "internal"],
    [
      "a deadline in the past",
      envelope(message),
      { "connect-timeout-ms": "0" },
      "deadline_exceeded",
    ],
  ])("refuses %s", async (_, body, headers, code) => {
    const response = await raw(body, { ...stream, headers });
    const text = await response.text();
    expect([response.status, text]).toEqual([200, expect.stringContaining(`"code":"${code}"`)]);
  });

  it("refuses who has no token before it reads", async () => {
    const response = await raw(envelope(message), { ...stream, user: null });
    expect(await response.text()).toContain('"code":"unauthenticated"');
  });
});

describe.each(PROTOCOLS)("over %s", (protocol) => {
  const client = clientBy(protocol);

  it.each<[string, object, [string, string?]]>([
    ["no topics", { topics: [] }, ["InvalidArgument", "invalid_arguments"]],
    ["the whole hub", { topics: [{ topic: "all" }] }, ["PermissionDenied", "forbidden"]],
    [
      "a room of another user",
      { topics: [{ topic: "user:bob" }] },
      ["PermissionDenied", "forbidden"],
    ],
    [
      "a topic twice",
      { topics: [{ topic: "group:a", position: "e:1" }, { topic: "group:a" }] },
      ["InvalidArgument", "invalid_arguments"],
    ],
    ["a topic without a kind", { topics: [{ topic: "a" }] }, ["NotFound", "room_kind_not_found"]],
    [
      "a position that is none",
      { topics: [{ topic: "group:a", position: "x" }] },
      ["InvalidArgument", "invalid_position"],
    ],
    [
      "too many topics",
      { topics: Array.from({ length: 21 }, (_, n) => ({ topic: `group:${n}` })) },
      ["ResourceExhausted", "too_many_groups"],
    ],
  ])("refuses to listen to %s", async (_, request, expected) => {
    const stream = client.subscribe({ hub: "plain", ...request }, await as("alice"));
    expect(await failure(drained(stream))).toEqual(expected);
  });

  it("tells what of an upload failed, and says the rest", async () => {
    async function* said() {
      yield uploaded("group:mixed", "one");
      yield uploaded("nothing:mixed", "two");
      const deep = list([Array.from({ length: 70 }).reduce((within) => [within], 1)] as never);
      yield publishing({ ...publication("group:mixed", "three"), arguments: deep });
      yield uploaded("group:mixed", "four", "counts");
      yield publishing({ ...publication("group:mixed", "five"), target: "" });
      yield item(1) as never;
      yield uploaded("lobby", "seven");
      yield uploaded("group:mixed", "eight", "PLAIN");
    }
    const summary = await client.upload(said(), await as("s", SERVICE));
    expect([summary.accepted, summary.failed]).toEqual([2, 6]);
    expect(summary.failures.map(({ index, code }) => [index, code])).toEqual([
      [1, "room_kind_not_found"],
      [2, "too_deep"],
      [3, "invalid_arguments"],
      [4, "invalid_arguments"],
      [5, "invalid_arguments"],
      [6, "room_kind_not_found"],
    ]);
  });

  it("keeps tenants apart", async () => {
    const topic = `group:tenant-${protocol}`;
    const request = { hub: "plain", topics: [{ topic }] };
    await using other = await listen(request, { claims: { tid: "other" }, protocol });
    await using own = await listen(request, { protocol });
    await Promise.all([other.told(), own.told()]);
    await client.publish(publication(topic, "ours"), await as("s", SERVICE));
    await client.publish(publication(topic, "theirs"), await as("s", { ...SERVICE, tid: "other" }));
    expect([(await own.told())[3], (await other.told())[3]]).toEqual([["ours"], ["theirs"]]);
  });

  it("gives a call up when its deadline comes", async () => {
    const options = { ...(await as("alice")), timeoutMs: 100 };
    const work = client.invoke(
      { hub: "slow", method: "hold", arguments: list(["never"]) },
      options,
    );
    expect((await failure(work))[0]).toBe("DeadlineExceeded");
  });

  it("ends a stream when its deadline comes, with nothing left behind", async () => {
    const topic = `group:late-${protocol}`;
    const request = { hub: "plain", topics: [{ topic }] };
    const stream = client.subscribe(request, { ...(await as("alice")), timeoutMs: 300 });
    expect((await failure(drained(stream)))[0]).toBe("DeadlineExceeded");
    await emptied(`plain/${topic}`);
  });
});

it("answers health checks to everybody", async () => {
  const health = createClient(Health, transport());
  expect((await health.check({ service: "dormouse.v1.Hub" })).status).toBe(Status.SERVING);
  expect(await failure(health.check({ service: "none" }))).toEqual(["NotFound", "not_found"]);
  expect((await failure(drained(health.watch({}))))[0]).toBe("Unimplemented");
});

it("says what came of an upload whose caller vanishes, and no more", async () => {
  using bob = await enter("plain/group:vanished", { user: "bob" });
  const abort = new AbortController();
  async function* said() {
    yield uploaded("group:vanished", "one");
    await new Promise(() => {});
  }
  const work = clientBy().upload(said(), { ...(await as("s", SERVICE)), signal: abort.signal });
  const outcome = failure(work);
  expect((await bob.next((frame) => frame.method === "said")).params).toEqual(["one"]);
  abort.abort();
  expect((await outcome)[0]).toBe("Canceled");
});

it("lets go of a session whose caller vanishes", async () => {
  const talk = await begun("plain");
  const id = talk.connectionId;
  const isThere = () =>
    runInDurableObject(relayOf("plain", id), (object) => {
      const { parts } = object as unknown as { parts: { connections: Map<string, unknown> } };
      return parts.connections.get(id) !== undefined;
    });
  expect(await isThere()).toBe(true);
  talk[Symbol.dispose]();
  while (await isThere()) await scheduler.wait(1);
});

it("lets pages of other origins ask before they call, where those are allowed", async () => {
  const response = await exports.default.fetch(`${BASE}${HUB}/Publish`, {
    method: "OPTIONS",
    headers: { origin: "https://evil.example", "access-control-request-headers": "authorization" },
  });
  expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([
    204,
    null,
  ]);
});
