// A change of a state is one row, which has 2 MB at most in production, and more in local workerd.

import { expect, it } from "vitest";
import { checkRow } from "../../../src/rooms/state/state-changes.ts";
import { STATE_TARGET } from "../../../src/model/state-wire.ts";

const entryOf = (params: string, change?: string) => ({
  ...{ target: STATE_TARGET, params, offset: 1, at: 1 },
  ...(change !== undefined && { change }),
});
const LARGEST = 512 * 1024;

it("the largest state fits twice, in plain text or in text that is quoted once more", () => {
  const plain = JSON.stringify({ state: "a".repeat(LARGEST) });
  const quoted = JSON.stringify({ state: Array(LARGEST / 8).fill("aaaaa") });
  for (const text of [plain, quoted]) expect(() => checkRow(entryOf(text, text))).not.toThrow();
});

it("a change with a view that is larger than a row is refused", () => {
  const [state, view] = ["a".repeat(LARGEST), "日".repeat(500_000)];
  expect(() => checkRow(entryOf(view, state))).toThrow(
    expect.objectContaining({ code: "invalid_state" }),
  );
});
