// What hub code reads of a room's log.

import { expect, test } from "vitest";
import { entriesOf } from "../../../src/dispatch/context/room-views.ts";

const argumentsOf = (params: string): readonly unknown[] => {
  const entry = { offset: 1, id: "m", at: 0, target: "said", params };
  const position = { epoch: "e", offset: 1 };
  return entriesOf({ entries: [entry], position, recovered: true } as never)[0]!.args;
};

test("a double beyond 2⁵³ is a number in history, and digits that it has not are a bigint", () => {
  const params = JSON.stringify([1e18, 2 ** 60, -1e18, 5, "1234567890123456"]);
  expect(argumentsOf(params)).toEqual([1e18, 2 ** 60, -1e18, 5, "1234567890123456"]);
  expect(argumentsOf("[9007199254740993]")).toEqual([9007199254740993n]);
});
