// The common part of random lives of connections on a socket: calls, handlers that call again, the close, and the
// comparison of client and server at the end.

import { vi } from "vitest";
import type { Chance } from "../../support/seed.ts";
import { advance } from "../server.ts";
import { Calls, type AnyClient } from "./called.ts";
import { Page, Watched } from "./watched-client.ts";
import { World } from "./world.ts";

export abstract class SocketLife<C extends AnyClient> {
  protected readonly chance: Chance;
  protected readonly world: World;
  protected readonly client: C;
  protected isClosed = false;
  /** Requests of the application that are under way, beside calls. */
  protected requests = 0;
  protected readonly faults: string[] = [];
  readonly #page = new Page();
  readonly #watched: Watched;
  readonly #calls: Calls;
  readonly #aborts: (() => void)[] = [];
  readonly #mayClose: boolean;

  constructor(chance: Chance, rooms: readonly string[], connect: (world: World) => C) {
    this.chance = chance;
    this.#mayClose = chance.next() < 0.3;
    vi.stubGlobal("window", this.#page);
    this.world = new World(chance, rooms);
    this.#calls = new Calls(chance);
    this.client = connect(this.world);
    this.#watched = new Watched(this.client);
    this.client.on("confirm", this.world.server.questions.confirm as never);
  }

  get trail(): readonly string[] {
    return this.world.trail;
  }

  /** The kinds of acts beside those of every connection. */
  protected abstract readonly acts: readonly (() => void)[];

  /** The share of acts among steps, percent. */
  protected abstract readonly actsPercent: number;

  /** Differences of client and server, once everything has arrived. */
  protected abstract compare(): string[];

  /** A handler of the application: it may call the client again, or throw. */
  protected react(): void {
    const kind = this.chance.below(40);
    if (kind < 4) this.#act();
    if (kind === 4) throw new Error("A handler of the application.");
  }

  #act(): void {
    if (this.isClosed) return;
    const { below } = this.chance;
    if (this.#mayClose && below(30) === 0) return this.close();
    const acts = [
      () => void this.#aborts.push(this.#calls.invoke(this.client)),
      () => this.#aborts.splice(below(3), 1)[0]?.(),
      () => void this.#calls.read(this.client),
      () => void this.#calls.upload(this.client),
      ...this.acts,
      () => this.client.wake(),
      () => void this.#page.dispatchEvent(new Event("online")),
    ];
    this.chance.pick(acts)();
  }

  async step(): Promise<void> {
    const kind = this.chance.below(100);
    if (kind < this.actsPercent) this.#act();
    else if (kind < 40) this.world.publish();
    else if (kind < 43) this.world.disturb();
    else if (kind < 45) this.world.ask();
    else if (kind < 46 && this.#mayClose && this.chance.below(5) === 0) this.#dismiss();
    else if (kind < 90) await this.world.pump();
    else await this.world.wait();
  }

  /** Everything arrives; then client and server agree. */
  async look(): Promise<string[]> {
    if (this.isClosed) return [];
    const status = () => this.client.state.status;
    const underWay = () => this.requests + this.#calls.pending;
    const isQuiet = () => status() === "connected" && underWay() === 0;
    const isSettled = await this.world.settle(isQuiet);
    if (this.isClosed) return [];
    if (!isSettled) return [`Not quiet: ${status()}, ${this.requests}, ${this.#calls.pending}.`];
    return [...this.compare(), ...this.#faults];
  }

  get #faults(): string[] {
    return [
      ...this.#calls.look(this.world.server),
      ...this.world.server.questions.faults,
      ...this.#watched.faults,
      ...this.faults,
    ];
  }

  #dismiss(): void {
    if (this.isClosed || !this.world.dismiss()) return;
    const { status } = this.client.state;
    if (status !== "closed") this.faults.push(`${status} after a close for good.`);
    this.close();
  }

  /** In a step, in a handler, or at the end. */
  protected close(): void {
    this.world.note("close");
    this.isClosed = this.world.isClosed = true;
    this.#watched.close();
    this.client.close();
  }

  async end(): Promise<string[]> {
    this.world.note("end");
    if (!this.isClosed) this.close();
    for (const link of this.world.server.links) link.deliver(9);
    await advance();
    const left = Watched.remains(this.world.server, this.#page);
    await advance(100_000);
    return [...left, ...this.world.faults, ...this.#faults];
  }
}
