// One room with state in memory: find → authorise → validate → run → validate the state → keep.

import { draftOf } from "../../model/draft.ts";
import { HubError } from "../../model/errors.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import { paramsForCode } from "../../protocols/exact-json.ts";
import { checkDraft } from "../../rooms/delivery/outbox.ts";
import { retryPause } from "../../rooms/platform/retry-pause.ts";
import type { Draft } from "../../rooms/rpc/log-entry.ts";
import type { Run, Scheduled, StateSpec } from "../../rooms/rpc/state-rpc.ts";
import { ActionTurn, resultText } from "../../rooms/state/action-turn.ts";
import { nextOf, retryOf } from "../../rooms/state/run-schedules.ts";
import { MOST_FAILURES } from "../../rooms/state/schedule-rows.ts";
import type { AnyHub } from "../define/hub-definition.ts";
import type { ServedHub } from "../define/hub-tables.ts";
import { authorise, noAction } from "../run/admit-call.ts";
import { stateSpecOf } from "../state/state-spec.ts";
import type { RoomSetting } from "./calling-room-types.ts";
import { MemoryState } from "./memory-state.ts";
import { memoryTables, type MemoryTables } from "./memory-tables.ts";
import { recordingRuntime, type Sending } from "./recording.ts";

type Scheduling = ReadonlyMap<string, Scheduled | undefined>;

/** Work whose time has come. */
interface Due {
  readonly at: number;
  run(): Promise<unknown>;
}

export class MemoryRoom {
  readonly #served: ServedHub;
  readonly #topic: Topic;
  readonly #setting: RoomSetting<AnyHub>;
  readonly #spec: StateSpec;
  readonly #state: MemoryState;
  readonly #tables: MemoryTables;
  readonly sent: Sending[] = [];
  #schedule: ReadonlyMap<string, Scheduled> = new Map();
  #now: number;
  /** The number of the newest change. */
  #offset = 0;
  /** When the state is saved elsewhere. */
  #saveAt: number | undefined;
  #failedSaves = 0;

