// The life of a room with state at random, and that of its model.

/* oxlint-disable vitest/no-standalone-expect -- each step of a test ends with them */

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, vi } from "vitest";
import type { Position } from "../../../src/model/topic.ts";
import type { Step } from "../../support/modelled-hub.ts";
import type { Chance } from "../../support/seed.ts";
import { roomAt } from "../client.ts";
import { deploy, rollBack, withDurability } from "../storage/deploys.ts";
import { LifeReader } from "./life-reader.ts";
import { anySteps, GROUPS, IDS } from "./any-steps.ts";
import { copied, EMPTY, inOrder, ran, rung, seen, type Planned, type World } from "./plain-room.ts";
import { newRoom, user } from "./steered-room.ts";

interface Answer {
  readonly code?: string;
  readonly result?: string;
  readonly repeated?: boolean;
}

export class Life {
  name: string;
  world: World = EMPTY;
  /** What a crash may bring back: all that was since the last write that is certain. */
  past: World[] = [EMPTY];
  positions: [Position, World][] = [];
  readonly dice: Chance;
  readonly hub: string;
  readonly trail: string[] = [];
  texts = 0;

  keys = 0;
  answeredAt = new Map<string, number>();
  readonly reader = new LifeReader();
  /** Messages may have expired. */
  isOld = false;

  constructor(hub: string, dice: Chance) {
    [this.hub, this.dice, this.name] = [hub, dice, newRoom(hub)];
  }

  get room() {
    return roomAt(this.name);
  }
  durability: string | undefined;
  get isBehind() {
    if (this.durability) return this.durability !== "logged";
    return this.hub.includes("behind") || this.hub.includes("unlogged");
  }
  get hasSql() {
    return this.hub.includes("sql");
  }

  steps(): Step[] {
    const { dice, hasSql, name } = this;
    return anySteps({ dice, hasSql, room: name.split(":")[1]!, text: () => this.texts++ });
  }

  async call(steps: readonly Step[], more: { key?: string; at?: Position }): Promise<Answer> {
    try {
      const answer = await this.room.runAction({
        action: "steps",
        args: JSON.stringify([steps]),
        user,
        ...more,
      });
      if ("fault" in answer) return { code: answer.fault.code };
      return { result: JSON.parse(answer.result) as string, repeated: answer.repeated };
    } catch {
      return { code: "internal" };
    }
  }

  commit(world: World) {
    this.world = world;
    this.past.push(world);
  }

  /** What was due runs one by one: a crash may come after any of them. */
  ring(world = this.world) {
    for (const after of rung(world, Date.now())) this.commit(after);
  }

  check(steps: readonly Step[], key: string | undefined, answer: Answer, now: number) {
    const known = key === undefined ? undefined : this.world.answers.get(key);
    if (known !== undefined)
      return expect(answer, "repeated").toEqual({ result: known, repeated: true });
    if (answer.code === "conflict") return;
    if (answer.code === "internal")
      return expect(this.hasSql, "internal without poison").toBe(false);
    let model: ReturnType<typeof ran> | undefined;
    try {
      model = ran(this.world, steps, now);
    } catch (e) {
      this.trail.push(`  model: ${String(e)}`);
    }
    if (!model)
      return expect(answer.result, `should fail: ${JSON.stringify(steps)}`).toBeUndefined();
    expect(answer.result, `${answer.code} ${JSON.stringify(steps)}`).toBe(model.result);
    if (key !== undefined) this.answeredAt.set(key, now);
    const answers =
      key === undefined
        ? this.world.answers
        : new Map([...this.world.answers, [key, model.result]]);
    this.commit({ ...model.world, answers });
  }

