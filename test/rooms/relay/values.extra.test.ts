// Values of SignalR clients through the objects: a value that cannot be read or sent fails its call, and the connection
// lives; what one protocol knows, another's clients receive in their form.

import { expect, it } from "vitest";
import { signalrMsgpack } from "../../../src/protocols/signalr-msgpack.ts";
import { connected, type SignalR } from "./client.ts";
import { packed } from "./packed.ts";

const RS = "\u001e";

let calls = 0;

/** A call whose arguments are JSON text, since `JSON.stringify` could not write them. */
async function callText(client: SignalR, target: string, args: string) {
  const invocationId = `text-${calls++}`;
  client.socket.send(
    `{"type":1,"invocationId":"${invocationId}","target":"${target}","arguments":[${args}]}${RS}`,
  );
  return client.record((one) => one.type === 3 && one.invocationId === invocationId);
}

const failed = (target: string) => `Failed to invoke '${target}' due to an error on the server.`;

it("a value that cannot be read fails its call, as ASP.NET says it", async () => {
  using client = await connected("signalr");
  for (const value of ['{"__proto__":1}', "1e400", '{"a":[{"\\u005f_proto__":1}]}'])
    expect(await callText(client, "Echo", value)).toMatchObject({ error: failed("Echo") });
  using detailed = await connected("signalr-detailed");
  const { error = "" } = await callText(detailed, "Echo", "1e400");
  const unbound = `${failed("Echo")} InvalidDataException: Error binding arguments. Make sure that the types of the provided values match the types of the hub method being invoked. `;
  expect([error.slice(0, unbound.length), error.length > unbound.length]).toEqual([unbound, true]);
  expect((await client.call("Echo", "alive")).result).toBe("alive");
});

it("names are as long as messages allow, and no method has an empty one", async () => {
  using client = await connected("signalr");
  const long = "x".repeat(500);
  for (const target of ["", long])
    expect((await client.call(target)).error).toBe(
      `${failed(target)} HubException: Method does not exist.`,
    );
  client.say({ type: 1, invocationId: long, target: "Sum", arguments: [], streamIds: [long] });
  for (const item of [1, 2]) client.say({ type: 2, invocationId: long, item });
  client.say({ type: 3, invocationId: long });
  expect((await client.record((one) => one.invocationId === long)).result).toBe(3);
});

it("plain calls may share an id, as in clients that number all calls alike; streams may not", async () => {
  using client = await connected("signalr");
  const same = { type: 1, invocationId: "same" };
  client.say({ ...same, target: "Ask", arguments: ["first?"] });
  const { invocationId } = await client.record((one) => one.target === "Confirm");
  client.say({ ...same, target: "Echo", arguments: [2] });
  await client.record((one) => one.invocationId === "same" && one.result === 2);
  client.say({ type: 3, invocationId, result: true });
  await client.record((one) => one.invocationId === "same" && one.result === true);
  const stream = { type: 4, invocationId: "s", target: "Counter" };
  client.say({ ...stream, arguments: [100, 20] });
  await client.record((one) => one.type === 2);
  client.say({ ...stream, arguments: [1, 0] });
  const refused = await client.record((one) => one.error !== undefined);
  expect(refused).toMatchObject({
    invocationId: "s",
    error: "Invocation ID 's' is already in use.",
  });
  client.say({ type: 5, invocationId: "s" });
  await client.record((one) => one.type === 3 && one.invocationId === "s" && !one.error);
});

it("digits survive a room: JSON has them as text of a number, and a bigint in hub code", async () => {
  using client = await connected("values");
  for (const digits of ["9007199254740993", "-9223372036854775808", "18446744073709551615"]) {
    client.frames.length = 0;
    await callText(client, "Int64", digits);
    const frames = client.frames.join("");
    expect(frames).toContain(`"target":"Shown","arguments":[${digits}]`);
    expect(frames).toContain(`"result":${digits}`);
  }
  expect((await callText(client, "Int64", "184467440737095516150")).error).toBe(
    "An unexpected error occurred invoking 'Int64' on the server.",
  );
  expect((await callText(client, "Double", "9007199254740993")).error).toBe(failed("Double"));
});

it("members are found whatever their case; an exact name counts before others", async () => {
  using client = await connected("values");
  const inner = { Tags: ["a"], ISOPEN: true, Note: "kept" };
  const sample = {
    Title: "wrong",
    title: "right",
    Count: 1,
    at: "2026-01-02T03:04:05.1234567Z",
    inner,
  };
  expect(await client.call("Sample", sample)).toMatchObject({
    result: {
      title: "right",
      count: 1,
      at: "2026-01-02T03:04:05.1234567Z",
      inner: { tags: ["a"], isOpen: true, note: "kept" },
    },
  });
});

it("an argument that may be left out may be null", async () => {
  using client = await connected("values");
  expect((await client.call("Optional", "bob")).result).toBe("hello bob");
  expect((await client.call("Optional", "bob", null)).result).toBe("hello bob");
  expect((await client.call("Int32", null)).error).toBe(failed("Int32"));
});

it("MessagePack receives times, bytes and records of a publication in its own form", async () => {
  using bob = await packed("values");
  const call = signalrMsgpack({ verbatim: true }).encode({
    type: "invocation",
    id: "1",
    target: "Sample",
    params:
      '[{"Title":"t","COUNT":1,"at":"2026-01-02T03:04:05.000Z","Inner":{"tags":[],"isOpen":true}}]',
    bytes: [[0, "at"]],
  });
  bob.socket.send(call as Uint8Array);
  const sample = {
    Title: "t",
    Count: 1,
    At: new Date("2026-01-02T03:04:05Z"),
    Inner: { Tags: [], IsOpen: true, Note: null },
  };
  expect((await bob.find(([type]) => type === 1))[4]).toEqual([sample]);
  expect((await bob.find(([type]) => type === 3))[4]).toEqual(sample);
});