  constructor(served: ServedHub, topic: Topic, setting: RoomSetting<AnyHub>) {
    [this.#served, this.#topic, this.#setting] = [served, topic, setting];
    this.#now = setting.now ?? 0;
    const address = { tenant: "default", hub: served.name, topic };
    this.#spec = stateSpecOf(served, address, setting.env ?? {})!;
    this.#state = new MemoryState(this.#spec, served.settings.limits.stateBytes, setting);
    this.#tables = memoryTables(this.#spec.tables, setting);
  }

  get state(): unknown {
    return this.#state.current;
  }

  get view(): unknown {
    return this.#state.shown;
  }

  get patches(): readonly unknown[] {
    return this.#state.patches;
  }

  get scheduled(): readonly Scheduled[] {
    return [...this.#schedule.values()].toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  }

  async call(run: Required<Pick<Run, "action" | "args" | "user">>): Promise<unknown> {
    const action = this.#served.state!.actions.get(run.action);
    if (!action) throw noAction(this.#served, this.#topic.kind, run.action);
    const args = paramsForCode(run.args);
    const runtime = recordingRuntime(this.#setting.env ?? {}, []);
    const call = { target: run.action, args, user: run.user, runtime };
    await authorise(this.#served, action, call);
    return this.run({ ...run, connection: "caller" });
  }

  async run(run: Run, scheduling?: Scheduling): Promise<unknown> {
    const args = await this.#spec.prepare(run);
    await this.#state.ready();
    return this.#tables.atomic(() => this.#perform(run, args, scheduling));
  }

  #perform(run: Run, args: readonly unknown[], scheduling: Scheduling = new Map()): unknown {
    const [draft, finish] = draftOf(this.state);
    const turn = this.#turn(run, draft);
    for (const [id, one] of scheduling) turn.scheduling.set(id, one);
    try {
      const text = resultText(this.#spec.apply(run, args, turn), run.action);
      const schedule = this.#scheduleWith(turn.scheduling);
      const next = this.#state.checked(finish());
      if (this.#state.keep(next)) this.#hasChanged();
      this.#schedule = schedule;
      for (const message of turn.here) this.#send(this.#topic, message);
      for (const { topic, draft: message } of turn.elsewhere) this.#send(topic, message);
      return JSON.parse(text);
    } finally {
      finish("drop");
      turn.end();
    }
  }

  #turn(run: Run, draft: ReturnType<typeof draftOf>[0]): ActionTurn {
    const members = [...(this.#setting.present ?? [])].toSorted().map((userId) => ({
      ...{ userId, since: 0, connections: 1, state: null },
    }));
    return new ActionTurn({
      ...{ draft, was: this.state, room: this.#topic, now: this.#now },
      key: run.key ?? crypto.randomUUID(),
      ports: {
        sql: this.#tables.sql,
        present: () => members,
        scheduled: () => this.scheduled,
        checkDraft: (message) => checkDraft(message, this.#served.settings.limits.publishBytes),
      },
    });
  }

  #scheduleWith(changes: Scheduling): ReadonlyMap<string, Scheduled> {
    const schedule = new Map(this.#schedule);
    for (const [id, one] of changes)
      if (one) schedule.set(id, one);
      else schedule.delete(id);
    const most = this.#served.settings.limits.schedulesPerRoom;
    if (schedule.size > most)
      throw new HubError(
        "too_large",
        `A room schedules ${most} actions at most (limits.schedulesPerRoom).`,
      );
    return schedule;
  }

  #hasChanged(): void {
    this.#offset += 1;
    if (this.#spec.save) this.#saveAt ??= this.#now + this.#spec.saveSeconds * 1000;
  }

  #send(topic: Topic, { target: method, params, except }: Draft): void {
    const args = paramsForCode(params);
    this.sent.push({ to: formatTopic(topic), method, args, ...(except && { except }) });
  }

  async advance(seconds: number): Promise<void> {
    const until = this.#now + seconds * 1000;
    const failures: unknown[] = [];
    for (let due = this.#dueBy(until); due; due = this.#dueBy(until)) {
      this.#now = Math.max(this.#now, due.at);
      // oxlint-disable-next-line no-await-in-loop -- one after another, in their order
      await due.run().catch((error: unknown) => failures.push(error));
    }
    this.#now = until;
    if (failures.length > 0) throw failures[0];
  }

  #dueBy(until: number): Due | undefined {
    const one = this.scheduled.find(({ failures }) => failures < MOST_FAILURES);
    const [next = { at: Infinity, run: async () => {} }] = [
      ...(one ? [{ at: one.at, run: () => this.#ring(one) }] : []),
      ...(this.#saveAt === undefined ? [] : [{ at: this.#saveAt, run: () => this.#save() }]),
    ].toSorted((a, b) => a.at - b.at);
    return next.at <= until ? next : undefined;
  }

  async #ring(one: Scheduled): Promise<void> {
    const { id, action } = one;
    const again = nextOf(one, this.#spec, this.#now);
    const run = { action, args: JSON.stringify(one.args), key: `${id}@${one.at}` };
    try {
      await this.run(run, new Map([[id, again]]));
    } catch (error) {
      // Not if it was replaced meanwhile.
      if (this.#schedule.get(id) === one)
        this.#schedule = this.#scheduleWith(new Map([[id, retryOf(one, this.#now)]]));
      throw error;
    }
  }

  async #save(): Promise<void> {
    this.#saveAt = undefined;
    try {
      const position = { epoch: "memory", offset: this.#offset };
      await this.#spec.save!({ state: this.state, position });
      this.#failedSaves = 0;
    } catch (error) {
      this.#saveAt = this.#now + retryPause(this.#failedSaves++);
      throw error;
    }
  }
}