  async burst(isCut = false) {
    const { dice } = this;
    const runs = Array.from({ length: 1 + dice.below(isCut ? 4 : 5) }, () => {
      const known = [...this.world.answers.keys()].filter(
        (key) => Math.abs(this.answeredAt.get(key)! - Date.now()) < 580_000,
      );
      const again = known.length > 0 && dice.below(6) === 0;
      const isKeyed = isCut || dice.below(2) === 0;
      const key = again ? dice.pick(known) : isKeyed ? `k${this.keys++}` : undefined;
      const at =
        !isCut && dice.below(6) === 0 && this.positions.length > 0
          ? this.positions.at(-1 - dice.below(Math.min(2, this.positions.length)))![0]
          : undefined;
      return { steps: this.steps(), key, at };
    });
    this.trail.push(`${isCut ? "cut " : ""}runs ${JSON.stringify(runs)}`);
    const now = Date.now();
    const calls = runs.map(({ steps, key, at }) =>
      this.call(steps, { ...(key !== undefined && { key }), ...(at && { at }) }),
    );
    if (isCut) {
      for (let n = dice.below(6); n > 0; n--) await scheduler.wait(0);
      await this.abort();
      await Promise.all(calls);
      const answers = [];
      // oxlint-disable-next-line no-await-in-loop
      for (const { steps, key } of runs)
        answers.push({ steps, key, answer: await this.call(steps, { key: key! }) });
      this.trail.push(`  ${JSON.stringify(answers.map(({ answer }) => answer))}`);
      // What was done before the cut comes first.
      const known = new Set(this.world.answers.keys());
      for (const isBefore of [true, false])
        for (const { steps, key, answer } of answers)
          if ((answer.repeated === true && !known.has(key!)) === isBefore)
            this.check(
              steps,
              key,
              known.has(key!)
                ? answer
                : { ...answer, ...(answer.repeated !== undefined && { repeated: false }) },
              now,
            );
      return;
    }
    const answers = await Promise.all(calls);
    this.trail.push(`  ${JSON.stringify(answers)}`);
    // A refused run may have met changes of runs that failed later, with their flush.
    const isFailed = answers.some(({ code }) => code === "internal");
    for (const [n, { steps, key }] of runs.entries())
      if (!isFailed || [undefined, "internal"].includes(answers[n]!.code))
        this.check(steps, key, answers[n]!, now);
  }

  async abort() {
    await runInDurableObject(this.room, (_, state) => state.abort("A fault.")).catch(() => {});
  }

  async facts(): Promise<number[]> {
    if (!this.hasSql) return [];
    return runInDurableObject(this.room, (_, { storage: { sql } }) =>
      sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'facts'").toArray().length === 0
        ? []
        : sql
            .exec<{ value: number }>("SELECT value FROM facts ORDER BY rowid")
            .toArray()
            .map(({ value }) => value),
    );
  }

  async look(): Promise<string> {
    const whole = await this.room.wholeState();
    if ("fault" in whole) throw new Error(whole.fault.code);
    const schedule = (await this.room.schedule()) as unknown as Planned[];
    return seen({ state: JSON.parse(whole.text), facts: await this.facts(), schedule });
  }

  async matches() {
    const now = await this.look();
    expect(now).toBe(this.expected);
    const { position } = (await this.room.wholeState()) as { position: Position };
    this.positions.push([position, this.world]);
    await this.read();
  }

  get expected(): string {
    return seen({ ...this.world, schedule: inOrder(this.world) });
  }

  /** After a crash of a log that is written behind. */
  async goBack() {
    const now = await this.look();
    const found = this.past.findLast((one) => seen({ ...one, schedule: inOrder(one) }) === now);
    expect(
      found,
      `no state of the past: ${now}\nlast ${seen({ ...this.world, schedule: inOrder(this.world) })}`,
    ).toBeDefined();
    // Answers may be those of a later state without a change: they are left out.
    [this.world, this.past] = [{ ...found!, answers: new Map() }, [found!]];
  }

  async read() {
    const { dice, reader, world } = this;
    if (!reader.isOpen) {
      if (dice.below(3) > 0) return;
      await reader.open(this.name);
    }
    const { hidden: _, ...shown } = world.state;
    await expect.poll(() => reader.copy, { timeout: 3_000 }).toEqual(shown);
    if (dice.below(6) > 0) return;
    if (dice.below(2) > 0) reader.close();
    else reader.forget();
  }

  drop() {
    this.reader.forget();
  }

  async settleBehind() {
    await this.room.history({});
    this.past = [this.world];
  }

