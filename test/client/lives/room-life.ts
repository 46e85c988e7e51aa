// A random life of a connection to one room: its messages, presence and state, and calls.

import { vi } from "vitest";
import { connect, type StatefulConnection } from "../../../src/state/index.ts";
import type { Chance } from "../../support/seed.ts";
import type { TestHub } from "../hubs.ts";
import { advance } from "../server.ts";
import { Calls } from "./called.ts";
import { Follower } from "./follower.ts";
import { sortedState, usersOf } from "./compared.ts";
import { Page, Watched } from "./watched-client.ts";
import { World } from "./world.ts";

const ROOM = "group:a";

export class RoomLife {
  readonly #chance: Chance;
  readonly #world: World;
  readonly #page = new Page();
  readonly #client: StatefulConnection<TestHub>;
  readonly #watched: Watched;
  readonly #calls: Calls;
  readonly #follower = new Follower(ROOM);
  readonly #aborts: (() => void)[] = [];
  readonly #mayClose: boolean;
  #isClosed = false;
  /** The state that the user shows; undefined if that is unknown, since a call failed. */
  #tracked: { readonly state: unknown } | undefined = { state: null };
  #requests = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
    this.#mayClose = chance.next() < 0.3;
    vi.stubGlobal("window", this.#page);
    this.#world = new World(chance, [ROOM]);
    this.#calls = new Calls(chance);
    this.#client = connect<TestHub>("wss://host/hubs/test", {
      room: ROOM,
      token: this.#world.token,
      backoff: { random: () => chance.next() },
      WebSocket: this.#world.server.WebSocket,
    });
    this.#watched = new Watched(this.#client);
    this.#listen();
  }

  get trail(): readonly string[] {
    return this.#world.trail;
  }

  #listen(): void {
    const [client, follower, world] = [this.#client, this.#follower, this.#world];
    client.onMessage(({ position }) => {
      world.note(`message ${position}`);
      if (position) follower.receive(position);
      this.#react();
    });
    client.onRecovered(() => (world.note("recovered"), follower.recover()));
    client.onReload(() => (world.note("reload"), follower.reload(client.position)));
    client.onConnected(() => {
      world.note(`connected ${client.position}`);
      if (follower.at === undefined) follower.reload(client.position);
      this.#react();
    });
    client.onState(() => this.#react());
    client.onPresence(() => this.#react());
    client.room.onState(() => this.#react());
  }

  /** A handler of the application: it may call the client again, or throw. */
  #react(): void {
    const kind = this.#chance.below(40);
    if (kind < 4) this.#act();
    if (kind === 4) throw new Error("A handler of the application.");
  }

  #act(): void {
    if (this.#isClosed) return;
    const { below } = this.#chance;
    if (this.#mayClose && below(30) === 0) return this.#close();
    const acts = [
      () => void this.#aborts.push(this.#calls.invoke(this.#client)),
      () => this.#aborts.splice(below(3), 1)[0]?.(),
      () => void this.#calls.read(this.#client),
      () => void this.#calls.upload(this.#client),
      () => void this.#track(),
      () => void this.#track(),
      () => this.#client.wake(),
      () => void this.#page.dispatchEvent(new Event("online")),
    ];
    this.#chance.pick(acts)();
  }

  async #track(): Promise<void> {
    const state = this.#chance.pick([null, 1, 2, 3]);
    this.#world.note(`track ${state}`);
    const tracked = (this.#tracked = { state });
    this.#requests += 1;
    try {
      await (state === null ? this.#client.untrack() : this.#client.track(state as never));
    } catch (error) {
      this.#world.note(`track ${state}: ${(error as { code: string }).code}`);
      const isRestored = state !== null && (error as { code: string }).code === "interrupted";
      if (this.#tracked === tracked && !isRestored) this.#tracked = undefined;
    }
    this.#requests -= 1;
  }

  async step(): Promise<void> {
    const kind = this.#chance.below(100);
    if (kind < 20) this.#act();
    else if (kind < 40) this.#world.publish();
    else if (kind < 43) this.#world.disturb();
    else if (kind < 90) await this.#world.pump();
    else await this.#world.wait();
  }

  /** Everything arrives; then client and server agree. */
  async look(): Promise<string[]> {
    if (this.#isClosed) return [];
    const client = this.#client;
    const isQuiet = () =>
      client.state.status === "connected" && this.#requests + this.#calls.pending === 0;
    const isSettled = await this.#world.settle(isQuiet);
    if (this.#isClosed) return [];
    if (!isSettled) return [`Not quiet: ${client.state.status}.`];
    const { present, state, position, members, users } = this.#world.server.room(ROOM);
    const { link } = this.#world.server;
    const pairs = {
      members: [[...members].map(({ id }) => id).join(), link!.id],
      presence: [usersOf(client.presence.members.values()), usersOf(present.members)],
      counts: [client.presence.users, present.users],
      state: [sortedState(client.room.state), sortedState(state)],
      tracked: this.#tracked && [users.get("alice"), this.#tracked.state],
    };
    const unequal = Object.entries(pairs).flatMap(([name, pair]) =>
      !pair || pair[0] === pair[1] ? [] : [`${name}: ${pair[0]}, and not ${pair[1]}.`],
    );
    const { faults } = this.#watched;
    return [
      ...unequal,
      ...this.#follower.look(position),
      ...this.#calls.look(this.#world.server),
      ...faults,
    ];
  }

  /** In a step, in a handler, or at the end. */
  #close(): void {
    this.#world.note("close");
    this.#isClosed = this.#world.isClosed = true;
    this.#watched.close();
    this.#client.close();
  }

  async end(): Promise<string[]> {
    if (!this.#isClosed) this.#close();
    for (const link of this.#world.server.links) link.deliver(9);
    await advance();
    const left = Watched.remains(this.#world.server, this.#page);
    await advance(100_000);
    return [
      ...left,
      ...this.#watched.faults,
      ...this.#world.faults,
      ...this.#calls.look(this.#world.server),
    ];
  }
}
