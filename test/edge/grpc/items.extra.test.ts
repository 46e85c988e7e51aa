// Upload of what a method reads as a stream: one call, one connection, and nothing of it left behind.

import { toJson, type JsonValue } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { relayOf } from "../../rooms/relay/client.ts";
import { as, clientBy, failure, PROTOCOLS } from "./client.ts";
import { item, streaming, uploaded } from "./values.ts";

type Message = ReturnType<typeof item> | ReturnType<typeof streaming> | ReturnType<typeof uploaded>;

async function* said(...messages: Message[]): AsyncGenerator<Message> {
  yield* messages;
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => item(n));

/** Sockets of the hub's first relay. */
const sockets = (hub: string): Promise<number> =>
  runInDurableObject(relayOf(hub, "x@relay:any.0.0"), (_, state) => state.getWebSockets().length);

async function emptied(hub: string): Promise<void> {
  while ((await sockets(hub)) > 0) await scheduler.wait(1);
}

describe.each(PROTOCOLS)("over %s", (protocol) => {
  const upload = async (...messages: Message[]) =>
    clientBy(protocol).upload(said(...messages), await as("alice"));

  it.each([
    ["last", []],
    ["where the caller puts it", [{ $stream: "items" }]],
  ])("a method reads its stream, which stands %s", async (_, args) => {
    const { result } = await upload(streaming("streams", "sum", args), ...numbers(300));
    expect(toJson(ValueSchema, result!)).toBe((299 * 300) / 2);
    await emptied("streams");
  });

  it("a method may answer before its stream ends", async () => {
    const never = Promise.withResolvers<void>();
    async function* endless() {
      yield* [streaming("streams", "first"), item(7)];
      await never.promise;
    }
    const { result } = await clientBy(protocol).upload(endless(), await as("alice"));
    never.resolve();
    expect(toJson(ValueSchema, result!)).toBe(7);
    await emptied("streams");
  });

  it.each<[string, Message[], [string, string]]>([
    ["no such hub", [streaming("none", "sum")], ["NotFound", "hub_not_found"]],
    ["no such method", [streaming("streams", "none")], ["NotFound", "method_not_found"]],
    [
      "a method that gives a stream",
      [streaming("streams", "doubled"), item(1)],
      ["InvalidArgument", "wrong_kind"],
    ],
    [
      "an item of the wrong type",
      [streaming("streams", "sum"), item("x")],
      ["InvalidArgument", "invalid_item"],
    ],
    [
      "an item that is too long",
      [streaming("streams", "sum"), item("\u0001".repeat(10_000))],
      ["ResourceExhausted", "too_large"],
    ],
    [
      "an item that is no honest one",
      [streaming("streams", "sum"), item(JSON.parse('{"__proto__":5}') as JsonValue), item(2)],
      ["InvalidArgument", "invalid_item"],
    ],
    [
      "a publish among the items",
      [streaming("streams", "sum"), uploaded("group:a", "x")],
      ["InvalidArgument", "invalid_arguments"],
    ],
    ["items without a method", [item(1)], ["InvalidArgument", "invalid_arguments"]],
  ])("%s is refused", async (_, messages, expected) => {
    expect(await failure(upload(...messages))).toEqual(expected);
    await emptied("streams");
  });
});

it("lets go of a method whose caller vanishes", async () => {
  const abort = new AbortController();
  async function* begun() {
    yield* [streaming("narrow", "sum"), item(1)];
    await new Promise(() => {});
  }
  const options = { ...(await as("alice")), signal: abort.signal };
  const outcome = failure(clientBy().upload(begun(), options));
  while ((await sockets("narrow")) === 0) await scheduler.wait(1);
  abort.abort();
  expect((await outcome)[0]).toBe("Canceled");
  await emptied("narrow");
});
