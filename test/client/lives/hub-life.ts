// A random life of a connection to a whole hub: rooms that are joined and left, rooms that are viewed, and calls.

import { vi } from "vitest";
import { connect, roomOf, type HubConnection } from "../../../src/client/index.ts";
import type { Connection } from "../../../src/client/client-connection.ts";
import type { RoomGreeting } from "../../../src/client/transport/wire.ts";
import { stateOf } from "../../../src/state/index.ts";
import type { Chance } from "../../support/seed.ts";
import type { TestHub } from "../hubs.ts";
import { advance } from "../server.ts";
import { Calls } from "./called.ts";
import { sortedState, usersOf } from "./compared.ts";
import { Follower } from "./follower.ts";
import { Page, Watched } from "./watched-client.ts";
import { World } from "./world.ts";

const JOINED = ["group:a", "group:b"] as const;
const VIEWED = ["group:c", "group:d"] as const;
type Room = (typeof JOINED)[number] | (typeof VIEWED)[number];

interface View {
  readonly view: Connection<TestHub, RoomGreeting>;
  readonly follower: Follower;
  readonly room: Room;
  isOpen: boolean;
  readonly watched: Watched;
}

interface Membership {
  readonly follower: Follower;
  /** A join was answered since the last leave. */
  isIn: boolean;
}

export class HubLife {
  readonly #chance: Chance;
  readonly #world: World;
  readonly #page = new Page();
  readonly #client: HubConnection<TestHub>;
  readonly #watched: Watched;
  readonly #calls: Calls;
  readonly #memberships = new Map<Room, Membership>();
  readonly #views: View[] = [];
  readonly #aborts: (() => void)[] = [];
  readonly #faults: string[] = [];
  #isClosed = false;
  #requests = 0;
  readonly #mayClose: boolean;

