// A random life of a connection to a whole hub: rooms that are joined and left, rooms that are viewed, and calls.

import { connect, roomOf, type HubConnection } from "../../../src/client/index.ts";
import type { Connection } from "../../../src/client/client-connection.ts";
import type { RoomGreeting } from "../../../src/client/transport/wire.ts";
import { stateOf } from "../../../src/state/index.ts";
import type { Chance } from "../../support/seed.ts";
import type { TestHub } from "../hubs.ts";
import { sortedState, usersOf } from "./compared.ts";
import { Follower } from "./follower.ts";
import { SocketLife } from "./socket-life.ts";
import { Watched } from "./watched-client.ts";

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

export class HubLife extends SocketLife<HubConnection<TestHub>> {
  readonly #memberships = new Map<Room, Membership>();
  readonly #views: View[] = [];
  protected override readonly acts = [
    () => void this.#join(this.chance.pick(JOINED)),
    () => void this.#leave(this.chance.pick(JOINED)),
    () => this.#open(this.chance.pick(VIEWED)),
    () => this.#closeOne(),
    () => this.#track(),
    () => this.#remove(this.chance.pick(JOINED)),
  ];
  protected override readonly actsPercent = 25;

  constructor(chance: Chance) {
    super(chance, [...JOINED, ...VIEWED], (world) =>
      connect<TestHub>("wss://host/hubs/test", {
        token: world.token,
        backoff: { random: () => chance.next() },
        WebSocket: world.server.WebSocket,
      }),
    );
    this.#listen();
  }

  #listen(): void {
    const client = this.client;
    client.onMessage(({ room, position }) => {
      this.world.note(`message ${room} ${position}`);
      if (position) this.#memberships.get(room as Room)?.follower.receive(position);
      this.react();
    });
    client.onRecovered(({ room }) => this.world.note(`recovered ${room}`));
    client.onReload(({ room }) => this.world.note(`reload ${room}`));
    client.onRecovered(({ room }) => this.#memberships.get(room as Room)?.follower.recover());
    client.onReload(({ room }) =>
      this.#memberships.get(room as Room)?.follower.reload(client.positionOf(room as Room)),
    );
    client.onLeft(({ room }) => {
      this.world.note(`left ${room}`);
      const membership = this.#memberships.get(room as Room);
      if (membership) [membership.isIn, membership.follower.at] = [false, undefined];
    });
    client.onState(() => this.react());
    client.onConnected(() => this.react());
  }

