// Bad input, each with its error. A bystander in the same room hears nothing of it and misses nothing.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LIMITS } from "../../../src/model/options.ts";
import { enter, roomAt, token, upgrade, type Client } from "../client.ts";
import { range } from "../storage.ts";

const USUAL: ReadonlySet<unknown> = new Set(["$/connected", "$/presence", "userJoined", "end"]);
let client: Client;
let bystander: Client;
let room: string;
let rooms = 0;

beforeEach(async () => {
  room = `chat/group:bad ${++rooms}`;
  bystander = await enter(room, { user: "bystander" });
  client = await enter(room, { user: "client" });
});

afterEach(async () => {
  await roomAt(room).publish({ target: "end", params: "[]" });
  await bystander.heardFrame(({ method }) => method === "end");
  const strange = bystander.heard.filter(({ method }) => !USUAL.has(method));
  if (strange.length > 0) throw new Error(`The bystander heard ${JSON.stringify(strange)}`);
  bystander[Symbol.dispose]();
  client[Symbol.dispose]();
});

const call = (method: string, params: unknown = [], id: unknown = 1) =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params });
const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

describe("a connection", () => {
  it.for<[title: string, frame: string, code: string]>([
    ["no JSON", "{", "malformed"],
    ["nothing", "", "malformed"],
    ["a number", "7", "invalid_request"],
    ["an empty batch", "[]", "invalid_request"],
    ["an object without a method", '{"jsonrpc":"2.0","id":1}', "invalid_request"],
    ["another version", '{"jsonrpc":"1.0","id":1,"method":"sendToRoom"}', "invalid_request"],
    ["a method that is no string", '{"jsonrpc":"2.0","id":1,"method":7}', "invalid_request"],
    ["an unknown method", call("nobodyKnows"), "method_not_found"],
    ["the method __proto__", call("__proto__"), "method_not_found"],
    ["the method constructor", call("constructor"), "method_not_found"],
    ["the method toString", call("toString"), "method_not_found"],
    ["the method then", call("then"), "method_not_found"],
    ["an unknown word of the protocol", call("$/nothing", {}), "method_not_found"],
    ["too few arguments", call("sendToRoom", ["lobby"]), "invalid_arguments"],
    ["too many arguments", call("sendToRoom", ["lobby", "a", "b"]), "invalid_arguments"],
    ["an argument of another type", call("sendToRoom", ["lobby", 7]), "invalid_arguments"],
    [
      "an argument that is too long",
      call("sendToRoom", ["lobby", "x".repeat(4_001)]),
      "invalid_arguments",
    ],
    ["a name that is too long", call("joinRoom", ["x".repeat(129)]), "invalid_arguments"],
    ["a name with control characters", call("joinRoom", ["a\u0000b"]), "invalid_name"],
    [
      "a name with a lone surrogate",
      '{"jsonrpc":"2.0","id":1,"method":"joinRoom","params":["\\ud800"]}',
      "invalid_name",
    ],
    [
      "JSON that is too deep",
      call("sendToRoom", ["lobby", 0]).replace("0]", `${nested(LIMITS.depth)}]`),
      "too_deep",
    ],
    ["JSON of a depth that fells parsers", nested(15_000), "too_deep"],
    [
      "a frame that is too large",
      call("sendToRoom", ["lobby", "x".repeat(LIMITS.messageBytes)]),
      "too_large",
    ],
    [
      "a frame that is too large in bytes",
      call("sendToRoom", ["lobby", "日".repeat(LIMITS.messageBytes / 2)]),
      "too_large",
    ],
    [
      "a batch that is too long",
      `[${range(1, 101)
        .map((id) => call("joinRoom", ["a"], id))
        .join()}]`,
      "too_large",
    ],
  ])("survives %s, which is answered with its error", async ([, frame, code]) => {
    client.send(frame);
    const answer = await client.heardFrame(({ error }) => error !== undefined);
    expect(answer.error?.data.code).toBe(code);
    expect((await client.call("$/presence")).result.users).toBe(2);
  });

  it("survives a binary frame", async () => {
    client.socket.send(new Uint8Array([0xff, 0xfe, 0x00]));
    const answer = await client.heardFrame(({ error }) => error !== undefined);
    expect(["malformed", "invalid_request"]).toContain(answer.error?.data.code);
    expect((await client.call("$/presence")).result.users).toBe(2);
  });

  it("is let go after ten malformed frames in a row, and not before", async () => {
    for (let i = 0; i < 9; i++) client.send("{");
    expect((await client.call("$/presence")).result.users).toBe(2);
    for (let i = 0; i < 10; i++) client.send("{");
    expect((await client.closed).code).toBe(4502);
  });

  it("is answered rate_limited beyond its burst, and stays open", async () => {
    const answers = await Promise.all(range(1, 150).map(() => client.call("$/presence")));
    const refused = answers.filter(({ error }) => error?.data.code === "rate_limited").length;
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThanOrEqual(50);
    expect(client.socket.readyState).toBe(WebSocket.OPEN);
  });
});

describe("entering", () => {
  const path = async (of: string, claims: object = {}, user = "client") =>
    `${of}?access_token=${await token(user, { ...claims })}`;
  const refusal = async (url: string) => {
    const response = await upgrade(url);
    await response.text();
    return [response.status, response.headers.get("x-dormouse-error")];
  };

  it.for([
    ["an unknown hub", "/parties/nohub/group:a", 404, "hub_not_found"],
    ["the hub __proto__", "/parties/__proto__/group:a", 404, "hub_not_found"],
    ["the hub constructor", "/hubs/constructor/groups/a", 404, "hub_not_found"],
    ["an unknown kind", "/parties/chat/planet:a", 404, "room_kind_not_found"],
    ["the kind all", "/parties/chat/all", 404, "room_kind_not_found"],
    ["the kind constructor", "/hubs/chat/constructor/a", 404, "room_kind_not_found"],
    ["a name too long", `/parties/chat/group:${"x".repeat(129)}`, 400, "invalid_name"],
    ["no name", "/parties/chat/group:", 400, "invalid_name"],
    ["a name with a control character", "/parties/chat/group:a%00", 400, "invalid_name"],
    ["a name that is no UTF-8", "/parties/chat/group:%ff", 400, "invalid_name"],
    ["another user's room", "/parties/chat/user:bob", 403, "forbidden"],
    ["a room of a closed hub", "/parties/admin/group:a", 403, "forbidden"],
  ] as const)("refuses %s", async ([, of, status, code]) => {
    expect(await refusal(await path(of))).toEqual([status, code]);
  });

  it("refuses tokens that are expired, foreign, tampered with or missing", async () => {
    const of = "/parties/chat/group:a";
    const good = await path(of);
    const expired = await path(of, { exp: Math.floor(Date.now() / 1000) - 120 });
    const urls = [
      of,
      `${of}?access_token=x`,
      expired,
      good.slice(0, -4),
      `${good.slice(0, -8)}AAAAAAAA`,
    ];
    for (const url of urls) expect((await refusal(url))[0]).toBe(401);
  });
});
