// MessagePack as no stock client sends it; what comes back is read by the stock client's own parser.

import { MessageType, NullLogger, type HubMessage } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../../support/endpoint.ts";
import { sharedTestEndpoint } from "../../support/shared-endpoint.ts";
import { ROWS, visit } from "./connections.ts";
import { message, open, type RawClient } from "./raw.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedTestEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

const protocol = new MessagePackHubProtocol();
const HANDSHAKE = message({ protocol: "messagepack", version: 1 });

/** The answer to the handshake stands alone, or before messages; every frame has to be Binary. */
function reader() {
  let isShaken = false;
  return (data: Buffer, isBinary: boolean): unknown[] => {
    if (!isBinary) return [`a frame of text: ${data.toString()}`];
    const end = isShaken ? 0 : data.indexOf(0x1e) + 1;
    const answer = isShaken ? [] : [JSON.parse(data.toString("utf8", 0, end - 1)) as unknown];
    isShaken = true;
    if (end === data.length) return answer;
    const rest = new Uint8Array(data.subarray(end)).buffer;
    return [...answer, ...protocol.parseMessages(rest, NullLogger.instance)];
  };
}

async function greeted(hub: string): Promise<RawClient> {
  const raw = await open(endpoint, { hub }, reader());
  raw.sendBytes(HANDSHAKE);
  expect(await raw.next()).toEqual({});
  return raw;
}

const bytes = (one: HubMessage): Uint8Array => new Uint8Array(protocol.writeMessage(one));

const echo = (invocationId: string, value: unknown): Uint8Array =>
  bytes({ type: MessageType.Invocation, invocationId, target: "Echo", arguments: [value] });

const framed = (...content: number[]): Uint8Array => Uint8Array.of(content.length, ...content);

const TOO_LARGE =
  "The maximum message size of 32768B was exceeded. The message size can be configured in AddHubOptions.";

describe("a connection of MessagePack", () => {
  it.each<[what: string, frame: () => Uint8Array, detail: string | RegExp]>([
    ["a length that never ends", () => new Uint8Array(6).fill(0xff), /./],
    ["a length of 2 GiB", () => Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x07), TOO_LARGE],
    ["a message too large", () => echo("1", "x".repeat(40_000)), TOO_LARGE],
    ["no message pack", () => framed(0xc1), /./],
    ["what is no array", () => framed(0x01), /./],
    ["an array that ends early", () => framed(0x96, 0x01), /./],
    ["a call without a target", () => framed(0x95, 0x01, 0x80, 0xc0, 0xc0, 0x90), /target/],
  ])("ends with %s, and may come back", async (_, frame, detail) => {
    using plain = await greeted("signalr");
    plain.sendBytes(frame());
    const error = "Connection closed with an error.";
    expect(await plain.rest()).toEqual({
      ...{ said: [{ type: 7, error, allowReconnect: true }], code: 1000 },
    });
    using detailed = await greeted("signalr-detailed");
    detailed.sendBytes(frame());
    const { said } = await detailed.rest();
    const words = `${error} InvalidDataException: `;
    const shown = (said[0] as { error: string }).error;
    expect(shown.slice(0, words.length)).toBe(words);
    expect(shown.slice(words.length)).toMatch(detail);
  });

  it("takes messages in pieces, several in a frame, and answers pings", async () => {
    using raw = await greeted("signalr");
    for (const byte of echo("1", "ü")) raw.sendBytes(Uint8Array.of(byte));
    expect(await raw.next()).toMatchObject({ type: 3, invocationId: "1", result: "ü" });
    const ping = bytes({ type: MessageType.Ping });
    raw.sendBytes(ping);
    expect(await raw.next()).toMatchObject({ type: 6 });
    raw.sendBytes(Buffer.concat([echo("2", 2), framed(0x91, 0x63), echo("3", [3])]));
    expect([await raw.next(), await raw.next()]).toMatchObject([
      { type: 3, invocationId: "2", result: 2 },
      { type: 3, invocationId: "3", result: [3] },
    ]);
  });

  it("keeps bytes, numbers and times as they are", async () => {
    using raw = await greeted("signalr");
    const at = new Date(1_234_567_890_123);
    raw.sendBytes(echo("1", [Buffer.of(0, 255), -(2 ** 40), 1e300, NaN, "👋", at]));
    const { result } = (await raw.next()) as { result: unknown[] };
    expect(result.map((value) => (value instanceof Uint8Array ? [...value] : value))).toEqual([
      ...[[0, 255], -(2 ** 40), 1e300, NaN, "👋", at],
    ]);
  });

  it("gives a group bytes where the protocol has them, and base64 in JSON", async () => {
    await using all = new AsyncDisposableStack();
    const guests = await Promise.all(
      ROWS.map((row) => visit({ endpoint, row, hub: "signalr" }, { hears: ["Shown"] })),
    );
    for (const guest of guests) all.use(guest);
    for (const guest of guests) await guest.invoke("Join", "bytes");
    const speaker = ROWS.findIndex(({ protocol: name }) => name === "MessagePack");
    await guests[speaker]!.invoke("Show", "bytes", { of: Uint8Array.of(1, 2, 3) });
    for (const [i, guest] of guests.entries()) {
      const [{ of }] = (await guest.next("Shown")) as [{ of: unknown }];
      expect(of instanceof Uint8Array ? [...of] : of).toEqual(
        ROWS[i]!.protocol === "JSON" ? "AQID" : [1, 2, 3],
      );
    }
  });
});
