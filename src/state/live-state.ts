// The state of one room as the application holds it: the copy, its listeners, and the actions under way.

import {
  emitter,
  runListener,
  type Listener,
  type Unsubscribe,
} from "../client/platform/emitter.ts";
import { isTemporary } from "../client/model/refusal.ts";
import { callProxy } from "../model/audiences.ts";
import { pauseOf, type StateSource } from "../client/repeat.ts";
import type { CallOptions } from "../client/session/pending-calls.ts";
import type { RoomGreeting } from "../client/transport/wire.ts";
import type { HubError } from "../model/errors.ts";
import type { RunAnswer, RunParams, StateChange, StateSnapshot } from "../model/state-wire.ts";
import { isAfter } from "../model/topic.ts";
import { RoomCopy, type Guess, type OpenRun } from "./room-copy.ts";
import type { RunOptions } from "./state-types.ts";

interface LiveStateOptions {
  readonly connection: StateSource & { with(options: CallOptions): { readonly invoke: object } };
  /** The topic as the server spells it. */
  readonly room: string;
  readonly guesses: object | undefined;
}

interface HeldChange {
  readonly change: StateChange;
  readonly position: string;
}

/** Has the members of `RoomState`, untyped. */
export class LiveState {
  readonly #options: LiveStateOptions;
  readonly #copy = new RoomCopy();
  readonly #changes = emitter<unknown>();
  /** The state with which the listeners were called last. */
  #notified: unknown;
  #isNotifying = false;
  /** The pending request for a snapshot. */
  #loading: Promise<void> | undefined;
  /** Patches that arrived since that request, while the copy is still empty. */
  #held: HeldChange[] = [];
  #snapshots = 0;
  #failures = 0;
  readonly run = this.with({}).run;

  constructor(options: LiveStateOptions) {
    this.#options = options;
  }

  get state(): unknown {
    return this.#copy.state;
  }

  get confirmed(): unknown {
    return this.#copy.confirmed;
  }

  get position(): string | undefined {
    return this.#copy.position;
  }

  get pending(): number {
    return this.#copy.pending;
  }

  readonly onState = (listener: Listener<unknown>): Unsubscribe => {
    // All listeners may still be about to be called for the present state: this one must not get it twice.
    let notified: unknown;
    const notify = (state: unknown) =>
      state === notified ? undefined : listener((notified = state));
    const unsubscribe = this.#changes.listen(notify);
    const { state } = this;
    if (state !== undefined) runListener(() => notify(state));
    return unsubscribe;
  };

  with(options: RunOptions): { readonly run: object } {
    return { run: callProxy((action, args) => this.#run(action, args, options)) };
  }

  /** Called with each message of the room. One without a change of the state only moves the position. */
  receive(change: StateChange | undefined, position: string): void {
    if (change && "state" in change) [this.#snapshots, this.#failures] = [this.#snapshots + 1, 0];
    if (!change) this.#copy.advance(position);
    else if (this.#loading && this.position === undefined && "patch" in change)
      this.#held.push({ change, position });
    else this.#copy.change(change, position);
    this.#notify();
  }

  /** Called with the greeting of the room's own connection: it has the snapshot, unless missed changes are replayed. */
  greet(greeting: RoomGreeting & { readonly state?: unknown }): void {
    const { state, position } = greeting;
    if (state !== undefined) this.receive({ state }, position);
    else this.loadMissing();
  }

  /** Requests a snapshot if none has arrived: a request may be lost with its connection, or refused temporarily. */
  loadMissing(): void {
    if (this.position === undefined) void this.load();
  }

  /** Requests a snapshot. A room whose clients see no state refuses it, and the copy stays empty. Never rejects. */
  load(): Promise<void> {
    return (this.#loading ??= this.#load().finally(() => (this.#loading = undefined)));
  }

  async #load(): Promise<void> {
    const before = this.#snapshots;
    const answer = await this.#call("$/snapshot", {}, {}).catch(
      (error) => void this.#loadLater(error),
    );
    const held = this.#held.splice(0);
    // Another snapshot has arrived meanwhile, perhaps of another epoch: later patches were applied to that.
    if (!answer || this.#snapshots !== before) return;
    const { state, position } = answer as StateSnapshot;
    this.receive({ state }, position);
    for (const { change, position: at } of held)
      if (isAfter(at, position)) this.#copy.change(change, at);
  }

  async #loadLater(error: HubError): Promise<void> {
    if (isTemporary(error) && (await pauseOf(this.#options.connection, this.#failures++)))
      this.loadMissing();
  }

  #call(method: string, params: object, options: CallOptions): Promise<unknown> {
    const { connection, room } = this.#options;
    const { invoke } = connection.with(options);
    return (invoke as Record<string, (params: object) => Promise<unknown>>)[method]!({
      room,
      ...params,
    });
  }

  async #run(
    action: string,
    args: readonly unknown[],
    { at, ...options }: RunOptions,
  ): Promise<unknown> {
    const { idempotencyKey = randomKey() } = options;
    const guess = (this.#options.guesses as Record<string, Guess> | undefined)?.[action];
    const run: OpenRun = { guess, args };
    this.#copy.add(run);
    this.#notify();
    try {
      const params = args.slice(0, args.findLastIndex((arg) => arg !== undefined) + 1);
      const call: Omit<RunParams, "at"> = { action, params, idempotencyKey };
      const answer = await this.#call("$/run", { ...call, at }, { ...options, idempotencyKey });
      const { result, position } = answer as RunAnswer;
      run.answeredAt = position;
      // The answer may overtake its effects after a broken link between objects, or clients do not see the effects.
      // Twice, because a pending request for a snapshot may be older than the answer.
      for (let tries = 0; tries < 2 && !this.#copy.has(position); tries += 1) await this.load();
      return result;
    } finally {
      this.#copy.remove(run);
      this.#notify();
    }
  }

  /**
   * Calls the listeners once for the changes of all messages of a frame. Waits two turns of microtasks, because in the
   * first the answers of the frame end their guesses.
   */
  #notify(): void {
    if (this.#isNotifying) return;
    this.#isNotifying = true;
    queueMicrotask(() =>
      queueMicrotask(() => {
        this.#isNotifying = false;
        const { state } = this;
        if (state === this.#notified) return;
        this.#notified = state;
        this.#changes.emit(state);
      }),
    );
  }
}

/** Distinguishes runs; it is not a secret. React Native has no `crypto` [CP3]. */
const randomKey = (): string =>
  [Math.random(), Math.random()].map((number) => number.toString(36).slice(2)).join("");
