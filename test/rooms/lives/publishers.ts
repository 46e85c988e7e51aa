// Publications of one life: by services, and by subscribers through a method of the hub. Each publisher awaits the
// answer before its next one. With a key it repeats until there is an answer, and sometimes again.

import type { Crowd } from "./crowd.ts";
import type { Publication } from "./plain-log.ts";
import type { Subscriber } from "./subscriber.ts";

export class Publishers {
  readonly #crowd: Crowd;
  /** Publishers at work, by name. */
  readonly #work = new Map<string, Promise<void>>();

  constructor(crowd: Crowd) {
    this.#crowd = crowd;
  }

  /** A service publishes one after another. */
  async #publish(publisher: string, count: number): Promise<void> {
    const { dice, rooms } = this.#crowd.site;
    for (let n = 0; n < count; n++) {
      const room = dice.pick(rooms);
      const { ids } = this.#crowd;
      const excluded = ids.length > 0 && dice.below(3) === 0 ? [dice.pick(ids)] : [];
      const one = this.#crowd.logs.get(room)!.publish(publisher, excluded, dice.below(2) === 0);
      // oxlint-disable-next-line no-await-in-loop -- in their order
      await this.persist(room, one);
    }
  }

  /** With a key until it is answered; without one only once. */
  async persist(room: string, one: Publication): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after another
      const isAnswered = await this.#attempt(room, one).catch(() => false);
      const isRepeated = isAnswered && this.#crowd.site.dice.below(8) === 0;
      if (!one.key || (isAnswered && !isRepeated)) return;
      // oxlint-disable-next-line no-await-in-loop
      if (!isAnswered) await scheduler.wait(5);
    }
    throw new Error(`${one.text} is not answered.`);
  }

  async #attempt(room: string, publication: Publication): Promise<boolean> {
    const { text, key, excluded, answers } = publication;
    const body = {
      ...{ target: "said", arguments: [text] },
      ...(key && { idempotency_key: key }),
      ...(excluded.length > 0 && { excluded }),
    };
    const response = await this.#crowd.site.ask(
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
    return (publication.isAnswered = true);
  }

  /** A subscriber publishes by a method of the hub. */
  async #say(one: Subscriber): Promise<void> {
    const room = one.rooms[0];
    const isKeyed = one.repeats && this.#crowd.site.dice.below(2) === 0;
    const { excludable } = one;
    // A repetition may come from another connection.
    const toOthers = !isKeyed && excludable !== undefined && this.#crowd.site.dice.below(2) === 0;
    const excluded = toOthers ? [excludable] : [];
    const publication = this.#crowd.logs.get(room)!.publish(one.name, excluded, isKeyed);
    const { text, key } = publication;
    for (let attempt = 0; attempt < 200; attempt++) {
      // oxlint-disable no-await-in-loop -- one attempt after another
      if (!this.#crowd.subscribers.includes(one)) return void (publication.isDropped = true);
      if (isKeyed) await this.#crowd.enter(one);
      if (await one.say({ room, text, key, toOthers })) return void (publication.isAnswered = true);
      // oxlint-enable no-await-in-loop
      if (!isKeyed) return;
    }
    throw new Error(`${text} is not answered.`);
  }

  begin(publisher: string): void {
    this.#underWay(publisher, () => this.#publish(publisher, 1 + this.#crowd.site.dice.below(4)));
  }

  speak(one: Subscriber): void {
    if (one.speaks) this.#underWay(one.name, () => this.#say(one));
  }

  #underWay(publisher: string, work: () => Promise<void>): void {
    if (this.#work.has(publisher)) return;
    this.#crowd.site.note(`  ${publisher} publishes`);
    const done = work().finally(() => this.#work.delete(publisher));
    this.#work.set(publisher, done);
  }

  /** When all are answered. */
  async settle(): Promise<void> {
    await Promise.all(this.#work.values());
  }
}
