// A random life of a hub's rooms: subscribers come and go, services publish, objects sleep and crash, and time passes.
// In the end it is compared with the plain model.

import { parseTopic } from "../../../src/model/topic.ts";
import { PlainLog, type LogEntry, type Publication } from "./plain-log.ts";
import { RoomSubscriber } from "./room-subscriber.ts";
import type { Site } from "./site.ts";
import type { Parting, Subscriber } from "./subscriber.ts";

const USERS = ["alice", "bob", "carol"];
/** Of subscribers that are there at once. */
const CROWD = 6;

/** Some turns of the loop later: places where a fault may fall. */
export async function turns(count: number): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop
  for (let turn = 0; turn < count; turn++) await scheduler.wait(0);
}

export class Life {
  readonly site: Site;
  readonly logs: ReadonlyMap<string, PlainLog>;
  readonly subscribers: Subscriber[] = [];
  /** Publishers at work, by name. */
  readonly #work = new Map<string, Promise<void>>();
  #count = 0;

  constructor(site: Site) {
    this.site = site;
    this.logs = new Map(site.rooms.map((room) => [room, new PlainLog(room)]));
  }

  #come(): Subscriber {
    const { dice, rooms } = this.site;
    const name = `s${this.#count++}`;
    const one = new RoomSubscriber(this.site, {
      ...{ name, user: dice.pick(USERS), room: dice.pick(rooms) },
    });
    this.subscribers.push(one);
    return one;
  }

  /** Attempts until it is there. */
  async #enter(one: Subscriber): Promise<void> {
    for (let attempt = 0; !one.here; attempt++) {
      if (attempt > 200) throw new Error(`${one.name} does not come.`);
      // oxlint-disable-next-line no-await-in-loop -- one attempt after another
      await one.enter().catch(() => scheduler.wait(5));
    }
  }

  async #part(one: Subscriber, how: Parting): Promise<void> {
    this.site.note(`${one.name} ${how}`);
    if (how === "left") this.subscribers.splice(this.subscribers.indexOf(one), 1);
    this.#departed.push(one);
    await one.part(how);
  }

  readonly #departed: Subscriber[] = [];

  /** A service publishes one after another. */
  async #publish(publisher: string, count: number): Promise<void> {
    const { dice, rooms } = this.site;
    for (let n = 0; n < count; n++) {
      const room = dice.pick(rooms);
      const ids = this.subscribers.flatMap(({ here }) => here?.id ?? []);
      const excluded = ids.length > 0 && dice.below(3) === 0 ? [dice.pick(ids)] : [];
      const one = this.logs.get(room)!.publish(publisher, excluded, dice.below(2) === 0);
      // oxlint-disable-next-line no-await-in-loop -- in their order
      await this.#persist(room, one);
    }
  }

  /** With a key until it is answered; without one only once. */
  async #persist(room: string, one: Publication): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after another
      const isAnswered = await this.#attempt(room, one).catch(() => false);
      const isRepeated = isAnswered && this.site.dice.below(8) === 0;
      if (!one.key || (isAnswered && !isRepeated)) return;
      // oxlint-disable-next-line no-await-in-loop
      if (!isAnswered) await scheduler.wait(5);
    }
    throw new Error(`${one.text} is not answered.`);
  }

  async #attempt(room: string, { text, key, excluded, answers }: Publication): Promise<boolean> {
    const body = {
      ...{ target: "said", arguments: [text] },
      ...(key && { idempotency_key: key }),
      ...(excluded.length > 0 && { excluded }),
    };
    const response = await this.site.ask(
      "POST",
      `/rooms/${encodeURIComponent(room)}/:publish`,
      body,
    );
    if (response.status !== 200) {
      await response.body?.cancel();
      return false;
    }
    const { epoch, offset } = await response.json<{ epoch: string; offset: number }>();
    answers.push(`${epoch}:${offset}`);
    return true;
  }

  #begin(publisher: string): void {
    if (this.#work.has(publisher)) return;
    this.site.note(`${publisher} publishes`);
    const work = this.#publish(publisher, 1 + this.site.dice.below(4));
    this.#work.set(
      publisher,
      work.finally(() => this.#work.delete(publisher)),
    );
  }

  /** Those that the object holds are lost with it. */
  async #losing(name: string, fault: () => Promise<void>): Promise<void> {
    const lost = this.subscribers.filter(({ here }) => here?.holder === name);
    await fault();
    await Promise.all(lost.map((one) => one.part("away")));
  }

  readonly #steps: Readonly<Record<string, () => unknown>> = {
    come: async () => {
      if (this.subscribers.length < CROWD) await this.#enter(this.#come());
    },
    back: () => this.#anyOut((one) => this.#enter(one)),
    backWithoutWait: () => this.#anyOut((one) => void one.enter().catch(() => {})),
    lost: () => this.#anyHere((one) => this.#part(one, "lost")),
    away: () => this.#anyHere((one) => this.#part(one, "away")),
    left: () => this.#anyHere((one) => this.#part(one, "left")),
    publish: () => this.#begin("p"),
    publishToo: () => this.#begin("q"),
    settle: () => Promise.all(this.#work.values()),
    evict: () => this.#anyObject((name) => this.site.evict(name)),
    cut: () => this.#anyObject((name) => this.#losing(name, () => this.site.evict(name, "close"))),
    abort: () => this.#anyObject((name) => this.#losing(name, () => this.site.abort(name))),
    time: () => this.site.pass(1 + this.site.dice.below(8)),
  };

  async #anyHere(act: (one: Subscriber) => unknown): Promise<void> {
    const here = this.subscribers.filter((one) => one.here);
    if (here.length > 0) await act(this.site.dice.pick(here));
  }

  async #anyOut(act: (one: Subscriber) => unknown): Promise<void> {
    const out = this.subscribers.filter((one) => !one.here);
    if (out.length > 0) await act(this.site.dice.pick(out));
  }

  async #anyObject(act: (name: string) => unknown): Promise<void> {
    const { objects } = this.site;
    if (objects.length === 0) return;
    const name = this.site.dice.pick(objects);
    this.site.note(`  ${name.slice(this.site.tenant.length)}`);
    await act(name);
  }

  async live(steps: number): Promise<void> {
    const { dice } = this.site;
    for (let step = 0; step < steps; step++) {
      const kind = dice.pick(Object.keys(this.#steps));
      this.site.note(`${step} ${kind}`);
      // oxlint-disable-next-line no-await-in-loop -- one after another
      await this.#steps[kind]!();
      // oxlint-disable-next-line no-await-in-loop -- as above
      await turns(dice.below(4));
    }
  }

  /** Everybody comes back, and a last message is published in each room. */
  async settle(): Promise<void> {
    await Promise.all(this.#work.values());
    await Promise.all(this.subscribers.map((one) => this.#enter(one)));
    const last = [...this.logs].map(async ([room, log]) => {
      const one = log.publish("last", [], true);
      await this.#persist(room, one);
      return [room, one.text] as const;
    });
    this.#last = new Map(await Promise.all(last));
  }

  #last: ReadonlyMap<string, string> = new Map();

  /** Subscribers that have not everything yet. */
  get behind(): string[] {
    return this.subscribers.flatMap(({ followers }) =>
      [...followers].flatMap(([room, follower]) =>
        follower.has(this.#last.get(room)!) ? [] : [follower.name],
      ),
    );
  }

  async history(room: string): Promise<LogEntry[]> {
    const path = `/rooms/${encodeURIComponent(room)}/history?limit=1000`;
    const { epoch, publications } = await (
      await this.site.ask("GET", path)
    ).json<{ epoch: string; publications: { offset: number; arguments: [string] }[] }>();
    return publications.map(({ offset, arguments: [text] }) => ({
      ...{ position: `${epoch}:${offset}`, text },
    }));
  }

  async faults(): Promise<string[]> {
    const all = [...this.logs].map(async ([room, log]) => {
      const entries = await this.history(room);
      const followers = [...this.subscribers, ...this.#departed].flatMap(
        ({ followers: own }) => own.get(room) ?? [],
      );
      const heard = [...new Set(followers)].flatMap((follower) => follower.faults(log, entries));
      return [...log.faults(entries), ...heard];
    });
    return (await Promise.all(all)).flat();
  }

  /** Users with their connections in a room, as the model has them. */
  present(room: string): string[] {
    return this.subscribers
      .filter(({ here, followers }) => here && followers.has(room))
      .map(({ user }) => user)
      .toSorted();
  }

  /** The same, as the room's presence and as its list of connections have them. */
  async presence(room: string): Promise<readonly [string[], string[]]> {
    const users = await this.site.ask("GET", `/rooms/${encodeURIComponent(room)}/presence`);
    const { presence } = await users.json<{ presence: { user: string; num_clients: number }[] }>();
    const { name } = parseTopic(room);
    const list = await this.site.ask("GET", `/groups/${encodeURIComponent(name)}/connections`);
    const { value } = await list.json<{ value: { userId: string; connectionId: string }[] }>();
    const counted = presence.flatMap(({ user, num_clients: count }) => Array(count).fill(user));
    return [counted.toSorted(), value.map(({ userId }) => userId).toSorted()];
  }

  async leave(): Promise<void> {
    for (const one of [...this.subscribers])
      // oxlint-disable-next-line no-await-in-loop -- one after another
      await this.#part(one, this.site.dice.pick(["lost", "left"]));
    this.subscribers.length = 0;
  }
}
