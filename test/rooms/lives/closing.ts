// Services that close connections: those of the hub, a room or a user, and those of revoked tokens.

import { vi } from "vitest";
import { isConnected } from "./compared.ts";
import { USERS, type Crowd } from "./crowd.ts";
import type { Subscriber } from "./subscriber.ts";

/** Of the real clock. */
const LATE_MS = 10_000;

export class Closing {
  readonly #crowd: Crowd;
  readonly faults: string[] = [];

  constructor(crowd: Crowd) {
    this.#crowd = crowd;
  }

  all(): Promise<void> {
    return this.#close("", () => true);
  }

  room(): Promise<void> {
    const { dice, rooms } = this.#crowd.site;
    const room = dice.pick(rooms);
    const path = dice.below(2) === 0 ? `/groups/${room.slice("group:".length)}` : `/rooms/${room}`;
    return this.#close(path, (one) => one.rooms.includes(room));
  }

  user(): Promise<void> {
    const user = this.#crowd.site.dice.pick(USERS);
    return this.#close(`/users/${user}`, (one) => one.user === user);
  }

  async revoke(): Promise<void> {
    const { site } = this.#crowd;
    const user = site.dice.pick(USERS);
    // Without it a revocation is kept for good.
    const body = { expire_at: Math.floor(Date.now() / 1_000) + 3_600 };
    await this.#end(`/users/${user}/:revoke`, (one) => one.user === user, body);
    await site.pass(2);
  }

  /** Some are excluded, and stay. */
  async #close(path: string, isMeant: (one: Subscriber) => boolean): Promise<void> {
    const { ids, site } = this.#crowd;
    const spared = site.dice.below(2) === 0 ? ids.slice(0, 1) : [];
    const query = spared.map((id) => `?excluded=${encodeURIComponent(id)}`).join("");
    const isClosed = (one: Subscriber) => isMeant(one) && !spared.includes(one.excludable ?? "");
    await this.#end(`${path}/:closeConnections${query}`, isClosed);
  }

  /** A service closes connections: all that are meant end, and no others. */
  async #end(path: string, isClosed: (one: Subscriber) => boolean, body?: object): Promise<void> {
    await vi.waitUntil(() => isConnected(this.#crowd));
    const { here } = this.#crowd;
    const [meant, others] = [here.filter(isClosed), here.filter((one) => !isClosed(one))];
    this.#crowd.site.note(
      `  ${path}: ${meant.map(({ name }) => name)}, not ${others.map(({ name }) => name)}`,
    );
    const response = await this.#crowd.site.ask("POST", path, body);
    if (response.status >= 300) this.faults.push(`${path}: ${response.status}.`);
    await response.body?.cancel();
    const ended = Promise.all(meant.map(({ gone }) => gone)).then(() => true);
    const isLate = scheduler.wait(LATE_MS).then(() => false);
    if (!(await Promise.race([ended, isLate])))
      this.faults.push(
        `${path} leaves ${meant.filter((one) => one.isHere).map(({ name }) => name)}.`,
      );
    const gone = others.filter((one) => !one.isHere).map(({ name }) => name);
    if (gone.length > 0) this.faults.push(`${path} ends ${gone}.`);
  }
}
