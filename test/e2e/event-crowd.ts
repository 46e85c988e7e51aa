// Rooms under load, each with a ledger of its own, and those who read all of them as one stream of events.

import type { Told } from "../pages/events.ts";
import type { Endpoint } from "../support/endpoint.ts";
import { Ledger } from "../support/ledger.ts";
import { eventually } from "./client.ts";
import { heardOf, historyOf, Publisher, Subscriber, type LoadOptions } from "./load.ts";

/** Rooms remember what was said under which key: no two publishers may stamp alike, in no two tests. */
let publishers = 0;

/** One publisher in the room, one that publishes from elsewhere. */
export class LoudRoom implements Disposable {
  readonly name: string;
  readonly ledger = new Ledger();
  readonly #load: LoadOptions;
  readonly #publishers: readonly Publisher[];
  #audits = 0;

  constructor(name: string, endpoint: Endpoint) {
    this.name = name;
    this.#load = { endpoint, ledger: this.ledger, room: name };
    const homes = [name, "group:elsewhere"];
    this.#publishers = homes.map(
      (home) => new Publisher(`p${(publishers += 1)}`, home, this.#load),
    );
  }

  start(everyMs: number): void {
    for (const publisher of this.#publishers) publisher.start(everyMs);
  }

  burst(count: number): void {
    for (const publisher of this.#publishers) publisher.burst(count);
  }

  /** Done when all that was said is acknowledged. */
  async stop(): Promise<void> {
    await Promise.all(this.#publishers.map((one) => one.stop()));
  }

  /** What is wrong with what was heard, and with what the room keeps. */
  async audit(): Promise<readonly string[]> {
    using auditor = new Subscriber(`auditor-${(this.#audits += 1)}`, this.#load);
    await auditor.enter();
    this.ledger.history(await historyOf(auditor));
    const refused = this.#publishers.flatMap((one) => one.refused);
    return [...this.ledger.violations, ...refused];
  }

  [Symbol.dispose](): void {
    for (const publisher of this.#publishers) publisher[Symbol.dispose]();
  }
}

const BEGINNINGS = ["connected", "recovered", "reset"];

/** Tells the ledgers what a stream told it. An event is of the room whose place in the id has changed. */
export class EventReader {
  readonly name: string;
  readonly #rooms: ReadonlyMap<string, LoudRoom>;
  #places: ReadonlyMap<string, string> = new Map();
  /** `recovered group:a`, …: since it was last asked for. */
  #begun: string[] = [];
  /** What it was told that is no event of a room. */
  readonly others: Told[] = [];

  constructor(name: string, rooms: readonly LoudRoom[]) {
    this.name = name;
    this.#rooms = new Map(rooms.map((room) => [room.name, room]));
  }

  hear(told: Told): void {
    const { type, id, data } = told;
    if (type === "error" || type === "end") return void this.others.push(told);
    const [room, position] = this.#moved(id) ?? [];
    if (BEGINNINGS.includes(type)) return this.#begin(type, JSON.parse(data));
    const method = type === "presence" ? "$/presence" : type;
    const frame = {
      method,
      params: JSON.parse(data) as unknown,
      room: room ?? "",
      position: position ?? "",
    };
    const ledger = this.#rooms.get(frame.room)?.ledger;
    if (ledger) ledger.heard(this.name, heardOf(frame));
    else this.others.push(told);
  }

  #begin(type: string, hello: { readonly room: string; readonly position: string }): void {
    this.#begun.push(`${type} ${hello.room}`);
    const recovered = type === "recovered";
    this.#rooms.get(hello.room)?.ledger.resumed(this.name, { ...hello, recovered });
  }

  #moved(id: string): readonly [room: string, position: string] | undefined {
    const parts = id.split(";").map((part) => part.split("=") as [string, string]);
    const places = parts.map(([room, at]) => [decodeURIComponent(room), at] as const);
    const moved = places.filter(([room, at]) => this.#places.get(room) !== at);
    this.#places = new Map(places);
    return moved.length === 1 ? moved[0] : undefined;
  }

  /** Waits until as many rooms have begun (anew), and gives how, sorted. */
  async begun(count: number): Promise<readonly string[]> {
    await eventually(async () => this.#begun.length >= count, `${this.name} has begun ${count}`);
    return this.#begun.splice(0).toSorted();
  }

  /** Waits until it has heard all that was said, everywhere. */
  async complete(): Promise<void> {
    const rooms = [...this.#rooms.values()];
    const isComplete = async () =>
      rooms.every(
        ({ ledger, name }) => ledger.violations.length > 0 || ledger.isComplete(this.name, name),
      );
    await eventually(isComplete, `${this.name} has heard all`);
  }
}
