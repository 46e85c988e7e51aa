// Counts of an object against a model: whatever its clients and its index do, and whenever it sleeps, the index has
// counted each message once in the end, no alarm follows another within seconds, and the object comes to rest.

import * as fc from "fast-check";
import { expect, it, onTestFinished, vi } from "vitest";
import type { Connection } from "../../../src/rooms/connection/connection.ts";
import type { KeyValues } from "../../../src/model/stored-values.ts";
import { ActivityReports } from "../../../src/rooms/observe/activity-reports.ts";
import { AttachedCounts, countsOf } from "../../../src/rooms/observe/attached-counts.ts";
import { difference, newCounters, ZERO_COUNTERS } from "../../../src/rooms/observe/counters.ts";
import type { Report } from "../../../src/rooms/rpc/activity-report.ts";
import { sizeOf } from "../../support/seed.ts";
import { objectWith, type Socket } from "../connection/sockets.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
/** An object without events sleeps then. */
const SLEEP_MS = 10 * SECOND;

type Answer = "taken" | "refused" | "answer lost" | "late" | "late refusal";
type Step =
  | { readonly do: "open" | "large" | "crash" }
  | { readonly do: "say"; readonly times: number; readonly each: number; readonly isSlow: boolean }
  | { readonly do: "close" | "drop"; readonly nth: number }
  | { readonly do: "pass" | "delay" | "set back"; readonly seconds: number }
  | { readonly do: "answer"; readonly how: Answer };

/** Everything that outlives a wake, and the hub's index. */
class World {
  now = 1_800_000_000_000;
  said = 0;
  total = 0;
  alarms = 0;
  how: Answer = "taken";
  isSlow = false;
  /** How late alarms ring, in milliseconds: less than it takes an object to sleep after its check. */
  delay = 0;
  readonly #kv = new Map<string, unknown>();
  readonly #row = { wake: "", counted: ZERO_COUNTERS, users: 0 };
  #wakes = 0;
  mayLose = false;
  #sockets: Socket[] = [];
  #opened = 0;
  #alarmAt = Infinity;
  #quietSince = 0;
  #object: ReturnType<World["wake"]> | undefined;
  #pending: Promise<unknown>[] = [];
  #late: (() => void)[] = [];

  get #awake() {
    this.#quietSince = this.now;
    return (this.#object ??= this.wake());
  }

