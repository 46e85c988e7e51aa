// Values of actions: digits, and what .NET's types look like in each protocol.

import { ExtData } from "@msgpack/msgpack";
import { describe, expect, it } from "vitest";
import { ask } from "../../edge/rest/service.ts";
import { Client, token, upgrade } from "../client.ts";
import { connected } from "../relay/client.ts";
import { packed } from "../relay/packed.ts";

const HUB = "state-values";
const LARGE = "9007199254740993";
const RUN = `/hubs/${HUB}/rooms/group%3Ag/:run/int64`;

async function hubSocket(): Promise<Client> {
  const response = await upgrade(`/hubs/${HUB}/rpc?access_token=${await token("alice")}`);
  return new Client(response.webSocket!);
}

/** What came that has this id, as text. */
async function frameOf(client: Client, request: string, id: string): Promise<string> {
  client.socket.send(request);
  await expect.poll(() => client.frames.some((frame) => frame.includes(id))).toBe(true);
  return client.frames.find((frame) => frame.includes(id))!;
}

it("an action's result keeps its digits in JSON-RPC, SignalR and REST", async () => {
  using rpc = await hubSocket();
  const named = `{"jsonrpc":"2.0","id":"named","method":"int64","params":["g",${LARGE}]}`;
  expect(await frameOf(rpc, named, '"named"')).toContain(`"result":${LARGE}`);
  const params = `{"room":"group:g","action":"int64","params":[${LARGE}]}`;
  const run = `{"jsonrpc":"2.0","id":"run","method":"$/run","params":${params}}`;
  expect(await frameOf(rpc, run, '"run"')).toContain(`"result":{"result":${LARGE},`);
  using json = await connected(HUB);
  const call = `{"type":1,"invocationId":"1","target":"Int64","arguments":["g",${LARGE}]}\u001e`;
  json.socket.send(call);
  await json.record(({ type }) => type === 3);
  expect(json.frames.join("")).toContain(`"result":${LARGE}`);
  using bob = await packed(HUB);
  expect(await bob.call("Int64", "g", BigInt(LARGE))).toBe(BigInt(LARGE));
  const rest = await ask("POST", RUN, { raw: `{"arguments":[${LARGE}]}` });
  expect(await rest.text()).toContain(`"result":${LARGE},`);
});

it("an action takes a small whole number for a bigint, whoever runs it", async () => {
  using rpc = await hubSocket();
  expect((await rpc.call("int64", ["g", 5])).result).toBe(5);
  expect((await rpc.call("run", ["g", 5])).result).toBe(5);
  const run = { room: "group:g", action: "int64", params: [-5] };
  expect((await rpc.call("$/run", run)).result.result).toBe(-5);
  const rest = await ask("POST", RUN, { raw: '{"arguments":[5]}' });
  expect([rest.status, await rest.json()]).toMatchObject([200, { result: 5 }]);
  expect((await rpc.call("int64", ["g", 1.5])).error?.data.code).toBe("invalid_arguments");
});

it("an action takes a double beyond 2⁵³ for a number, whoever runs it", async () => {
  using rpc = await hubSocket();
  expect((await rpc.call("decimal", ["g", 1e18])).result).toBe(1e18);
  const path = `/hubs/${HUB}/rooms/group%3Ag/:run/decimal`;
  const rest = await ask("POST", path, { raw: '{"arguments":[1e18]}' });
  expect([rest.status, await rest.json()]).toMatchObject([200, { result: 1e18 }]);
  using json = await connected(HUB);
  expect((await json.call("Decimal", "g", 1e18)).result).toBe(1e18);
});

it("an action takes the values of .NET's types from MessagePack, a decimal's text among them", async () => {
  using bob = await packed(HUB);
  const at = new Date("2026-01-02T03:04:05.678Z");
  expect(await bob.call("DateTime", "g", at)).toBe(at.toISOString());
  expect(await bob.call("Bytes", "g", Uint8Array.of(1, 2, 3))).toBe("AQID");
  for (const [text, number] of [
    ["12.50", 12.5],
    ["1234", 1234],
    ["-7", -7],
  ] as const)
    expect(await bob.call("Decimal", "g", text)).toBe(number);
  using json = await connected(HUB);
  expect((await json.call("Decimal", "g", "12.5")).error).toMatch(/^(An|Failed)/);
});

it("a client's answer may be a decimal of MessagePack", async () => {
  using bob = await packed(HUB);
  const result = bob.call("Ask");
  const [, , id] = await bob.find(([, , , target]) => target === "Price");
  bob.say([3, {}, id, 3, "12.50"]);
  expect(await result).toBe(12.5);
});

describe("an action that cannot bind its arguments fails in ASP.NET's words", () => {
  const failed = (target: string) => `Failed to invoke '${target}' due to an error on the server.`;
  const unbound =
    "InvalidDataException: Error binding arguments. Make sure that the types of the provided values match the types of the hub method being invoked.";

  it("without the schema's own, which may reveal more than its author intends", async () => {
    using json = await connected(HUB);
    expect((await json.call("Decimal", "g", "x")).error).toBe(failed("Decimal"));
    expect((await json.call("Decimal", "g", 1, 2)).error).toBe(failed("Decimal"));
    using bob = await packed(HUB);
    expect(await bob.call("Decimal", "g", new ExtData(5, Uint8Array.of(1)))).toBe(
      failed("Decimal"),
    );
    expect(await bob.call("Anything", "g", Number.NaN)).toBe(failed("Anything"));
  });

  it("with details where the hub shows them", async () => {
    using json = await connected(`${HUB}-detailed`);
    expect((await json.call("Decimal", "g", "x")).error).toMatch(
      `${failed("Decimal")} ${unbound} Argument 1: `,
    );
    expect((await json.call("Decimal", "g", 1, 2)).error).toBe(
      `${failed("Decimal")} InvalidDataException: Invocation provides 2 argument(s) but target expects 1.`,
    );
    const call = `{"type":1,"invocationId":"1","target":"Decimal","arguments":["g",1e400]}\u001e`;
    json.socket.send(call);
    const { error } = await json.record(({ invocationId }) => invocationId === "1");
    expect(error).toMatch(`${failed("Decimal")} ${unbound} `);
    using bob = await packed(`${HUB}-detailed`);
    expect(await bob.call("Anything", "g", Number.NaN)).toBe(
      `${failed("Anything")} ${unbound} NaN cannot be sent: JSON has no such number.`,
    );
  });

  it("but one that throws the same code has thrown", async () => {
    using json = await connected(HUB);
    expect((await json.call("Refuse", "g")).error).toBe(
      "An unexpected error occurred invoking 'Refuse' on the server. HubException: Not these.",
    );
  });

  it("as where it is called as a stream", async () => {
    using json = await connected(HUB);
    json.say({ type: 4, invocationId: "s", target: "Refuse", arguments: ["g"] });
    expect((await json.record(({ type }) => type === 3)).error).toBe(
      "The client attempted to invoke the non-streaming 'Refuse' method with a streaming invocation.",
    );
  });
});
