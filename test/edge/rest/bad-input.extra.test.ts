// Every operation of the table against bad requests: the right status and code, and nothing said or done.

import { encode } from "@msgpack/msgpack";
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { operations } from "../../../src/edge/rest/index.ts";
import { roomAt, token } from "../../rooms/client.ts";
import { ask, ORIGIN, refusal, type Asking } from "./service.ts";

const PATH: Record<string, string> = {
  group: "lobby",
  user: "alice",
  connection: "nobody",
  stream: "s1",
  room: "group:lobby",
};

const table = operations.map((operation) => {
  const below = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => PATH[name]!);
  const query = operation.id === "execute" ? "?filter=userId%20eq%20'x'" : "";
  return { ...operation, name: `${operation.method} ${operation.path}`, at: `${below}${query}` };
});
const withBodies = table.filter(({ body }) => body !== undefined);
const strict = withBodies.filter(({ id }) => id !== "sendStreamItem");

const send = async (one: (typeof table)[number], asking: Asking = {}, hub = "chat") =>
  refusal(await ask(one.method, `/hubs/${hub}${one.at}`, asking));

describe.each(table)("$name", (one) => {
  it("is refused without a good token", async () => {
    const url = `${ORIGIN}/api/hubs/chat${one.at}`;
    const bare = await exports.default.fetch(url, { method: one.method });
    expect(await refusal(bare)).toEqual([401, "token_missing"]);
    const claims = { aud: `${ORIGIN}/api/hubs/chat/other` };
    const past = { exp: Math.floor(Date.now() / 1000) - 100 };
    const refused = [
      await send(one, { sign: { key: "another key, with its 32 bytes or more" } }),
      await send(one, { sign: { claims } }),
      await send(one, { sign: { claims: past } }),
      await send(one, { token: await token("alice", { role: "Admin" }) }),
    ];
    expect(refused).toEqual([
      [401, "token_bad_signature"],
      [401, "token_wrong_audience"],
      [401, "token_expired"],
      [403, "forbidden"],
    ]);
    const page = {
      origin: "https://evil.example",
      authorization: `Bearer ${await token("s", { role: "service" })}`,
    };
    const foreign = await exports.default.fetch(url, { method: one.method, headers: page });
    expect(await refusal(foreign)).toEqual([403, "forbidden_origin"]);
  });

  it("is of a hub that is there", async () => {
    for (const hub of ["nobody", "__proto__", "constructor", "chat%2F"])
      expect(await send(one, {}, hub)).toEqual([404, "hub_not_found"]);
  });
});

describe.each(withBodies)("the body of $name", (one) => {
  it("is JSON, of a size, and no deeper than is read", async () => {
    const deep = `${"[".repeat(100)}${"]".repeat(100)}`;
    const large = `"${"x".repeat((one.bodyBytes ?? 1024 * 1024) - 1)}"`;
    const refused = [
      await send(one, { raw: "{" }),
      await send(one, { raw: new Uint8Array([0xff, 0xfe]) }),
      await send(one, { raw: '{"__proto__":1}' }),
      await send(one, { raw: deep }),
      await send(one, { raw: large }),
      await send(one, { raw: "{}", type: "text/plain" }),
    ];
    expect(refused).toEqual([
      ...[
        [400, "malformed"],
        [400, "malformed"],
        [400, "malformed"],
      ],
      ...[
        [400, "too_deep"],
        [413, "too_large"],
        [415, "unsupported_media_type"],
      ],
    ]);
  });
});

describe.each(strict)("what $name takes", (one) => {
  it("has the members that the document names, and no others", async () => {
    for (const body of [null, 7, "x", [7], { nothing: 1 }])
      expect(await send(one, { body })).toEqual([400, "invalid_arguments"]);
  });
});

const messages = withBodies.filter(({ bodyKind }) => bodyKind === "message");

