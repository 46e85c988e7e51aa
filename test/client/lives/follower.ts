// What an application may conclude from the events of a room: whether it has every message once, or was told to reload.

import { parsePosition } from "../../../src/model/topic.ts";

export class Follower {
  readonly name: string;
  /** The position up to which the application has everything; undefined before the first. */
  at: string | undefined;
  /** Messages are missing, and no event has said so yet. */
  isMissing = false;
  readonly faults: string[] = [];

  constructor(name: string, since?: string) {
    this.name = name;
    this.at = since;
  }

  receive(position: string): void {
    if (this.at !== undefined) {
      const [now, before] = [parsePosition(position), parsePosition(this.at)];
      const isSameLog = now.epoch === before.epoch;
      if (isSameLog && now.offset <= before.offset)
        this.faults.push(`${this.name} got ${position} after ${this.at}.`);
      this.isMissing ||= !isSameLog || now.offset !== before.offset + 1;
    }
    this.at = position;
  }

  /** The application was told that it has everything. */
  recover(): void {
    if (this.isMissing) this.faults.push(`${this.name} was recovered at ${this.at} with a gap.`);
  }

  /** The application loads its state again: it then has everything up to here. */
  reload(position: string | undefined): void {
    this.isMissing = false;
    this.at = position ?? this.at;
  }

  /** The faults so far, once everything sent has arrived. */
  look(head: string): string[] {
    const missing = this.isMissing ? [`${this.name} has a gap before ${this.at}.`] : [];
    const behind = this.at === head ? [] : [`${this.name} is at ${this.at}, and not at ${head}.`];
    return [...this.faults, ...missing, ...behind];
  }
}
