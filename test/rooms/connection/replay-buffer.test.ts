// How much a replay buffer keeps for a client that confirms nothing.

import { describe, expect, it } from "vitest";
import { ReplayBuffer } from "../../../src/rooms/connection/replay-buffer.ts";
import type { ReplayRows } from "../../../src/rooms/connection/replay-rows.ts";
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

describe("a client whose wire breaks again while messages are repeated", () => {
  /** A frame of one numbered message. */
  const frame = (text: string) =>
    protocol.encode({ type: "invocation", target: "said", params: `["${text}"]` } as never);

  /** Three messages were written to the first socket, and the client has resumed on a second one. */
  function resumed(window = 100_000) {
    const buffer = new ReplayBuffer(ROWS, { window, maxKept: 1e6 }, EMPTY);
    const say = (text: string) => buffer.keep([frame(text)], protocol, true);
    for (const text of ["a", "b", "c"]) say(text);
    expect(buffer.resume()).toMatchObject({ sequence: 1 });
    return { buffer, say };
  }

  it("gets them all a third time, though it confirmed what it had of the first socket", () => {
    const { buffer } = resumed();
    buffer.confirm(3);
    expect(buffer.resume()).toEqual({ sequence: 1, frames: ["a", "b", "c"].map(frame) });
  });

  it("does not get them again once it has confirmed a message that came behind them", () => {
    const { buffer, say } = resumed();
    say("d");
    buffer.confirm(4);
    expect(buffer.resume()).toEqual({ sequence: 5, frames: [] });
  });

  it("does not get them again once it has confirmed them twice", () => {
    const { buffer } = resumed();
    buffer.confirm(3);
    buffer.confirm(3);
    expect([buffer.resume(), buffer.size]).toEqual([{ sequence: 4, frames: [] }, 0]);
  });

  it("gets what waits for the window, once it has confirmed them", () => {
    const { buffer, say } = resumed(3 * frame("a").length);
    expect(say("d")).toEqual([]);
    expect(buffer.confirm(3)).toEqual([frame("d")]);
    expect(buffer.confirm(4)).toEqual([]);
    expect(buffer.size).toBe(0);
  });

  it("may go on behind its own messages that were confirmed while it repeated them", () => {
    const { buffer } = resumed();
    const said = { type: "invocation" } as never;
    expect(buffer.resumeFrom(1)).toBe(true);
    for (let n = 0; n < 5; n++) expect(buffer.accepts(said)).toBe(true);
    buffer.resume();
    expect(buffer.resumeFrom(2)).toBe(true);
    expect(buffer.accepts(said)).toBe(false);
    buffer.resume();
    expect(buffer.resumeFrom(6)).toBe(true);
    expect(buffer.accepts(said)).toBe(true);
    buffer.resume();
    expect(buffer.resumeFrom(8)).toBe(false);
  });
});
