// What one subscriber received of one room, session by session, and what it must have received.

import { formatPosition, parsePosition, type Position } from "../../../src/model/topic.ts";
import type { LogEntry, PlainLog } from "./plain-log.ts";

interface Session {
  readonly id: string;
  /** The earlier connection, if it was named: its replay leaves out what has excluded that one, too. */
  readonly earlier: string | undefined;
  /** Where it begins; undefined before the answer to a join from nowhere. */
  from: Position | undefined;
  /** Where its replay ends. */
  replayed: Position | undefined;
  /** Messages by their texts, all others without. */
  readonly heard: { readonly at: Position; readonly text: string | undefined }[];
}

export interface Beginning {
  readonly id: string;
  readonly earlier: string | undefined;
  /** Of the room, when the session begins. */
  readonly position: string;
  readonly recovered: boolean;
}

export class Follower {
  readonly name: string;
  readonly #sessions: Session[] = [];
  readonly #faults: string[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Where the client would resume. */
  get since(): string | undefined {
    const end = this.#sessions.findLast(endOf);
    return end && formatPosition(endOf(end)!);
  }

  begin(beginning: Beginning, since: string | undefined): void {
    const { id, earlier, position, recovered } = beginning;
    if (since !== undefined && !recovered)
      this.#faults.push(`${this.name} is not recovered at ${since}, of ${position}.`);
    const from = parsePosition(recovered && since !== undefined ? since : position);
    this.#sessions.push({ id, earlier, from, replayed: parsePosition(position), heard: [] });
  }

  /** The same, where messages may come before the answer. */
  join({ id, earlier }: Pick<Beginning, "id" | "earlier">, since: string | undefined): void {
    const from = since === undefined ? undefined : parsePosition(since);
    this.#sessions.push({ id, earlier, from, replayed: undefined, heard: [] });
  }

  joined({ position, recovered }: Omit<Beginning, "id" | "earlier">): void {
    const session = this.#sessions.at(-1)!;
    session.replayed = parsePosition(position);
    if (session.from && !recovered) this.#faults.push(`${this.name} is not recovered.`);
    session.from ??= earlierOf(session.replayed, session.heard[0]?.at);
  }

  /** Messages were lost. */
  reset(): void {
    this.#faults.push(`${this.name} is reset after ${this.since}.`);
  }

  hear(position: string, text: string | undefined): void {
    this.#sessions.at(-1)!.heard.push({ at: parsePosition(position), text });
  }

  has(text: string): boolean {
    return this.#sessions.some(({ heard }) => heard.some((one) => one.text === text));
  }

  /** Compares with the log, as the room has it. */
  faults(log: PlainLog, entries: readonly LogEntry[]): string[] {
    const texts = new Map(entries.map(({ position, text }) => [position, text]));
    const wrong = this.#sessions.flatMap((session, number) =>
      faultsOf(session, texts, log).map((fault) => `${this.name}, session ${number}: ${fault}`),
    );
    return [...this.#faults, ...wrong];
  }
}

const endOf = ({ from, heard }: Session): Position | undefined => heard.at(-1)?.at ?? from;

/** The position, or the one before the first message if that is earlier. */
function earlierOf(position: Position, first: Position | undefined): Position {
  const before = first && { ...first, offset: first.offset - 1 };
  return before && before.offset < position.offset ? before : position;
}

/** Whether the connection must not get the message at this offset. */
const isExcluded = (
  { id, earlier, replayed }: Session,
  { offset, text }: { readonly offset: number; readonly text: string },
  log: PlainLog,
): boolean =>
  log.excludes(text, id) ||
  (earlier !== undefined && offset <= replayed!.offset && log.excludes(text, earlier));

/** Every offset from the beginning to the last came once and in order, except messages that excluded the connection. */
function faultsOf(session: Session, texts: ReadonlyMap<string, string>, log: PlainLog): string[] {
  const faults: string[] = [];
  const from = session.from ?? earlierOf({ epoch: "", offset: Infinity }, session.heard[0]?.at);
  const { epoch } = from;
  let { offset } = from;
  for (const { at, text } of session.heard) {
    if (at.epoch !== epoch || at.offset <= offset) {
      faults.push(`${formatPosition(at)} after ${epoch}:${offset}.`);
      continue;
    }
    for (offset += 1; offset < at.offset; offset += 1) {
      const missed = texts.get(`${epoch}:${offset}`);
      if (missed === undefined || !isExcluded(session, { offset, text: missed }, log))
        faults.push(`${epoch}:${offset} is missing, ${missed ?? "no message"}.`);
    }
    const logged = texts.get(formatPosition(at));
    if (logged !== text) faults.push(`${text} at ${formatPosition(at)} is ${logged} in the log.`);
    else if (text !== undefined && isExcluded(session, { offset, text }, log))
      faults.push(`${text} has excluded it.`);
  }
  return faults;
}
