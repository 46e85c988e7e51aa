// A room of the modelled server: its log, which forgets old entries, its members and its presence.

import { formatPosition, isAfter, parsePosition } from "../../../src/model/topic.ts";
import type { ModelLink } from "./model-link.ts";

export interface Entry {
  readonly method: string;
  readonly params: unknown;
  readonly room: string;
  readonly position: string;
}

export class ModelRoom {
  readonly name: string;
  readonly members = new Set<ModelLink>();
  /** States by user. */
  readonly users = new Map<string, unknown>();
  state: Record<string, unknown> = { n: 0 };
  #epoch: string;
  #offset = 0;
  #entries: Entry[] = [];

  constructor(name: string, epoch: string) {
    this.name = name;
    this.#epoch = epoch;
  }

  get position(): string {
    return formatPosition({ epoch: this.#epoch, offset: this.#offset });
  }

  publish(method: string, params: unknown): void {
    this.#offset += 1;
    const entry = { method, params, room: this.name, position: this.position };
    this.#entries.push(entry);
    for (const member of this.members) member.post(entry);
  }

  change(key: string, value: unknown): void {
    this.state = { ...this.state, [key]: value };
    this.publish("$/state", [{ patch: { [key]: value } }]);
  }

  /** Undefined if the log no longer has all entries after `since`. */
  missed(since: string | undefined): Entry[] | undefined {
    if (since === undefined) return undefined;
    const { epoch, offset } = parsePosition(since);
    const oldest = this.#offset - this.#entries.length;
    if (epoch !== this.#epoch || offset < oldest || offset > this.#offset) return undefined;
    return this.#entries.filter(({ position }) => isAfter(position, since));
  }

  /** The history is gone beyond its newest entries. */
  forget(kept: number): void {
    this.#entries = kept === 0 ? [] : this.#entries.slice(-kept);
  }

  /** A restart that has lost the log. Members are connected no longer. */
  restart(epoch: string): void {
    this.#epoch = epoch;
    this.#offset = 0;
    this.#entries = [];
  }

  enter(link: ModelLink): void {
    if (this.members.has(link)) return;
    const isNew = !this.users.has(link.userId);
    if (isNew) this.users.set(link.userId, null);
    if (isNew) this.#announce({ joined: [{ userId: link.userId, since: 0 }] });
    this.members.add(link);
  }

  leave(link: ModelLink): void {
    if (!this.members.delete(link)) return;
    if ([...this.members].some(({ userId }) => userId === link.userId)) return;
    this.part(link.userId);
  }

  /** A user of other clients arrives. */
  meet(userId: string): void {
    if (this.users.has(userId)) return;
    this.users.set(userId, null);
    this.#announce({ joined: [{ userId, since: 0 }] });
  }

  part(userId: string): void {
    if (!this.users.delete(userId)) return;
    this.#announce({ left: [userId] });
  }

  track(userId: string, state: unknown): void {
    if (!this.users.has(userId)) return;
    this.users.set(userId, state);
    this.publish("$/presence", { tracked: [{ userId, state }] });
  }

  #announce(change: object): void {
    const users = this.users.size;
    this.publish("$/presence", { users, connections: users, ...change });
  }

  get present() {
    const members = [...this.users].map(([userId, state]) => ({ userId, since: 0, state }));
    const users = this.users.size;
    return { users, connections: users, members, more: false };
  }
}
