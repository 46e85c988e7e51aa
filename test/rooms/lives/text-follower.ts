// What one subscriber received of one room in a protocol without positions: each session has a part of the log without
// gaps. It begins with the first message that was published after the join, or earlier: a relay that was behind when it
// woke delivers what its older members have missed to all.

import type { LogEntry, PlainLog } from "./plain-log.ts";

interface Session {
  readonly id: string;
  /** The number of messages whose publication had begun when the join was answered; undefined before. */
  begun: number | undefined;
  readonly heard: string[];
}

export class TextFollower {
  readonly name: string;
  readonly #log: PlainLog;
  readonly #sessions: Session[] = [];

  constructor(name: string, log: PlainLog) {
    [this.name, this.#log] = [name, log];
  }

  join(id: string): void {
    this.#sessions.push({ id, begun: undefined, heard: [] });
  }

  joined(): void {
    this.#sessions.at(-1)!.begun = this.#log.begun;
  }

  hear(text: string): void {
    this.#sessions.at(-1)!.heard.push(text);
  }

  /** In its latest session. */
  has(text: string): boolean {
    return this.#sessions.at(-1)?.heard.includes(text) ?? false;
  }

  faults(log: PlainLog, entries: readonly LogEntry[]): string[] {
    return this.#sessions.flatMap((session, number) =>
      faultsOf(session, log, entries).map((fault) => `${this.name}, session ${number}: ${fault}`),
    );
  }
}

function faultsOf(
  { id, begun, heard }: Session,
  log: PlainLog,
  entries: readonly LogEntry[],
): string[] {
  const own = entries.filter(({ text }) => !log.excludes(text, id));
  const first = own.findIndex(({ text }) => text === heard[0]);
  if (heard.length === 0) return [];
  const expected = own.slice(Math.max(first, 0)).slice(0, heard.length);
  const faults: string[] = [];
  if (expected.map(({ text }) => text).join() !== heard.join())
    faults.push(`${heard} of ${own.map(({ text }) => text)}.`);
  const missed = own
    .slice(0, Math.max(first, 0))
    .filter(({ text }) => log.numberOf(text) >= begun!);
  if (begun !== undefined && missed.length > 0)
    faults.push(`${missed.map(({ text }) => text)} is missing before ${heard[0]}.`);
  return faults;
}
