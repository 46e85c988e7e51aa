// A random life of a reader of events: streams that end, fail, are silent or refused, and a loop that is slow.

import { vi } from "vitest";
import { events, type RoomEvent } from "../../../src/client/index.ts";
import type { Chance } from "../../support/seed.ts";
import { FakeRequest } from "../events/event-server.ts";
import type { TestHub } from "../hubs.ts";
import { advance, HELLO } from "../server.ts";
import { Follower } from "./follower.ts";
import type { ModelLink } from "./model-link.ts";
import type { Entry } from "./model-room.ts";
import { World } from "./world.ts";

const ROOMS = ["group:a", "order:1"] as const;

/** A stream as the server sees it: each event has the positions in all rooms. */
class Stream {
  readonly request: FakeRequest;
  /** By room. */
  readonly positions = new Map<string, string>();
  /** Events on their way. */
  readonly #sent: string[] = [];
  isOpen = false;

  constructor(request: FakeRequest) {
    this.request = request;
    for (const part of (request.lastEventId ?? "").split(";").filter(Boolean)) {
      const [room = "", position = ""] = part.split("=");
      this.positions.set(decodeURIComponent(room), position);
    }
  }

  send(event: string, data: unknown, room: string, position: string): void {
    this.positions.set(room, position);
    const id = [...this.positions].map(([name, at]) => `${encodeURIComponent(name)}=${at}`);
    this.#sent.push(`event: ${event}\nid: ${id.join(";")}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  readonly post = ({ method, params, room, position }: Entry): void => {
    const name = { "$/presence": "presence", "$/state": "state" }[method];
    const data = name === "state" ? { ...([params].flat()[0] as object), room, position } : params;
    this.send(name ?? method, data, room, position);
  };

  /** Some of the events arrive, in pieces of any length. */
  arrive(chance: Chance): void {
    const text = this.#sent.splice(0, 1 + chance.below(4)).join("");
    const cut = chance.below(text.length + 1);
    for (const piece of [text.slice(0, cut), text.slice(cut)]) if (piece) this.request.write(piece);
  }

  get isIdle(): boolean {
    return this.#sent.length === 0;
  }
}

export class EventsLife {
  readonly #chance: Chance;
  readonly #world: World;
  readonly #streams: Stream[] = [];
  readonly #followers = new Map(ROOMS.map((room) => [room as string, new Follower(room)]));
  readonly #stop = new AbortController();
  readonly #faults: string[] = [];
  #end: string | undefined;
  /** Resolves when the loop goes on, while it is slow. */
  #goOn = (): void => {};

