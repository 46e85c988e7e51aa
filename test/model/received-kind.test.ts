// Values in words, and the sentence of an issue: place, path, what was expected and what came, and never the value.

import { describe, expect, it } from "vitest";
import { StreamRef } from "../../src/model/message.ts";
import { issueText, receivedKind } from "../../src/model/received-kind.ts";

it.each<[unknown, string]>([
  [undefined, "nothing"],
  [null, "null"],
  ["canary", "string of 6 characters"],
  [7, "number"],
  [7n, "bigint"],
  [true, "boolean"],
  [[1, 2], "array of 2"],
  [{ a: 1 }, "object"],
  [new Map(), "object"],
  [new Uint8Array(3), "bytes, 3"],
  [new Date(0), "date"],
  [new StreamRef("s"), "stream"],
])("a value is called $1", (value, words) => {
  expect(receivedKind(value)).toBe(words);
});

describe("an issue", () => {
  const value = { lines: [{ sku: "canary" }], names: new Map([["a", 1]]) };
  it.each<[string, object, object, string]>([
    [
      "names its place and what came",
      { message: "Too small: expected string to have >=9 characters", path: ["lines", 0, "sku"] },
      { value },
      "Argument 1 (lines.0.sku): Too small: expected string to have >=9 characters (received: string of 6 characters)",
    ],
    [
      "says it once",
      { message: "Invalid input: expected string, received number", path: [{ key: "x" }] },
      { value },
      "Argument 1 (x): Invalid input: expected string, received number",
    ],
    [
      "may be of the whole",
      { message: "No." },
      { value: [1] },
      "Argument 1: No. (received: array of 1)",
    ],
    [
      "may be within a map",
      { message: "No.", path: ["names", "a"] },
      { value },
      "Argument 1 (names.a): No. (received: number)",
    ],
    [
      "may be of a member that is not there",
      { message: "No.", path: ["toString", "x"] },
      { value },
      "Argument 1 (toString.x): No. (received: nothing)",
    ],
    [
      "may be written with dots",
      { message: "No.", path: ["a"] },
      { value, dotted: true },
      "Argument 1.a: No. (received: nothing)",
    ],
  ])("%s", (_, issue, of, text) => {
    expect(issueText("Argument 1", [issue as { message: string }], of as { value: unknown })).toBe(
      text,
    );
  });

  it("has 500 characters at most, and then still says what came", () => {
    const text = issueText("Argument 1", [{ message: "x".repeat(900) }], { value: 1 });
    expect([text.length, text.endsWith(" (received: number)")]).toEqual([500, true]);
  });
});
