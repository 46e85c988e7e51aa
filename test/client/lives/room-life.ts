// A random life of a connection to one room: its messages, presence and state, and calls.

import { connect, type StatefulConnection } from "../../../src/state/index.ts";
import type { Chance } from "../../support/seed.ts";
import type { TestHub } from "../hubs.ts";
import { Follower } from "./follower.ts";
import { sortedState, usersOf } from "./compared.ts";
import { SocketLife } from "./socket-life.ts";

const ROOM = "group:a";

export class RoomLife extends SocketLife<StatefulConnection<TestHub>> {
  readonly #follower = new Follower(ROOM);
  /** The state that the user shows; undefined if that is unknown, since a call failed. */
  #tracked: { readonly state: unknown } | undefined = { state: null };
  protected override readonly acts = [() => void this.#track(), () => void this.#track()];
  protected override readonly actsPercent = 20;

  constructor(chance: Chance) {
    super(chance, [ROOM], (world) =>
      connect<TestHub>("wss://host/hubs/test", {
        room: ROOM,
        token: world.token,
        backoff: { random: () => chance.next() },
        WebSocket: world.server.WebSocket,
      }),
    );
    this.#listen();
  }

  #listen(): void {
    const [client, follower, world] = [this.client, this.#follower, this.world];
    client.onMessage(({ position }) => {
      world.note(`message ${position}`);
      if (position) follower.receive(position);
      this.react();
    });
    client.onRecovered(() => (world.note("recovered"), follower.recover()));
    client.onReload(() => (world.note("reload"), follower.reload(client.position)));
    client.onConnected(() => {
      world.note(`connected ${client.position}`);
      if (follower.at === undefined) follower.reload(client.position);
      this.react();
    });
    client.onState(() => this.react());
    client.onPresence(() => this.react());
    client.room.onState(() => this.react());
  }

  async #track(): Promise<void> {
    const state = this.chance.pick([null, 1, 2, 3]);
    this.world.note(`track ${state}`);
    const tracked = (this.#tracked = { state });
    this.requests += 1;
    try {
      await (state === null ? this.client.untrack() : this.client.track(state as never));
    } catch (error) {
      this.world.note(`track ${state}: ${(error as { code: string }).code}`);
      const isRestored = state !== null && (error as { code: string }).code === "interrupted";
      if (this.#tracked === tracked && !isRestored) this.#tracked = undefined;
    }
    this.requests -= 1;
  }

  protected override compare(): string[] {
    const { client } = this;
    const { present, state, position, members, users } = this.world.server.room(ROOM);
    const { link } = this.world.server;
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
    return [...unequal, ...this.#follower.look(position)];
  }
}
