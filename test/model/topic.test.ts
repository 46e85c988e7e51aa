// Names at the bounds of their length, which holds for their form in NFC.

import { expect, it, vi } from "vitest";
import { canonicalName, MAX_NAME_LENGTH } from "../../src/model/topic.ts";

it.each([
  ["letters", "x", 1],
  ["a letter with an accent", "é", 2],
  ["a syllable of three letters", "각", 3],
  ["a letter with three marks", "ᾂ", 4],
])("has 128 times %s, composed or not", (_, letter, units) => {
  const name = letter.repeat(MAX_NAME_LENGTH);
  const raw = name.normalize("NFD");
  expect(raw.length).toBe(MAX_NAME_LENGTH * units);
  expect(canonicalName(raw)).toBe(name);
  expect(() => canonicalName(raw + letter)).toThrow(
    expect.objectContaining({ code: "invalid_name" }),
  );
});

it("is not normalized beyond what shows that it is too long", () => {
  const normalize = vi.spyOn(String.prototype, "normalize");
  expect(() => canonicalName(`a${"\u0315\u0300".repeat(16_000)}`)).toThrow("A name has");
  expect(normalize.mock.contexts.map((text) => String(text).length)).toEqual([513]);
  normalize.mockRestore();
});
