// The subscribers of one life: clients of every kind, who come, are cut, come back, and leave.

import { EventSubscriber } from "./event-subscriber.ts";
import { HubSubscriber } from "./hub-subscriber.ts";
import { PlainLog } from "./plain-log.ts";
import { RoomSubscriber } from "./room-subscriber.ts";
import { openEvents, openPolls } from "./signalr-line.ts";
import { SignalRSubscriber } from "./signalr-subscriber.ts";
import type { Site } from "./site.ts";
import type { Parting, Place, Subscriber } from "./subscriber.ts";

export const USERS = ["alice", "bob", "carol"];

const KINDS: Readonly<Record<string, (crowd: Crowd, place: Place) => Subscriber>> = {
  "socket of a room": ({ site }, { rooms: [first], ...who }) =>
    new RoomSubscriber(site, { ...who, rooms: [first] }),
  "socket of the hub": ({ site }, place) => new HubSubscriber(site, place),
  "event stream": ({ site }, place) => new EventSubscriber(site, place),
  SignalR: ({ site, logs }, place) => new SignalRSubscriber(site, { ...place, logs }),
  "stateful SignalR": ({ site, logs }, place) =>
    new SignalRSubscriber(site, { ...place, logs, isStateful: true }),
  "SignalR's events": ({ site, logs }, place) =>
    new SignalRSubscriber(site, { ...place, logs, openLine: openEvents }),
  "SignalR's polls": ({ site, logs }, place) =>
    new SignalRSubscriber(site, { ...place, logs, openLine: openPolls }),
};

export class Crowd {
  readonly site: Site;
  /** By room. */
  readonly logs: ReadonlyMap<string, PlainLog>;
  readonly subscribers: Subscriber[] = [];
  readonly #departed = new Set<Subscriber>();
  #count = 0;

  constructor(site: Site) {
    this.site = site;
    this.logs = new Map(site.rooms.map((room) => [room, new PlainLog(room)]));
  }

  get here(): readonly Subscriber[] {
    return this.subscribers.filter(({ isHere }) => isHere);
  }

  /** Also those that have left. */
  get all(): ReadonlySet<Subscriber> {
    return new Set([...this.subscribers, ...this.#departed]);
  }

  /** Ids of connections that may be excluded, also of those that are lost: a replay leaves out what has excluded them. */
  get ids(): readonly string[] {
    return this.subscribers.flatMap(({ id }) => id ?? []);
  }

  come(): Subscriber {
    const { dice, rooms, trail } = this.site;
    const [first, second] = dice.below(2) === 0 ? rooms : rooms.toReversed();
    const name = `s${this.#count++}`;
    const kind = dice.pick(Object.keys(KINDS));
    const both: Place["rooms"] = dice.below(2) === 0 ? [first!] : [first!, second!];
    const place = { name, user: dice.pick(USERS), rooms: both };
    trail.push(`  ${name} of ${place.user}: ${kind}, ${both}`);
    const one = KINDS[kind]!(this, place);
    this.subscribers.push(one);
    return one;
  }

  /** Attempts until it is there. */
  async enter(one: Subscriber): Promise<void> {
    for (let attempt = 0; !one.isHere && this.subscribers.includes(one); attempt++) {
      if (attempt > 200) throw new Error(`${one.name} does not come.`);
      // oxlint-disable-next-line no-await-in-loop -- one attempt after another
      await one.enter().catch(() => scheduler.wait(5));
    }
  }

  async part(one: Subscriber, how: Parting): Promise<void> {
    this.site.note(`${one.name} ${how}`);
    if (how === "left") this.subscribers.splice(this.subscribers.indexOf(one), 1);
    this.#departed.add(one);
    await one.part(how);
  }

  /** Those that the object holds are lost with it. */
  async losing(name: string, fault: () => Promise<void>): Promise<void> {
    const lost = this.subscribers.filter(({ holder }) => holder === name);
    await fault();
    await Promise.all(lost.map((one) => one.part("away")));
  }

  async leave(): Promise<void> {
    for (const one of [...this.subscribers])
      // oxlint-disable-next-line no-await-in-loop -- one after another
      await this.part(one, this.site.dice.pick(["lost", "left"]));
    this.subscribers.length = 0;
  }
}