describe.each(messages)("the message of $name", (one) => {
  it("has a target that may be called, and arguments that fit", async () => {
    const bodies = [
      ...[{}, { target: "" }, { target: 7 }, { target: "$/reset" }, { target: "x".repeat(257) }],
      ...[
        { target: "t", arguments: {} },
        { target: "t", arguments: Array(101).fill(0) },
        { target: "t", more: 1 },
      ],
    ];
    for (const body of bodies)
      expect(await send(one, { body })).toEqual([400, "invalid_arguments"]);
    const large = { target: "t", arguments: ["x".repeat(256 * 1024)] };
    expect(await send(one, { body: large })).toEqual([413, "too_large"]);
    const octets = "application/octet-stream";
    for (const raw of [
      encode({}),
      encode({ json: 7 }),
      encode({ json: encode("x") }),
      new Uint8Array([0xdf, 1]),
    ])
      expect(await send(one, { raw, type: octets })).toEqual([400, "malformed"]);
  });
});

it.each<[string, string, number, string]>([
  ["GET", "/groups/g/connections?maxpagesize=0", 400, "invalid_arguments"],
  ["GET", "/groups/g/connections?maxpagesize=201", 400, "invalid_arguments"],
  ["GET", "/groups/g/connections?top=-1", 400, "invalid_arguments"],
  ["GET", "/groups/g/connections?continuationToken=x", 400, "invalid_continuation"],
  ["GET", "/groups/g/connections?continuationToken=WzFd", 400, "invalid_continuation"],
  ["GET", `/groups/${"g".repeat(129)}`, 400, "invalid_name"],
  ["GET", "/groups/%zz", 400, "invalid_name"],
  ["GET", "/groups/a%00b", 400, "invalid_name"],
  ["GET", "/connections/x%40relay%3Aany.0.0", 404, "connection_not_found"],
  ["GET", "/connections/nobody", 404, "connection_not_found"],
  ["GET", "/users/nobody", 404, "not_found"],
  ["GET", "/users/nobody/groups/g", 404, "not_found"],
  ["GET", "/groups/nobody", 404, "not_found"],
  ["GET", "/rooms/lobby/history", 404, "room_kind_not_found"],
  ["GET", "/rooms/group%3A/history", 400, "invalid_name"],
  ["GET", "/rooms/group%3Ax/history?limit=x", 400, "invalid_arguments"],
  ["GET", "/rooms/group%3Ax/history?since=x", 400, "invalid_position"],
  ["PUT", "/users/u/groups/g?ttl=-1", 400, "invalid_arguments"],
  ["POST", "/:generateToken?minutesToExpire=0", 400, "invalid_arguments"],
  ["POST", "/:generateToken?userId=guests%40192.0.2.1", 400, "invalid_name"],
  ["GET", "/nothing", 404, "not_found"],
  ["PATCH", "/groups/g", 405, "method_not_allowed"],
  ["PUT", "/users/u/groups/g?ttl=", 400, "invalid_arguments"],
])("%s %s: %d %s", async (method, path, status, code) => {
  expect(await refusal(await ask(method, `/hubs/chat${path}`))).toEqual([status, code]);
});

it.each([
  "userId",
  "userId eq",
  "eq 'a'",
  "userId eq 'a' and",
  "(userId eq 'a'",
  "userId eq 'a')",
  "name eq 'a'",
  "userId like 'a'",
  "startswith(userId)",
  "startswith(userId, 'a', 'b')",
  "'a' in users",
  "not",
  'userId eq "a"',
  "userId eq 'a'; drop",
  `${"(".repeat(40)}userId eq 'a'${")".repeat(40)}`,
  "constructor eq 'a'",
])("a filter outside the subset: %s", async (filter) => {
  const body = [{ type: "SendMessage", message: { target: "never" } }];
  const path = `/hubs/chat/:execute?filter=${encodeURIComponent(filter)}`;
  expect(await refusal(await ask("POST", path, { body }))).toEqual([400, "invalid_filter"]);
});

it("has left nothing said", async () => {
  for (const room of ["chat/all", "chat/group:lobby", "chat/user:alice"])
    expect((await roomAt(room).history({})).position.offset).toBe(0);
});