  constructor(chance: Chance) {
    this.#chance = chance;
    this.#world = new World(chance, ROOMS);
    const iterable = events<TestHub>("https://host/hubs/test", {
      rooms: ROOMS,
      token: this.#world.token,
      backoff: { random: () => chance.next() },
      signal: this.#stop.signal,
      fetch: ((url: string, init: RequestInit) => {
        this.#streams.push(new Stream(new FakeRequest(url, init)));
        return this.#streams.at(-1)!.request.response;
      }) as typeof fetch,
    });
    void this.#read(iterable).then(
      () => void (this.#end = "done"),
      (error: { code?: string }) => void (this.#end = error.code ?? String(error)),
    );
  }

  get trail(): readonly string[] {
    return this.#world.trail;
  }

  async #read(iterable: AsyncIterable<RoomEvent<TestHub>>): Promise<void> {
    for await (const event of iterable) {
      if (this.#stop.signal.aborted) this.#faults.push(`${event.type} came after the end.`);
      this.#take(event);
      if (!this.#world.server.isCalm && this.#chance.next() < 0.1)
        await new Promise<void>((resolve) => void (this.#goOn = resolve));
    }
  }

  #take(event: RoomEvent<TestHub>): void {
    if (event.type === "reconnecting") {
      const pause = event.retryAt - Date.now() - (event.error.retryAfter ?? 0) * 1000;
      if (pause < -1 || pause > 30_001) this.#faults.push(`A pause of ${pause} ms.`);
      return this.#world.note(`reconnecting: ${event.error.code}`);
    }
    const { type, room = "", position = "" } = event;
    this.#world.note(`${type} ${room} ${position}`);
    const follower = this.#followers.get(room)!;
    if (type === "connected" || type === "reset") follower.reload(position);
    else if (type === "recovered") follower.recover();
    else follower.receive(position);
  }

  #answer(stream: Stream): void {
    const { chance, server } = this.#world;
    const fate = server.isCalm ? 1 : chance.next();
    if (fate < 0.1) return stream.request.fail();
    if (fate < 0.2) return stream.request.refuse(503, { "retry-after": "5" });
    stream.isOpen = true;
    stream.request.accept();
    for (const name of ROOMS) {
      const room = server.room(name);
      const since = stream.positions.get(name);
      const missed = room.missed(since);
      const type = missed ? "recovered" : since === undefined ? "connected" : "reset";
      stream.send(type, { ...HELLO, room: name }, name, missed ? since! : room.position);
      for (const entry of missed ?? []) stream.post(entry);
      room.members.add(stream as unknown as ModelLink);
    }
  }

  #close(stream: Stream, isBroken: boolean): void {
    for (const room of this.#world.server.rooms.values())
      room.members.delete(stream as unknown as ModelLink);
    if (stream.isOpen && !isBroken && !stream.request.isAborted) stream.request.end();
    else stream.request.fail();
    stream.isOpen = false;
  }

  async #pump(): Promise<void> {
    const stream = this.#streams.at(-1);
    if (stream && !stream.request.isAborted && stream !== this.#answered) {
      this.#answered = stream;
      this.#answer(stream);
    }
    if (stream?.isOpen && !stream.request.isAborted) stream.arrive(this.#chance);
    await advance(this.#chance.pick([0, 0, 1_000]));
  }

  #answered: Stream | undefined;

  #disturb(): void {
    const { server, chance } = this.#world;
    const stream = this.#streams.at(-1);
    const kind = chance.below(4);
    if (kind === 0) for (const room of server.rooms.values()) room.forget(chance.below(3));
    if (kind === 1)
      for (const room of server.rooms.values()) {
        room.members.clear();
        room.restart(`r${Date.now() % 100_000}`);
      }
    if (kind > 0 && stream?.isOpen) this.#close(stream, chance.next() < 0.5);
  }

  async step(): Promise<void> {
    const kind = this.#chance.below(100);
    if (kind < 25) this.#world.publish();
    else if (kind < 30) this.#disturb();
    else if (kind < 40) this.#goOn();
    else if (kind < 90) await this.#pump();
    else await this.#world.wait();
  }

  async look(): Promise<string[]> {
    const { server } = this.#world;
    server.isCalm = true;
    const isIdle = () => {
      const stream = this.#streams.at(-1);
      return stream?.isOpen === true && !stream.request.isAborted && stream.isIdle;
    };
    for (let seconds = 0, quiet = 0; seconds < 300 && quiet < 3; seconds += 1) {
      this.#goOn();
      // oxlint-disable-next-line no-await-in-loop -- one second after another
      await this.#pump();
      // oxlint-disable-next-line no-await-in-loop -- as above
      await advance(1_000);
      quiet = isIdle() ? quiet + 1 : 0;
    }
    const behind = [...this.#followers].flatMap(([room, follower]) =>
      follower.look(server.room(room).position),
    );
    return [...behind, ...this.#faults];
  }

  async end(): Promise<string[]> {
    this.#world.isClosed = true;
    this.#stop.abort();
    this.#goOn();
    await advance();
    const open = this.#streams.filter(({ request }) => !request.isAborted).length;
    const timers = vi.getTimerCount();
    const left = open + timers === 0 ? [] : [`Left: ${open} requests, ${timers} timers.`];
    const ended = this.#end === "done" ? [] : [`The loop ended with ${this.#end}.`];
    return [...left, ...ended, ...this.#faults, ...this.#world.faults];
  }
}
