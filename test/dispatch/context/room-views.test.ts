// What hub code reads of a room's log.

import { expect, test } from "vitest";
import { entriesOf, roomView } from "../../../src/dispatch/context/room-views.ts";
import { ALL } from "../../../src/model/topic.ts";
import { NoLog } from "../../../src/rooms/log/log-modes.ts";

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

test("hub code cannot change a log's position, nor a room's name", async () => {
  const log = new NoLog({ epoch: "e", offset: 5 });
  const { history, topic } = roomView(
    { history: async () => log.since(log.position) } as never,
    ALL,
  );
  const position = await history.position();
  Object.assign(position, { offset: 0 });
  expect(log.position).toEqual({ epoch: "e", offset: 5 });
  expect(Object.isFrozen(topic)).toBe(true);
});
