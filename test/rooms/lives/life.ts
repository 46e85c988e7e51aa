// A random life of a hub's rooms: subscribers come and go, publish and are closed, objects sleep and crash, and time
// passes.

import { Closing } from "./closing.ts";
import { faultsOf } from "./compared.ts";
import { Crowd } from "./crowd.ts";
import { Publishers } from "./publishers.ts";
import type { Site } from "./site.ts";
import type { Subscriber } from "./subscriber.ts";

/** Of subscribers that are there at once. */
const CROWD = 6;

/** Some turns of the loop later: places where a fault may fall. */
async function turns(count: number): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop
  for (let turn = 0; turn < count; turn++) await scheduler.wait(0);
}

export class Life {
  readonly #site: Site;
  readonly crowd: Crowd;
  readonly #publishers: Publishers;
  readonly #closing: Closing;
  /** The last message of each room. */
  #last: ReadonlyMap<string, string> = new Map();

  constructor(site: Site) {
    this.#site = site;
    this.crowd = new Crowd(site);
    this.#publishers = new Publishers(this.crowd);
    this.#closing = new Closing(this.crowd);
  }

  readonly #steps: Readonly<Record<string, () => unknown>> = {
    come: async () => {
      if (this.crowd.subscribers.length < CROWD) await this.crowd.enter(this.crowd.come());
    },
    back: () => this.#anyOut((one) => this.crowd.enter(one)),
    backWithoutWait: () => this.#anyOut((one) => void one.enter().catch(() => {})),
    lost: () => this.#anyHere((one) => this.crowd.part(one, "lost")),
    away: () => this.#anyHere((one) => this.crowd.part(one, "away")),
    left: () => this.#anyHere((one) => this.crowd.part(one, "left")),
    publish: () => this.#publishers.begin("p"),
    publishToo: () => this.#publishers.begin("q"),
    say: () => this.#anyHere((one) => this.#publishers.speak(one)),
    sayToo: () => this.#anyHere((one) => this.#publishers.speak(one)),
    settle: () => this.#publishers.settle(),
    evict: () => this.#anyObject((name) => this.#site.evict(name)),
    cut: () =>
      this.#anyObject((name) => this.crowd.losing(name, () => this.#site.evict(name, "close"))),
    abort: () => this.#anyObject((name) => this.crowd.losing(name, () => this.#site.abort(name))),
    closeAll: () => this.#close((closing) => closing.all()),
    closeRoom: () => this.#close((closing) => closing.room()),
    closeUser: () => this.#close((closing) => closing.user()),
    revoke: () => this.#close((closing) => closing.revoke()),
    time: () => this.#site.pass(1 + this.#site.dice.below(8)),
  };

  /** Subscribers that publish come back by themselves. */
  async #close(act: (closing: Closing) => Promise<void>): Promise<void> {
    await this.#publishers.settle();
    await act(this.#closing);
  }

  async #anyHere(act: (one: Subscriber) => unknown): Promise<void> {
    const { here } = this.crowd;
    if (here.length > 0) await act(this.#site.dice.pick(here));
  }

  async #anyOut(act: (one: Subscriber) => unknown): Promise<void> {
    const out = this.crowd.subscribers.filter((one) => !one.isHere);
    if (out.length > 0) await act(this.#site.dice.pick(out));
  }

  async #anyObject(act: (name: string) => unknown): Promise<void> {
    const { objects } = this.#site;
    if (objects.length === 0) return;
    const name = this.#site.dice.pick(objects);
    this.#site.note(`  ${name.slice(this.#site.tenant.length)}`);
    await act(name);
  }

  async live(steps: number): Promise<void> {
    const { dice } = this.#site;
    for (let step = 0; step < steps; step++) {
      const kind = dice.pick(Object.keys(this.#steps));
      this.#site.note(`${step} ${kind}`);
      // oxlint-disable-next-line no-await-in-loop -- one after another
      await this.#steps[kind]!();
      // oxlint-disable-next-line no-await-in-loop -- as above
      await turns(dice.below(4));
    }
  }

  /** Everybody comes back, and a last message is published in each room. */
  async settle(): Promise<void> {
    await this.#publishers.settle();
    await Promise.all(this.crowd.subscribers.map((one) => this.crowd.enter(one)));
    const last = [...this.crowd.logs].map(async ([room, log]) => {
      const one = log.publish("last", [], true);
      await this.#publishers.persist(room, one);
      return [room, one.text] as const;
    });
    this.#last = new Map(await Promise.all(last));
  }

  /** Subscribers that have not everything yet. Those that were closed come back. */
  async behind(): Promise<string[]> {
    const { subscribers } = this.crowd;
    await Promise.all(subscribers.map((one) => this.crowd.enter(one)));
    return subscribers.flatMap(({ followers }) =>
      [...followers].flatMap(([room, follower]) =>
        follower.has(this.#last.get(room)!) ? [] : [follower.name],
      ),
    );
  }

  async faults(): Promise<string[]> {
    return [...this.#closing.faults, ...(await faultsOf(this.crowd))];
  }
}