  wake() {
    const { connections, accept } = objectWith(this.#sockets);
    const counters = newCounters();
    const occupancy = () => {
      const { size } = connections.all;
      return { sockets: size, connections: size, users: size };
    };
    const reports = new ActivityReports({
      storage: {
        kv: {
          get: (key: string) => this.#kv.get(key),
          put: (key: string, value: unknown) => void this.#kv.set(key, value),
        } as unknown as KeyValues,
        ...{ isEmpty: false, bytes: 0, countRows: () => 0 },
      },
      ...{
        counters,
        occupancy,
        keeper: new AttachedCounts(connections),
        wake: `w${this.#wakes++}`,
      },
      snapshot: () => ({ ...ZERO_COUNTERS, in: counters.in }),
      report: (report) => this.#report(report),
      reported: () => {},
      arm: (at) => void (this.#alarmAt = Math.min(this.#alarmAt, at)),
      now: () => this.now,
      settled: async () => !this.isSlow,
      waitUntil: (work) => void this.#pending.push(work),
    });
    return { connections, accept, counters, reports };
  }

  async #report({ wake, counted, before, users }: Report): Promise<void> {
    const { how } = this;
    if (how.startsWith("late")) await new Promise<void>((resolve) => this.#late.push(resolve));
    if (how === "refused" || how === "late refusal") throw new Error("down");
    const row = this.#row;
    this.total += difference(counted, row.wake === wake ? row.counted : before).in;
    Object.assign(row, { wake, counted, users });
    if (how === "answer lost") throw new Error("lost");
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    if (this.#late.length > 0) return;
    await Promise.all(this.#pending.splice(0));
  }

  open(id = `c${this.#opened++}`, more = {}): void {
    const { accept, connections, reports } = this.#awake;
    connections.open(accept(id, more).connection);
    reports.note();
  }

  say(): void {
    const { counters, reports } = this.#awake;
    this.said++;
    counters.in++;
    reports.note();
  }

  /** By the client: where the object sleeps it finds the socket closed. */
  close(nth: number): void {
    const socket = this.#sockets.splice(nth % (this.#sockets.length || 1), 1)[0];
    if (!socket) return;
    const { connections, reports } = this.#awake;
    const closed = connections.takeClosed(socket as unknown as WebSocket);
    if (!closed) return;
    connections.remove(closed.connection);
    if (closed.asleep) reports.addEarlier(countsOf(closed.connection));
    reports.note();
  }

  /** By the server. */
  drop(nth: number): void {
    const { connections, reports } = this.#awake;
    const connection: Connection | undefined = [...connections.all][nth % connections.all.size];
    if (!connection) return;
    this.#sockets.splice(this.#sockets.indexOf(connection.socket as unknown as Socket), 1);
    connections.remove(connection);
    reports.note();
  }

  /** Ends all sockets, without a close event, and loses what was counted since the last report. */
  crash(): void {
    this.mayLose = true;
    this.#object = undefined;
    for (const list of [this.#sockets, this.#pending, this.#late]) list.splice(0);
  }

  setBack(ms: number): void {
    this.mayLose = true;
    this.now -= ms;
    this.#quietSince = Math.min(this.#quietSince, this.now);
  }

  /** Whether the index has the users of this object. */
  get isKnown(): boolean {
    return this.#row.users === this.#awake.connections.all.size;
  }

  answer(how: Answer): void {
    this.how = how;
    for (const resolve of this.#late.splice(0)) resolve();
  }

  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    while (this.#alarmAt + this.delay <= end) {
      const at = Math.max(this.now, this.#alarmAt + this.delay);
      this.#sleepUntil(at);
      this.now = at;
      await this.#ring();
    }
    this.#sleepUntil(end);
    this.now = end;
  }

  #sleepUntil(at: number): void {
    if (this.#late.length === 0 && at - this.#quietSince >= SLEEP_MS) this.#object = undefined;
  }

  async #ring(): Promise<void> {
    const { reports } = this.#awake;
    this.alarms++;
    this.#alarmAt = Infinity;
    reports.run(this.now);
    const due = reports.due();
    if (due !== undefined) this.#alarmAt = Math.min(this.#alarmAt, due);
    await this.settle();
  }

  /** An alarm of the object's other duties. */
  async sweep(): Promise<void> {
    this.#alarmAt = Math.min(this.#alarmAt, this.now);
    await this.pass(0);
  }

  get isAtRest(): boolean {
    return this.#alarmAt === Infinity && this.#awake.reports.due() === undefined;
  }
}

async function take(world: World, step: Step): Promise<void> {
  if (step.do === "open") world.open();
  else if (step.do === "crash") world.crash();
  else if (step.do === "set back") world.setBack(step.seconds * SECOND);
  else if (step.do === "large") world.open(undefined, { items: { notes: "x".repeat(8_100) } });
  else if (step.do === "say") {
    world.isSlow = step.isSlow;
    for (let n = 0; n < step.times; n++) {
      world.say();
      await world.settle();
      await world.pass(step.each * SECOND);
    }
  } else if (step.do === "close") world.close(step.nth);
  else if (step.do === "drop") world.drop(step.nth);
  else if (step.do === "delay") world.delay = step.seconds * SECOND;
  else if (step.do === "answer") world.answer(step.how);
  else if (step.do === "pass") await world.pass(step.seconds * SECOND);
  await world.settle();
}

const nth = fc.nat(5);
const ANSWERS = ["taken", "taken", "refused", "answer lost", "late", "late refusal"] as const;
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("delay" as const), seconds: fc.constantFrom(0, 1) }),
  },
  { weight: 2, arbitrary: fc.constantFrom<Step>({ do: "open" }, { do: "open" }, { do: "large" }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("say" as const),
      times: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constantFrom(40, 200)),
      each: fc.constantFrom(0, 0, 0.4, 1, 3),
      isSlow: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("close", "drop"), nth }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      seconds: fc.constantFrom(0.5, 1, 3, 9, 12, 25, 59, 61, 300, 1_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("answer" as const), how: fc.constantFrom(...ANSWERS) }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: "crash" }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("set back" as const),
      seconds: fc.constantFrom(1, 4, 61, 300),
    }),
  },
);

const say = (times: number, each = 0, isSlow = false): Step => ({ do: "say", times, each, isSlow });
const pass = (seconds: number): Step => ({ do: "pass", seconds });
const answer = (how: Answer): Step => ({ do: "answer", how });
/** What this test has found. */
const FOUND: readonly Step[][] = [
  [say(40, 3, true)],
  [say(3, 1), answer("late refusal"), pass(1_000), answer("answer lost"), say(40)],
];

it("the index counts each message once, and the object rests in the end", async () => {
  const logged = vi.spyOn(console, "warn").mockImplementation(() => {});
  onTestFinished(() => logged.mockRestore());
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const world = new World();
      world.open();
      for (const one of steps) {
        const [from, before] = [world.now, world.alarms];
        // oxlint-disable-next-line no-await-in-loop -- one step after another
        await take(world, one);
        expect(world.total).toBeLessThanOrEqual(world.said);
        const passed = Math.max(0, world.now - from);
        expect(world.alarms - before).toBeLessThanOrEqual(2 + passed / (7 * SECOND));
      }
      Object.assign(world, { isSlow: false, delay: 0 });
      world.answer("taken");
      await world.settle();
      await world.pass(HOUR);
      await world.sweep();
      await world.pass(HOUR);
      const counted = world.mayLose ? world.total : world.said;
      expect([world.total, world.isAtRest, world.isKnown]).toEqual([counted, true, true]);
    }),
    { numRuns: sizeOf(500, 50_000), examples: FOUND.map((steps) => [steps]) },
  );
});
