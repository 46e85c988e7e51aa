// The copy against a server in one variable: whatever the order of frames and answers, it ends right.

import * as fc from "fast-check";
import { expect, it } from "vitest";
import { applyPatch, patchBetween } from "../../src/model/merge-patch.ts";
import { RoomCopy, type OpenRun } from "../../src/state/room-copy.ts";

interface Counts {
  readonly [name: string]: number;
}

const add = (state: Record<string, number>, name: string, by: number): void => {
  state[name] = (state[name] ?? 0) + by;
};

/** Steps of a schedule: own runs, runs of others, refusals, what arrives, and snapshots. */
const step = fc.oneof(
  fc.record({ type: fc.constant("run" as const), name: fc.constantFrom("a", "b"), by: fc.nat(9) }),
  fc.record({
    type: fc.constant("other" as const),
    name: fc.constantFrom("a", "c"),
    by: fc.nat(9),
  }),
  fc.constant({ type: "refuse" as const }),
  fc.constant({ type: "arrive" as const }),
  fc.constant({ type: "snapshot" as const }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A room, and one client whose frames wait until they arrive. */
class Setting {
  readonly copy = new RoomCopy();
  server: Counts = { a: 0 };
  readonly #isTogether: boolean;
  readonly #open: { readonly run: OpenRun; readonly name: string; readonly by: number }[] = [];
  #frames: (() => void)[] = [];
  #offset = 0;
  /** States that were shown between frames, and that no order of the room explains. */
  readonly flickers: unknown[] = [];

  constructor(isTogether: boolean) {
    this.#isTogether = isTogether;
    this.copy.change({ state: this.server }, "e:0");
  }

  do(at: Step): void {
    if (at.type === "run") this.#run(at.name, at.by);
    if (at.type === "other") this.#frames.push(this.#change(at.name, at.by));
    if (at.type === "refuse") this.#answer(false);
    if (at.type === "arrive") this.#arrive();
    if (at.type === "snapshot") {
      const [state, position] = [structuredClone(this.server), `e:${this.#offset}`];
      this.#frames.push(() => this.copy.change({ state }, position));
    }
  }

  #run(name: string, by: number): void {
    const run: OpenRun = { guess: add as never, args: [name, by] };
    this.copy.add(run);
    this.#open.push({ run, name, by });
    if (this.#open.length > 3) this.#answer(true);
  }

  /** The room decides on the oldest run: its effects and the answer are one frame, or the answer is in front. */
  #answer(isAccepted: boolean): void {
    const oldest = this.#open.shift();
    if (!oldest) return;
    const { run, name, by } = oldest;
    if (!isAccepted) return void this.#frames.push(() => this.copy.remove(run));
    const effects = this.#change(name, by);
    const position = `e:${this.#offset}`;
    const answer = (): void => {
      const done = (): void => this.copy.remove(run);
      if (this.copy.has(position)) return done();
      run.answeredAt = position;
      const [state, now] = [structuredClone(this.server), `e:${this.#offset}`];
      this.#frames.push(() => {
        this.copy.change({ state }, now);
        done();
      });
    };
    if (this.#isTogether) this.#frames.push(() => [effects, answer].forEach((part) => part()));
    else this.#frames.push(answer, effects);
  }

  #change(name: string, by: number): () => void {
    const before = this.server;
    this.server = { ...before, [name]: (before[name] ?? 0) + by };
    const patch = patchBetween(before, this.server) ?? {};
    const position = `e:${++this.#offset}`;
    return () => this.copy.change({ patch }, position);
  }

  #arrive(): void {
    const before = this.#total();
    this.#frames.shift()?.();
    // Nothing but a refusal makes a sum smaller, and every run was shown since it was made.
    if (this.#total() < before) this.flickers.push([before, this.#total()]);
  }

  #total = (): number =>
    Object.values(this.copy.state as Counts).reduce((sum, value) => sum + value, 0);

  end(): void {
    while (this.#open.length > 0) this.#answer(true);
    while (this.#frames.length > 0) this.#arrive();
  }
}

const runs = Number(process.env["DORMOUSE_LONG"] ? 20_000 : 1_000);

it.each([true, false])("ends as the room is (effects and answer in one frame: %s)", (together) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const setting = new Setting(together);
      for (const at of steps) setting.do(at);
      setting.end();
      expect(setting.copy.state).toEqual(setting.server);
      expect(setting.copy.pending).toBe(0);
    }),
    { numRuns: runs },
  );
});

it.each([true, false])("shows no run twice or not at all (in one frame: %s)", (together) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const setting = new Setting(together);
      for (const at of steps) if (at.type !== "refuse") setting.do(at);
      setting.end();
      expect(setting.flickers).toEqual([]);
    }),
    { numRuns: runs },
  );
});

it("keeps the objects that a guess and its confirmation leave as they are", () => {
  const copy = new RoomCopy();
  const first = { cells: { a: { x: 1 }, b: { x: 2 } } };
  copy.change({ state: first }, "e:1");
  const move = (state: { cells: { a: { x: number } } }): void => void (state.cells.a.x = 5);
  const run: OpenRun = { guess: move, args: [] };
  copy.add(run);
  const guessed = copy.state as typeof first;
  expect(guessed).toEqual(applyPatch(first, { cells: { a: { x: 5 } } }));
  expect(guessed.cells.b).toBe(first.cells.b);
  copy.change({ patch: { cells: { a: { x: 5 } } } }, "e:2");
  copy.remove(run);
  expect(copy.state).toBe(guessed);
});
