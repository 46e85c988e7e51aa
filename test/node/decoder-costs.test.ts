// Hostile input of 1 MB. No time is measured: a decoder whose cost grows with the square of its input does not end within
// a test's time limit, a linear one needs a fraction of a second.

import { describe, expect, it } from "vitest";
import { canonicalUrls } from "../../src/auth/access-keys.ts";
import { LIMITS } from "../../src/model/options.ts";
import { decodeJsonRpc } from "../../src/protocols/decode-json-rpc.ts";
import { decodeSignalrJson } from "../../src/protocols/decode-signalr-json.ts";
import { decodeSignalrMsgpack } from "../../src/protocols/decode-signalr-msgpack.ts";

const SIZE = 1024 * 1024;
const limits = { ...LIMITS, messageBytes: 2 * SIZE };

const filled = (piece: string): string => piece.repeat(SIZE / piece.length);

const ARGUMENTS: Record<string, string> = {
  "one number": "9".repeat(SIZE),
  "a fraction": `0.${"9".repeat(SIZE)}`,
  "an exponent": `1e${"9".repeat(SIZE)}`,
  exponents: `${filled("1e9,")}1`,
  "long numbers": `${filled("12345678901234567890,")}1`,
  "a long number and arrays": `12345678901234567890,${filled("[],")}1`,
  overflows: `${filled("1e999,")}1`,
  escapes: `"${filled("\\u0041")}"`,
  backslashes: `"${"\\".repeat(SIZE)}`,
  surrogates: `"${filled("\\ud800")}"`,
  "keys that look like __proto__": `{${filled('"\\u005f":1,')}"a":1}`,
  "one key": `{${filled('"a":1,')}"a":1}`,
  "numbers as keys": `{${Array.from({ length: SIZE / 10 }, (_, at) => `"${at * 65_537}":1`)}}`,
  nesting: `${filled(`${"[".repeat(50)}${"]".repeat(50)},`)}1`,
  blanks: `${" ".repeat(SIZE)}1`,
};

describe.each(Object.entries(ARGUMENTS))("%s", (_, args) => {
  it("as arguments of JSON-RPC are read in linear time", () => {
    const { messages } = decodeJsonRpc(
      `{"jsonrpc":"2.0","id":1,"method":"m","params":[${args}]}`,
      limits,
    );
    expect(messages).toHaveLength(1);
  });

  it("as arguments of SignalR are read in linear time", () => {
    const { messages } = decodeSignalrJson(
      `{"type":1,"target":"m","arguments":[${args}]}\u001e`,
      limits,
    );
    expect(messages).toHaveLength(1);
  });
});

/** A call of MessagePack with one argument, an array of so many equal values. */
function packed(hex: string): ArrayBuffer {
  const value = Buffer.from(hex, "hex");
  const count = Math.floor(SIZE / value.length);
  const head = Buffer.from("950180c0a16d91dd00000000", "hex");
  head.writeUInt32BE(count, 8);
  return framed(Buffer.concat([head, ...Array<Buffer>(count).fill(value)]));
}

function framed(payload: Uint8Array): ArrayBuffer {
  const prefix: number[] = [];
  let left = payload.length;
  for (; left > 0x7f; left >>>= 7) prefix.push((left & 0x7f) | 0x80);
  return Uint8Array.from([...prefix, left, ...payload]).buffer;
}

it.each([
  ["nil", "c0"],
  ["empty maps", "80"],
  ["empty arrays", "90"],
  ["empty bytes", "c400"],
  ["maps by numbers", "8100c0"],
  ["maps by texts", "81a161c0"],
  ["times", "d6ff00000001"],
  ["unknown extensions", "c7000a"],
])("%s in MessagePack are read in linear time", (_, hex) => {
  const { messages } = decodeSignalrMsgpack(packed(hex), limits);
  expect(messages.map(({ type }) => type)).toEqual(["invocation"]);
});

it("slashes of a path are searched once for its end", () => {
  const url = `https://edge.example/${"/".repeat(SIZE)}x`;
  expect(canonicalUrls(new URL(url))).toEqual([url]);
  expect(canonicalUrls(new URL("https://edge.example/a//b%2f//"))).toEqual([
    "https://edge.example/a//b%2F",
  ]);
});