  readonly ops: Record<string, () => Promise<void>> = {
    burst: () => this.burst(),
    burst2: () => this.burst(),
    burst3: () => this.burst(),
    cut: async () => {
      if (this.isBehind) return;
      this.drop();
      await this.burst(true);
    },
    alarm: async () => {
      vi.setSystemTime(Date.now() + this.dice.below(15_000));
      await runDurableObjectAlarm(this.room);
      this.ring();
    },
    back: async () => {
      if (this.dice.below(3)) return;
      vi.setSystemTime(Date.now() - this.dice.below(10_000));
    },
    evict: async () => {
      await this.settleBehind();
      await evictDurableObject(this.room).catch(() => {});
    },
    abort: async () => {
      this.drop();
      await this.abort();
      if (this.isBehind) await this.goBack();
    },
    durability: async () => {
      if (this.dice.below(3) > 0) return;
      this.isOld = true;
      await this.settleBehind();
      this.drop();
      this.durability = this.dice.pick(["logged", "behind", "none"]);
      this.trail.push(this.durability);
      await withDurability(this.name, this.durability as never);
    },
    size: async () => {
      if (this.dice.below(3) > 0) return;
      this.isOld = true;
      await this.settleBehind();
      this.drop();
      await deploy(this.name, {
        history: { size: this.dice.pick([1, 2, 5, 500]), ttlSeconds: this.dice.pick([2, 60, 600]) },
      });
    },
    stateless: async () => {
      if (this.dice.below(3) > 0) return;
      this.isOld = true;
      await this.settleBehind();
      this.drop();
      const forward = await rollBack(
        this.name,
        this.dice.pick(["its state", "its state", "its hub"]),
      );
      this.positions = [];
      for (let n = this.dice.below(25); n > 0; n--) {
        const kind = this.dice.below(12);
        if (kind === 0) await evictDurableObject(this.room).catch(() => {});
        else if (kind === 1) {
          vi.setSystemTime(Date.now() + this.dice.below(2_000_000));
          await runDurableObjectAlarm(this.room);
        } else if (kind === 2) await this.room.clear().catch(() => {});
        else if (kind === 3) await this.room.history({}).catch(() => {});
        else await this.room.publish({ target: "said", params: '["x"]' }).catch(() => {});
      }
      await this.room.history({}).catch(() => {});
      await forward();
      if (!this.dice.below(2))
        await this.room.publish({ target: "said", params: '["x"]' }).catch(() => {});
      this.past = [this.world];
    },
    age: async () => {
      this.isOld = true;
      vi.setSystemTime(Date.now() + this.dice.below(1_500_000));
      await runDurableObjectAlarm(this.room);
      this.ring({ ...this.world, answers: new Map() });
      this.positions = [];
    },
    clear: async () => {
      await this.room.clear();
    },
    publish: async () => {
      await this.room.publish({ target: "said", params: '["x"]' });
    },
    erase: async () => {
      if (this.dice.below(4)) return;
      await this.room.erase();
      this.positions = [];
      this.commit({ ...EMPTY, told: this.world.told });
      this.past = [EMPTY];
    },
    cancel: async () => {
      const id = this.dice.pick(IDS);
      const done = await this.room.cancelScheduled(id);
      expect(done).toBe(this.world.schedule.has(id));
      const schedule = new Map(this.world.schedule);
      schedule.delete(id);
      this.commit({ ...this.world, schedule });
    },
    copy: async () => {
      const isPast = this.positions.length > 0 && this.dice.below(2) === 0;
      const [at, world] = isPast ? this.dice.pick(this.positions) : [undefined, this.world];
      const bytes = await this.room.exportState(at);
      if ("fault" in bytes)
        return expect([bytes.fault.code, isPast]).toEqual(["history_gone", true]);
      const next = newRoom(this.hub);
      const document = JSON.parse(new TextDecoder().decode(bytes)) as {
        state: unknown;
        schedule: unknown[];
      };
      expect(document.state).toEqual(world.state);
      const isNow = !isPast || document.schedule.length > 0;
      if (this.dice.below(3)) return;
      const imported = await roomAt(next).importState(bytes);
      if ("fault" in imported) throw new Error(imported.fault.code);
      this.drop();
      [this.name, this.positions] = [next, []];
      this.commit(
        copied(
          isPast
            ? {
                ...world,
                schedule: isNow ? this.world.schedule : new Map(),
                facts: this.world.facts,
              }
            : world,
        ),
      );
      this.past = [EMPTY, this.world];
    },
  };

  async live(steps: number) {
    const kinds = Object.keys(this.ops);
    for (let step = 0; step < steps; step++) {
      const op = this.dice.pick(kinds);
      this.trail.push(`${step} ${op} ${this.name} ${Date.now()}`);
      // oxlint-disable-next-line no-await-in-loop -- one after another
      await this.ops[op]!();
      // oxlint-disable-next-line no-await-in-loop -- as above
      await this.matches();
    }
    this.drop();
    await this.delivered();
  }

  /** Every message to other rooms has arrived once, in order. */
  async delivered() {
    const keepsAll = ["modelled", "modelled-sql", "modelled-paced"].includes(this.hub);
    if (!keepsAll || this.isBehind || this.isOld) return;
    // After a crash an alarm sends them, some seconds later; the clock may have been set back since.
    vi.setSystemTime(Date.now() + 60_000);
    await runDurableObjectAlarm(this.room);
    this.ring();
    const mine = this.name.split(":")[1]!;
    for (const group of GROUPS) {
      const name = `${this.hub}/group:${mine}${group}`;
      const expected = this.world.told
        .filter((one) => one.startsWith(`${mine}${group} `))
        .map((one) => one.split(" ")[1]);
      const arrived = async () => {
        const { entries } = await roomAt(name).history({ limit: 500 } as never);
        return entries.map(({ params }: { params: string }) => JSON.parse(params)[0]);
      };
      // oxlint-disable-next-line no-await-in-loop, vitest/no-standalone-expect -- room after room
      await expect.poll(arrived, { timeout: 5000 }).toEqual(expected);
    }
  }
}