  async #join(room: Room): Promise<void> {
    const before = this.#memberships.get(room);
    const since = before ? undefined : this.#sinceOf(room);
    const membership = before ?? { follower: new Follower(room, since), isIn: false };
    this.#memberships.set(room, membership);
    this.world.note(`join ${room} ${since}`);
    await this.#request(async () => {
      const { recovered, position } = await this.client.join(room, since);
      this.world.note(`joined ${room} ${position}`);
      if (this.#memberships.get(room) !== membership) return;
      if (!membership.isIn && !recovered) membership.follower.reload(this.client.positionOf(room));
      membership.isIn = true;
    });
    // The application gives up a room that it could not join.
    if (!membership.isIn && this.#memberships.get(room) === membership) void this.#leave(room);
  }

  /** None while an earlier membership lasts at the server, whose messages may still come. */
  #sinceOf(room: Room): string | undefined {
    const { members, position } = this.world.server.room(room);
    const { link } = this.world.server;
    const mayCome = link && (members.has(link) || link.outbox.length > 0);
    return mayCome || this.chance.next() < 0.5 ? undefined : position;
  }

  async #leave(room: Room): Promise<void> {
    this.world.note(`leave ${room}`);
    this.#memberships.delete(room);
    await this.#request(
      () => this.client.leave(room),
      (error) => {
        // Refused for now: the application tries again.
        if (error.code !== "interrupted" && !this.isClosed && !this.#memberships.has(room))
          void this.#leave(room);
      },
    );
  }

  async #request(
    run: () => Promise<unknown>,
    onError: (error: { code: string }) => void = () => {},
  ): Promise<void> {
    this.requests += 1;
    await run().catch(onError);
    this.requests -= 1;
  }

  #open(room: Room): void {
    if (this.#views.filter(({ isOpen }) => isOpen).length > 4) return;
    const hub = this.client;
    // What the connection has, or will have for another view, is not behind what the application has.
    const isShared = this.#views.some((one) => one.isOpen && one.room === room);
    const since = hub.positionOf(room) ?? (isShared ? undefined : this.#sinceOf(room));
    this.world.note(`open ${room} ${since}`);
    const view = roomOf(hub, room, { since });
    const follower = new Follower(`view of ${room}`, since);
    const one: View = { view, follower, room, isOpen: true, watched: new Watched(view) };
    this.#views.push(one);
    const isOf = <T extends unknown[]>(run: (...args: T) => void) => {
      return (...args: T): void => {
        if (one.isOpen) run(...args);
        else this.faults.push(`An event of ${room} after the close of its view.`);
      };
    };
    view.onMessage(isOf(({ position }) => position && follower.receive(position)));
    view.onRecovered(isOf(() => follower.recover()));
    view.onReload(isOf(() => follower.reload(view.position)));
    let isFirst = true;
    view.onConnected(
      isOf(({ recovered, position }) => {
        this.world.note(`connected ${room} ${position} ${recovered}`);
        // Told so at the start, the application drops what came before: the join of a closed view may have brought it.
        if (!recovered && isFirst) follower.faults.length = 0;
        isFirst = false;
        if (!recovered || follower.at === undefined) follower.reload(view.position);
      }),
    );
    if (this.chance.next() < 0.5) void view.presence;
    stateOf(view, room);
  }

  #closeOne(): void {
    const one = this.#views[this.chance.below(this.#views.length)];
    if (!one?.isOpen) return;
    this.world.note(`close a view of ${one.room}`);
    one.view.close();
    one.isOpen = false;
  }

  #track(): void {
    const [state, room] = [this.chance.pick([undefined, 1, 2]), this.chance.pick(JOINED)];
    if (!this.#memberships.get(room)?.isIn) return;
    const client = this.client as HubConnection<never>;
    void this.#request(() =>
      state === undefined ? client.untrack(room) : client.track(room, state as never),
    );
  }

  /** By the server: the room does not admit the client any more. */
  #remove(room: Room): void {
    const { server } = this.world;
    if (!server.link?.isGreeted || server.link.hasEnded || server.link.isHalfOpen) return;
    this.world.note(`remove from ${room}`);
    server.remove(server.link, server.room(room));
  }

  protected override compare(): string[] {
    const { server } = this.world;
    const isMember = (room: Room) => [...server.room(room).members].map(({ id }) => id);
    const members = [...JOINED, ...VIEWED].flatMap((room) => {
      const isIn =
        this.#memberships.get(room)?.isIn ||
        this.#views.some((one) => one.isOpen && one.room === room);
      const [now, wanted] = [isMember(room).join(), isIn ? server.link!.id : ""];
      return now === wanted ? [] : [`Members of ${room}: ${now}, and not ${wanted}.`];
    });
    const followers = [...this.#memberships].flatMap(([room, { follower, isIn }]) =>
      isIn ? follower.look(server.room(room).position) : [],
    );
    return [
      ...members,
      ...followers,
      ...this.#views.filter(({ isOpen }) => isOpen).flatMap((one) => this.#lookAt(one)),
      ...this.#views.flatMap(({ watched }) => watched.faults),
    ];
  }

  #lookAt({ view, follower, room }: View): string[] {
    const { present, state, position } = this.world.server.room(room);
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

  protected override close(): void {
    for (const one of this.#views) one.isOpen = false;
    super.close();
  }
}
