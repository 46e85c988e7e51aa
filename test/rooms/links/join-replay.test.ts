// What a member that joins from an earlier position on is given, while live batches go on.

import { expect, it } from "vitest";
import type { Position } from "../../../src/model/topic.ts";
import { fetchMissed } from "../../../src/rooms/links/join-replay.ts";
import type { HistoryView } from "../../../src/rooms/rpc/log-entry.ts";
import { entries, offsets, range } from "../storage.ts";

const at = (epoch: string, offset: number): Position => ({ epoch, offset });
const found = (first: number, last: number): HistoryView => ({
  entries: entries(first, last),
  position: at("old", last),
  recovered: true,
});
const notFound = (position: Position): HistoryView => ({
  entries: [],
  position,
  recovered: false,
});

/** Answers of the room, in order; beside each the position of live batches once it has come. */
async function fetched(
  before: Position | undefined,
  answers: readonly (readonly [HistoryView | "reset", Position | undefined])[],
) {
  let delivered = before;
  const left = [...answers];
  const asked: (Position | undefined)[] = [];
  const askedState: unknown[] = [];
  const missed = async (from: Position | undefined, _: unknown, wantsState: unknown) => {
    asked.push(from);
    askedState.push(wantsState);
    const [view, live] = left.shift()!;
    delivered = live;
    if (view === "reset") throw new Error("The object was reset.");
    return view;
  };
  const view = await fetchMissed(
    { room: () => ({ missed }) },
    { topic: { kind: "group", name: "g" }, since: at("old", 2), wantsState: true },
    () => delivered,
  );
  return { asked, askedState, offsets: offsets(view.entries), ...view };
}

it("reaches the live position", async () => {
  const { asked, askedState, ...view } = await fetched(at("old", 4), [
    [found(3, 5), at("old", 7)],
    [found(6, 7), at("old", 7)],
  ]);
  expect(view).toMatchObject({ offsets: range(3, 7), position: at("old", 7), recovered: true });
  expect(asked).toEqual([at("old", 2), at("old", 5)]);
  // One state is enough: changes follow it.
  expect(askedState).toEqual([true, undefined]);
});

it("drops what it has where the log begins a new epoch between two answers", async () => {
  const view = await fetched(at("old", 4), [
    [found(3, 5), at("old", 7)],
    [notFound(at("new", 1)), at("old", 7)],
  ]);
  expect(view).toMatchObject({ offsets: [], position: at("new", 1), recovered: false });
});

it("asks again where live batches of a new epoch came before an answer of the old one", async () => {
  const view = await fetched(at("old", 4), [
    [found(3, 5), at("new", 2)],
    [notFound(at("new", 3)), at("new", 3)],
  ]);
  expect(view).toMatchObject({ offsets: [], position: at("new", 3), recovered: false });
});

it("waits for nothing where the room is ahead of the live batches by an epoch", async () => {
  const view = await fetched(at("old", 4), [[notFound(at("new", 1)), at("old", 6)]]);
  expect(view).toMatchObject({ position: at("new", 1), recovered: false });
});

it("asks a room that was reset once more, and is unavailable after that", async () => {
  const [reset, live] = [["reset", undefined] as const, [found(3, 5), at("old", 5)] as const];
  expect(await fetched(undefined, [reset, live])).toMatchObject({ offsets: range(3, 5) });
  await expect(fetched(undefined, [reset, reset])).rejects.toMatchObject({ code: "unavailable" });
});
