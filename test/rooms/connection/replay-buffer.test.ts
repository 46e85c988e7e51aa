// How much a replay buffer keeps for a client that confirms nothing.

import { describe, expect, it } from "vitest";
import { HeldBytes } from "../../../src/rooms/connection/held-bytes.ts";
import { ReplayBuffer } from "../../../src/rooms/connection/replay-buffer.ts";
import type {
  ReplayRows,
  ReplayState,
  UnconfirmedFrame,
} from "../../../src/rooms/connection/replay-rows.ts";
import type { Encoded } from "../../../src/model/message.ts";
import { chance } from "../../support/seed.ts";
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

it("counts what the smallest frames take beside their characters", () => {
  const user = new HeldBytes({ heldByConnection: 1e9, heldByUser: 1e6, heldByObject: 1e9 });
  const held = user.of({ id: "alice" });
  const limits = { window: Infinity, maxKept: Infinity, byFrame: true, held };
  const buffer = new ReplayBuffer(ROWS, limits, EMPTY);
  for (let kept = 0; kept < 7_000; kept++) buffer.keep(["x"], protocol, true);
  expect([buffer.refuses(["x"]), buffer.size]).toEqual([false, 7_000]);
  for (let kept = 0; kept < 1_000; kept++) buffer.keep(["x"], protocol, true);
  expect(buffer.refuses(["x"])).toBe(true);
  buffer.confirmFrames(8_000);
  expect([buffer.refuses(["x"]), held.frames]).toEqual([false, 0]);
});

it.for([100, 50_000, Infinity])(
  "keeps and confirms a frame without a look at all others: %d",
  (window) => {
    let looks = 0;
    const counted = {
      ...[],
      get length() {
        return (looks++, 50);
      },
    } as unknown as Encoded;
    const buffer = new ReplayBuffer(ROWS, { window, maxKept: Infinity, byFrame: true }, EMPTY);
    for (let kept = 0; kept < 2_000; kept++) buffer.keep([counted], protocol, true);
    expect(looks).toBeLessThan(20 * 2_000);
    for (let upTo = 1; upTo <= 2_000; upTo++) buffer.confirm(upTo);
    expect([buffer.size, looks < 40 * 2_000]).toEqual([0, true]);
  },
);

const frame = (text: string) =>
  protocol.encode({ type: "invocation", target: "said", params: `["${text}"]` } as never) as string;

/** As both of Microsoft's clients count and confirm: `repeats` is JavaScript's confirmation of what comes once more. */
class Receiver {
  readonly got: string[] = [];
  readonly #repeats: boolean;
  #next = 1;
  #latest = 0;
  #confirmed = 0;
  #isDue = false;
  #hasSequence = true;

  constructor(repeats: boolean) {
    this.#repeats = repeats;
  }

