// Numbers that a JavaScript number cannot hold, at every door that takes JSON or MessagePack: exact, or refused by
// name, and never another number.

import { encode } from "@msgpack/msgpack";
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { enter, roomAt, token } from "../rooms/client.ts";
import { ask } from "./rest/service.ts";

const DIGITS = "9007199254740993";
const LARGE = "Argument 1: A number is beyond those of 64-bit floating point.";

/** The text of an answer to JSON-RPC over HTTP. */
async function call(method: string, params: string, hub = "values", claims = {}): Promise<string> {
  const response = await exports.default.fetch(`https://edge.example/hubs/${hub}/rpc`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${await token("alice", claims)}`,
    },
    body: `{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`,
  });
  return response.text();
}

const errorOf = async (...asked: Parameters<typeof call>) => {
  const { error } = JSON.parse(await call(...asked));
  return [error.data.code, error.message];
};

describe("a call in JSON-RPC", () => {
  it.each([
    ["int64", DIGITS],
    ["int64", "42"],
    ["int64", "-9223372036854775808"],
    ["uint64", "18446744073709551615"],
    ["anything", `{"a":[${DIGITS}]}`],
    ["anything", "10000000000000000"],
    ["double", "1e+300"],
    ["int32", "42"],
  ])("%s keeps all digits of %s", async (method, value) => {
    expect(await call(method, `[${value}]`)).toBe(`{"jsonrpc":"2.0","id":1,"result":${value}}`);
  });

  it.each([
    ["decimal", `[${DIGITS}]`, expect.stringMatching(/^Argument 1: .*number.*bigint/)],
    ["int64", "[1.5]", expect.stringMatching(/^Argument 1: .*bigint.*number/)],
    ["int64", '["42"]', expect.stringMatching(/^Argument 1: .*bigint.*string/)],
    [
      "sample",
      `[{"title":"a","count":${DIGITS}}]`,
      expect.stringMatching(/^Argument 1 \(count\): /),
    ],
    ["double", "[1e400]", LARGE],
    ["double", "[-1e400]", LARGE],
    ["anything", '[{"a":[1,1e400]}]', LARGE.replace(":", " (a.1):")],
  ])("%s refuses %s by name", async (method, params, message) => {
    expect(await errorOf(method, params)).toEqual(["invalid_arguments", message]);
  });

  it("refuses a named argument likewise", async () => {
    expect(await errorOf("add", '{"a":1e400,"b":1}', "calculator")).toEqual([
      "invalid_arguments",
      LARGE.replace(":", " (a):"),
    ]);
    expect(await errorOf("add", `{"a":${DIGITS},"b":1}`, "calculator")).toEqual([
      "invalid_arguments",
      expect.stringMatching(/^Argument 1 "a": .*bigint/),
    ]);
  });

  it("publishes them with their digits, and what has no form in JSON not at all", async () => {
    using alice = await enter("plain/group:exact", { claims: { caps: [PUBLISHER] } });
    const publish = async (value: string) => {
      alice.socket.send(
        `{"jsonrpc":"2.0","id":"${value}","method":"$/publish","params":{"method":"said","params":[${value}]}}`,
      );
      return (await alice.next(({ id }) => id === value)).error?.data.code;
    };
    expect(await publish(DIGITS)).toBeUndefined();
    expect(alice.frames.join()).toContain(`"params":[${DIGITS}]`);
    expect(await publish("1e400")).toBe("invalid_arguments");
    expect(await publish(`${DIGITS}${DIGITS}`)).toBe("invalid_arguments");
  });

  it("keeps no state that it would have to change", async () => {
    using alice = await enter("presence/group:exact");
    alice.socket.send(
      `{"jsonrpc":"2.0","id":7,"method":"$/track","params":{"state":{"at":${DIGITS}}}}`,
    );
    const { error } = await alice.next(({ id }) => id === 7);
    expect([error!.data.code, error!.message]).toEqual([
      "invalid_arguments",
      expect.stringMatching(/^Params \(state\): a number beyond 2\^53 is not kept/),
    ]);
  });
});

const PUBLISHER = { channels: ["group:exact"], allow: ["sub", "pub"] };

describe("a service", () => {
  const publish = (room: string, raw: BodyInit, type?: string) =>
    ask("POST", `/hubs/plain/rooms/${room}/:publish`, { raw, ...(type && { type }) });
  const history = async (room: string) =>
    (await ask("GET", `/hubs/plain/rooms/${room}/history`)).text();

  it.each([DIGITS, "18446744073709551615", '{"a":-9223372036854775808}'])(
    "publishes %s with all its digits",
    async (value) => {
      const room = `group:rest-${DIGITS.length}-${value.length}`;
      const answer = await publish(room, `{"target":"said","arguments":[${value}]}`);
      expect(answer.status).toBe(200);
      expect(await history(room)).toContain(`[${value}]`);
    },
  );

  it("sends them to a group, in JSON and in MessagePack", async () => {
    using alice = await enter("plain/group:sent");
    const send = (raw: BodyInit, type?: string) =>
      ask("POST", "/hubs/plain/groups/sent/:send", { raw, ...(type && { type }) });
    expect((await send(`{"target":"said","arguments":[${DIGITS}]}`)).status).toBe(202);
    const packed = { target: "said", arguments: [BigInt(DIGITS)] };
    const bytes = encode(packed, { useBigInt64: true });
    expect((await send(bytes, "application/x-msgpack")).status).toBe(202);
    await alice.said("said");
    await alice.said("said");
    expect(alice.frames.join().split(`[${DIGITS}]`)).toHaveLength(3);
  });

  it.each([
    ['{"target":"said","arguments":[1e400]}', "body.arguments.0: A number is beyond"],
    [`{"target":"said","arguments":[${DIGITS}${DIGITS}]}`, "A whole number of more than 64 bits"],
  ])("is refused for %s", async (body, sentence) => {
    const answer = await publish("group:rest-refused", body);
    expect([answer.status, answer.headers.get("x-dormouse-error")]).toEqual([
      400,
      "invalid_arguments",
    ]);
    expect(await answer.text()).toContain(sentence);
  });

  it("is refused for NaN of MessagePack, and for a large number in place of a small one", async () => {
    const bytes = encode({ target: "said", arguments: [NaN] });
    const answer = await ask("POST", "/hubs/plain/groups/sent/:send", {
      ...{ raw: bytes, type: "application/x-msgpack" },
    });
    expect([answer.status, answer.headers.get("x-dormouse-error")]).toEqual([
      400,
      "invalid_arguments",
    ]);
    const ban = await ask("POST", "/hubs/plain/users/nobody/:ban", {
      raw: `{"seconds":${DIGITS}}`,
    });
    expect([ban.status, await ban.text()]).toEqual([400, expect.stringContaining("body.seconds")]);
  });
});

it("an event stream has all their digits", async () => {
  const response = await exports.default.fetch(
    `https://edge.example/hubs/plain/groups/streamed?access_token=${await token("alice")}`,
    { headers: { accept: "text/event-stream" } },
  );
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const until = async (part: string) => {
    while (!text.includes(part)) text += (await reader.read()).value;
  };
  await until("event: connected");
  await roomAt("plain/group:streamed").publish({ target: "said", params: `[${DIGITS}]` });
  await until("event: said");
  await until("\n\n");
  expect(text).toContain(`data: [${DIGITS}]`);
  await reader.cancel();
});
