// CPU of hostile input. Bounds are ten times what an idle core needs, and far below the cost of an algorithm that is
// not linear. In Node, because the clock of workerd stands still while code runs.

import { encode } from "@msgpack/msgpack";
import { describe, expect, it } from "vitest";
import { canonicalUrls } from "../../src/auth/access-keys.ts";
import { queryParameters } from "../../src/edge/rest/operation-input.ts";
import type { Received } from "../../src/model/message.ts";
import { LIMITS } from "../../src/model/options.ts";
import { canonicalTopic } from "../../src/model/topic.ts";
import { decodeJsonRpc } from "../../src/protocols/decode-json-rpc.ts";
import { decodeSignalrJson } from "../../src/protocols/decode-signalr-json.ts";
import { decodeSignalrMsgpack } from "../../src/protocols/decode-signalr-msgpack.ts";
import { readHandshake } from "../../src/protocols/handshake.ts";
import { signalrMsgpack } from "../../src/protocols/signalr-msgpack.ts";

const SIZE = 128 * 1024;
/** Milliseconds. */
const MOST = 2_000;
const limits = { ...LIMITS, messageBytes: 2 ** 20 };

/** The least milliseconds of CPU of two runs. */
function cpuMs(run: () => unknown): number {
  const times = [1, 2].map(() => {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

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
  it.each([
    [
      "JSON-RPC",
      () => decodeJsonRpc(`{"jsonrpc":"2.0","id":1,"method":"m","params":[${args}]}`, limits),
    ],
    [
      "SignalR",
      () => decodeSignalrJson(`{"type":1,"target":"m","arguments":[${args}]}\u001e`, limits),
    ],
  ])("in %s costs two seconds for 128 KB at most", (_protocol, run) => {
    expect(cpuMs(run)).toBeLessThan(MOST);
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
])("%s in MessagePack cost two seconds for 128 KB at most", (_, hex) => {
  const frame = packed(hex);
  expect(decodeSignalrMsgpack(frame, limits).messages).toMatchObject([{ type: "invocation" }]);
  expect(cpuMs(() => decodeSignalrMsgpack(frame, limits))).toBeLessThan(MOST);
});

describe("frames of a few bytes", () => {
  const inPieces = (
    bytes: Uint8Array,
    read: (frame: ArrayBuffer, rest?: Received["rest"]) => Rest,
  ) =>
    cpuMs(() => {
      let rest: Received["rest"];
      for (let at = 0; at < bytes.length; at += 2)
        ({ rest } = read(bytes.slice(at, at + 2).buffer as ArrayBuffer, rest));
    });
  type Rest = { readonly rest?: Received["rest"] };
  const BYTES = new Uint8Array(SIZE).fill(0x20);

  it("make no handshake quadratic", () => {
    const ms = inPieces(
      BYTES,
      (frame, rest = "") => readHandshake(frame, limits, { binary: true, rest }) as Rest,
    );
    expect(ms).toBeLessThan(MOST);
  });

  it("make no message of JSON quadratic", () => {
    expect(inPieces(BYTES, (frame, rest) => decodeSignalrJson(frame, limits, rest))).toBeLessThan(
      MOST,
    );
  });

  it("make no message of MessagePack quadratic", () => {
    const bytes = new Uint8Array(packed("c0"));
    expect(
      inPieces(bytes, (frame, rest) => decodeSignalrMsgpack(frame, limits, rest)),
    ).toBeLessThan(MOST);
  });
});

it("a name of combining marks in a false order is not sorted", () => {
  const marks = "\u0315".repeat(SIZE / 2) + "\u0300".repeat(SIZE / 2);
  expect(
    cpuMs(() => expect(() => canonicalTopic(`group:a${marks}`)).toThrow("A name has")),
  ).toBeLessThan(MOST);
});

it("slashes of a path are searched once for its end", () => {
  const url = new URL(`https://edge.example/${"/".repeat(SIZE)}x`);
  expect(cpuMs(() => canonicalUrls(url))).toBeLessThan(MOST);
  expect(canonicalUrls(new URL("https://edge.example/a//b%2f//"))).toEqual([
    "https://edge.example/a//b%2F",
  ]);
});

it("20,000 parameters of a query are read in one pass, and the first of a name counts", () => {
  const query = Array.from({ length: 20_000 }, (_, at) => `a${at}=1`).join("&");
  const params = new URLSearchParams(`${query}&a0=2`);
  expect(queryParameters(params)).toMatchObject({ a0: "1", a19999: "1" });
  expect(cpuMs(() => queryParameters(params))).toBeLessThan(MOST);
});

it("80,000 keys in PascalCase cost eight seconds at most", () => {
  const keys = Array.from({ length: 80_000 }, (_, at) => [`k${at.toString(36)}`, 1]);
  const params = JSON.stringify([Object.fromEntries(keys)]);
  const codec = signalrMsgpack({ verbatim: false, messagePackKeys: "pascal" });
  const message = { type: "invocation", target: "m", params } as const;
  expect(codec.encode(message).length).toBeGreaterThan(encode(keys).length / 2);
  expect(cpuMs(() => codec.encode(message))).toBeLessThan(4 * MOST);
});
