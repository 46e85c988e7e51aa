// How much a replay buffer keeps for a client that confirms nothing.

import { expect, it } from "vitest";
import { ReplayBuffer, type ReplayRows } from "../../../src/rooms/connection/replay-buffer.ts";
import { signalrJson } from "../../../src/protocols/signalr-json.ts";

const ROWS: ReplayRows = {
  saveAttachment() {},
  saveReceived() {},
  addFrame() {},
  removeFrames() {},
};
const EMPTY = { receivedCount: 0, confirmedUpTo: 0, unconfirmed: [] };
const protocol = signalrJson({ verbatim: false });

function polled(maxKept: number) {
  const buffer = new ReplayBuffer(ROWS, { window: Infinity, maxKept, byFrame: true }, EMPTY);
  const keep = (sizes: readonly number[]) =>
    buffer.keep(
      sizes.map((size) => "x".repeat(size)),
      protocol,
      false,
    );
  return { buffer, keep };
}

it("is full of the smallest frames as of large ones", () => {
  const { buffer, keep } = polled(400_000);
  keep(Array<number>(200_000).fill(2));
  expect(buffer.refuses(["x"])).toBe(false);
  keep([2]);
  expect(buffer.refuses(["x"])).toBe(true);
});

it("does not count its largest frame, whichever that is by now", () => {
  const { buffer, keep } = polled(100);
  keep([500, 60, 39]);
  expect([buffer.size, buffer.refuses(["x"])]).toEqual([599, false]);
  keep([1]);
  expect(buffer.refuses(["x"])).toBe(true);
  buffer.restartForPoll();
  buffer.confirmFrames(1);
  expect([buffer.size, buffer.refuses(["x"])]).toEqual([100, false]);
  keep([60]);
  expect(buffer.refuses(["x"])).toBe(true);
});