  take(text: string): void {
    if (!this.#hasSequence) return;
    const number = this.#next++;
    if (number > this.#latest) {
      this.#latest = number;
      this.#isDue = true;
      this.got.push(text);
    } else if (this.#repeats && number === this.#latest) this.#isDue = true;
  }

  lose(): void {
    this.#hasSequence = false;
  }

  sequence(number: number): void {
    if (number > this.#next) throw new Error("Sequence ID greater than amount of messages");
    this.#next = number;
    this.#hasSequence = true;
  }

  /** Its timer fires. */
  confirmation(): number | undefined {
    const isDue = this.#repeats ? this.#isDue : this.#latest > this.#confirmed;
    this.#isDue = false;
    this.#confirmed = this.#latest;
    return isDue && this.#hasSequence ? this.#latest : undefined;
  }
}

/** A connection with its rows, and a wire on which frames arrive when the test wants it. */
class Resumed {
  readonly client: Receiver;
  readonly said: string[] = [];
  readonly #window: number;
  readonly #rows: UnconfirmedFrame[] = [];
  #confirmedUpTo = 0;
  #repeated: ReplayState["repeated"];
  #buffer: ReplayBuffer;
  #wire: (() => void)[] = [];

  constructor(window: number, repeats = true) {
    this.client = new Receiver(repeats);
    this.#window = window;
    this.#buffer = this.#restored();
  }

  #restored(): ReplayBuffer {
    const rows: ReplayRows = {
      ...ROWS,
      addFrame: (row) => void this.#rows.push(row),
      removeFrames: (upTo) => {
        this.#confirmedUpTo = upTo;
        this.#rows.splice(0, this.#rows.findLastIndex(({ last }) => last <= upTo) + 1);
      },
    };
    return new ReplayBuffer(
      rows,
      { window: this.#window, maxKept: Infinity },
      {
        receivedCount: 0,
        confirmedUpTo: this.#confirmedUpTo,
        unconfirmed: [...this.#rows],
        repeated: this.#repeated,
      },
    );
  }

  #write(frames: readonly Encoded[]): void {
    for (const one of frames) this.#wire.push(() => this.client.take(one as string));
  }

  say(isHere = true): void {
    const text = frame(`${this.said.length}`);
    this.said.push(text);
    this.#write(this.#buffer.keep([text], protocol, isHere));
  }

  /** So many of the frames on the wire arrive. */
  arrive(count = Infinity): void {
    for (const one of this.#wire.splice(0, count)) one();
  }

  confirm(): void {
    const upTo = this.client.confirmation();
    if (upTo !== undefined) this.#write(this.#buffer.confirm(upTo));
  }

  /** The wire breaks with what is on it, and the client resumes. */
  resume(): void {
    this.#wire = [];
    this.client.lose();
    const { sequence, confirmed, frames, repeated } = this.#buffer.resume();
    this.#repeated = repeated;
    this.#buffer.resumeFrom(1);
    this.#wire.push(() => this.client.sequence(sequence));
    for (let n = 0; n < confirmed; n++) this.#wire.push(() => this.client.take("dropped"));
    this.#write(frames);
  }

  /** What is on the wire arrives meanwhile: an object sleeps after ten seconds. */
  sleep(): void {
    this.arrive();
    this.#buffer = this.#restored();
  }

  /** The object has lost its memory and its sockets. */
  crash(): void {
    this.#buffer = this.#restored();
    this.resume();
  }

  settle(): void {
    for (let n = 0; n < 200; n++) {
      this.arrive();
      this.confirm();
    }
  }
}

const SIZE = frame("a").length;

describe("a client whose wire breaks again while messages are repeated", () => {
  it("counts on, though it confirmed what it had of the first socket", () => {
    const one = new Resumed(100 * SIZE);
    for (let n = 0; n < 3; n++) one.say();
    one.arrive();
    one.resume();
    one.arrive(1);
    one.confirm();
    one.resume();
    one.say();
    one.settle();
    expect(one.client.got).toEqual(one.said);
  });

  it.each([
    ["JavaScript", true],
    [".NET", false],
  ])("hears all once and in order, whatever happens when (%s)", (_, repeats) => {
    const dice = chance();
    for (let round = 0; round < 400; round++) {
      const one = new Resumed(dice.pick([1, 3, 1_000]) * SIZE, repeats);
      const events = [
        () => one.say(),
        () => one.say(),
        () => one.arrive(1 + dice.below(3)),
        () => one.arrive(),
        () => one.confirm(),
        () => one.resume(),
        () => one.sleep(),
        () => one.crash(),
      ];
      for (let n = 0; n < 40; n++) dice.pick(events)();
      one.settle();
      expect(one.client.got).toEqual(one.said);
    }
  });

  it("makes us send little in place of what it has confirmed, however it confirms", () => {
    const buffer = new ReplayBuffer(ROWS, { window: 100 * SIZE, maxKept: 1e9 }, EMPTY);
    for (let n = 1; n <= 5_000; n++) {
      buffer.keep([frame("x")], protocol, true);
      buffer.confirm(n);
    }
    buffer.confirm(0);
    expect(buffer.resume()).toMatchObject({ sequence: 5_001, confirmed: 0 });
    let most = 0;
    for (let n = 0; n < 100; n++) {
      for (let more = 0; more < 100; more++) buffer.keep([frame("x")], protocol, true);
      buffer.confirm(5_001 + n);
      most = Math.max(most, buffer.resume().confirmed);
    }
    expect(most).toBeLessThanOrEqual(1_000);
  });

  it("gets a few windows at most that it does not confirm, however often it resumes", () => {
    const buffer = new ReplayBuffer(ROWS, { window: 10 * SIZE, maxKept: 1e9 }, EMPTY);
    const written = Array.from({ length: 30 }, () => {
      for (let n = 0; n < 20; n++) buffer.keep([frame("x")], protocol, true);
      return buffer.resume().frames.length;
    });
    // Four windows, and a frame for each resume.
    expect(Math.max(...written)).toBeLessThanOrEqual(4 * 10 + 11 + 30);
  });

  it("may go on behind its own messages that were confirmed while it repeated them", () => {
    const buffer = new ReplayBuffer(ROWS, { window: 1_000, maxKept: 1e6 }, EMPTY);
    const said = { type: "invocation" } as never;
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