  constructor(chance: Chance) {
    this.#chance = chance;
    this.#mayClose = chance.next() < 0.3;
    vi.stubGlobal("window", this.#page);
    this.#world = new World(chance, [...JOINED, ...VIEWED]);
    this.#calls = new Calls(chance);
    this.#client = connect<TestHub>("wss://host/hubs/test", {
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
    const client = this.#client;
    client.onMessage(({ room, position }) => {
      this.#world.note(`message ${room} ${position}`);
      if (position) this.#memberships.get(room as Room)?.follower.receive(position);
      this.#react();
    });
    client.onRecovered(({ room }) => this.#world.note(`recovered ${room}`));
    client.onReload(({ room }) => this.#world.note(`reload ${room}`));
    client.onRecovered(({ room }) => this.#memberships.get(room as Room)?.follower.recover());
    client.onReload(({ room }) =>
      this.#memberships.get(room as Room)?.follower.reload(client.positionOf(room as Room)),
    );
    client.onState(() => this.#react());
    client.onConnected(() => this.#react());
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
      () => void this.#join(this.#chance.pick(JOINED)),
      () => void this.#leave(this.#chance.pick(JOINED)),
      () => this.#open(this.#chance.pick(VIEWED)),
      () => this.#closeOne(),
      () => this.#track(),
      () => this.#client.wake(),
      () => void this.#page.dispatchEvent(new Event("online")),
    ];
    this.#chance.pick(acts)();
  }

  async #join(room: Room): Promise<void> {
    const before = this.#memberships.get(room);
    const since = before ? undefined : this.#sinceOf(room);
    const membership = before ?? { follower: new Follower(room, since), isIn: false };
    this.#memberships.set(room, membership);
    this.#world.note(`join ${room} ${since}`);
    await this.#request(async () => {
      const { recovered, position } = await this.#client.join(room, since);
      this.#world.note(`joined ${room} ${position}`);
      if (this.#memberships.get(room) !== membership) return;
      if (!membership.isIn && !recovered) membership.follower.reload(this.#client.positionOf(room));
      membership.isIn = true;
    });
    // The application gives up a room that it could not join.
    if (!membership.isIn && this.#memberships.get(room) === membership) void this.#leave(room);
  }

  /** None while an earlier membership lasts at the server, whose messages may still come. */
  #sinceOf(room: Room): string | undefined {
    const { members, position } = this.#world.server.room(room);
    const { link } = this.#world.server;
    const mayCome = link && (members.has(link) || link.outbox.length > 0);
    return mayCome || this.#chance.next() < 0.5 ? undefined : position;
  }

  async #leave(room: Room): Promise<void> {
    this.#world.note(`leave ${room}`);
    this.#memberships.delete(room);
    await this.#request(
      () => this.#client.leave(room),
      (error) => {
        // Refused for now: the application tries again.
        if (error.code !== "interrupted" && !this.#isClosed && !this.#memberships.has(room))
          void this.#leave(room);
      },
    );
  }

  async #request(
    run: () => Promise<unknown>,
    onError: (error: { code: string }) => void = () => {},
  ): Promise<void> {
    this.#requests += 1;
    await run().catch(onError);
    this.#requests -= 1;
  }

  #open(room: Room): void {
    if (this.#views.filter(({ isOpen }) => isOpen).length > 4) return;
    const hub = this.#client;
    // What the connection has, or will have for another view, is not behind what the application has.
    const isShared = this.#views.some((one) => one.isOpen && one.room === room);
    const since = hub.positionOf(room) ?? (isShared ? undefined : this.#sinceOf(room));
    this.#world.note(`open ${room} ${since}`);
    const view = roomOf(hub, room, { since });
    const follower = new Follower(`view of ${room}`, since);
    const one: View = { view, follower, room, isOpen: true, watched: new Watched(view) };
    this.#views.push(one);
    const isOf = <T extends unknown[]>(run: (...args: T) => void) => {
      return (...args: T): void => {
        if (one.isOpen) run(...args);
        else this.#faults.push(`An event of ${room} after the close of its view.`);
      };
    };
    view.onMessage(isOf(({ position }) => position && follower.receive(position)));
    view.onRecovered(isOf(() => follower.recover()));
    view.onReload(isOf(() => follower.reload(view.position)));
    let isFirst = true;
    view.onConnected(
      isOf(({ recovered, position }) => {
        this.#world.note(`connected ${room} ${position} ${recovered}`);
        // Told so at the start, the application drops what came before: the join of a closed view may have brought it.
        if (!recovered && isFirst) follower.faults.length = 0;
        isFirst = false;
        if (!recovered || follower.at === undefined) follower.reload(view.position);
      }),
    );
    if (this.#chance.next() < 0.5) void view.presence;
    stateOf(view, room);
  }

  #closeOne(): void {
    const one = this.#views[this.#chance.below(this.#views.length)];
    if (!one?.isOpen) return;
    this.#world.note(`close a view of ${one.room}`);
    one.view.close();
    one.isOpen = false;
  }

  #track(): void {
    const [state, room] = [this.#chance.pick([undefined, 1, 2]), this.#chance.pick(JOINED)];
    if (!this.#memberships.get(room)?.isIn) return;
    const client = this.#client as HubConnection<never>;
    void this.#request(() =>
      state === undefined ? client.untrack(room) : client.track(room, state as never),
    );
  }

  async step(): Promise<void> {
    const kind = this.#chance.below(100);
    if (kind < 25) this.#act();
    else if (kind < 40) this.#world.publish();
    else if (kind < 43) this.#world.disturb();
    else if (kind < 90) await this.#world.pump();
    else await this.#world.wait();
  }

  /** Everything arrives; then client and server agree. */
  async look(): Promise<string[]> {
    const { server } = this.#world;
    if (this.#isClosed) return [];
    const isQuiet = () =>
      this.#client.state.status === "connected" && this.#requests + this.#calls.pending === 0;
    const isSettled = await this.#world.settle(isQuiet);
    if (this.#isClosed) return [];
    if (!isSettled)
      return [
        `Not quiet: ${this.#client.state.status}, ${this.#requests}, ${this.#calls.pending}.`,
      ];
    const isMember = (room: Room) => [...server.room(room).members].map(({ id }) => id);
    const members = [...JOINED, ...VIEWED].flatMap((room) => {
      const isIn =
        this.#memberships.get(room)?.isIn ||
        this.#views.some((one) => one.isOpen && one.room === room);
      const [now, wanted] = [isMember(room).join(), isIn ? server.link!.id : ""];
      return now === wanted ? [] : [`Members of ${room}: ${now}, and not ${wanted}.`];
    });
    const followers = [...this.#memberships].flatMap(([room, { follower }]) =>
      follower.look(server.room(room).position),
    );
    return [
      ...members,
      ...followers,
      ...this.#views.filter(({ isOpen }) => isOpen).flatMap((one) => this.#lookAt(one)),
      ...this.#calls.look(server),
      ...this.#watched.faults,
      ...this.#views.flatMap(({ watched }) => watched.faults),
      ...this.#faults,
    ];
  }

  #lookAt({ view, follower, room }: View): string[] {
    const { present, state, position } = this.#world.server.room(room);
    const shown = usersOf(view.presence.members.values());
    const wanted = usersOf(present.members);
    const [copy, wantedCopy] = [sortedState(stateOf(view, room).state), sortedState(state)];
    return [
      ...follower.look(position),
      ...(view.state.status === "connected" ? [] : [`${room} is ${view.state.status}.`]),
      ...(shown === wanted || shown === "[]" ? [] : [`${room} shows ${shown}, not ${wanted}.`]),
      ...(copy === wantedCopy ? [] : [`${room}: ${copy}, not ${wantedCopy}.`]),
    ];
  }

  /** In a step, in a handler, or at the end. */
  #close(): void {
    this.#world.note("close");
    this.#isClosed = this.#world.isClosed = true;
    this.#watched.close();
    for (const one of this.#views) one.isOpen = false;
    this.#client.close();
  }

  async end(): Promise<string[]> {
    this.#world.note("end");
    if (!this.#isClosed) this.#close();
    for (const link of this.#world.server.links) link.deliver(9);
    await advance();
    const left = Watched.remains(this.#world.server, this.#page);
    await advance(100_000);
    return [
      ...left,
      ...this.#watched.faults,
      ...this.#world.faults,
      ...this.#faults,
      ...this.#calls.look(this.#world.server),
    ];
  }
}
