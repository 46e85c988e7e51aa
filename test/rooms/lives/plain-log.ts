// The plain model: what was published in a room, how each publication was answered, and what its log must hold of it.

import { parsePosition } from "../../../src/model/topic.ts";

export interface Publication {
  readonly text: string;
  readonly publisher: string;
  /** It is repeated until it is answered. */
  readonly key: string | undefined;
  /** Ids of connections that must not get it. */
  readonly excluded: readonly string[];
  /** Positions of its answers, where they have one. */
  readonly answers: string[];
  isAnswered: boolean;
  /** Its publisher has left before it was answered. */
  isDropped?: boolean;
}

export interface LogEntry {
  readonly position: string;
  readonly text: string;
}

export class PlainLog {
  readonly room: string;
  readonly #publications = new Map<string, Publication>();
  /** Of publishers. */
  readonly #counts = new Map<string, number>();

  constructor(room: string) {
    this.room = room;
  }

  publish(publisher: string, excluded: readonly string[], isKeyed: boolean): Publication {
    const count = this.#counts.get(publisher) ?? 0;
    this.#counts.set(publisher, count + 1);
    const text = textOf(this.room, publisher, count);
    const key = isKeyed ? `key of ${text}` : undefined;
    const publication = { text, publisher, key, excluded, answers: [], isAnswered: false };
    this.#publications.set(text, publication);
    return publication;
  }

  /** Publications that have begun. */
  get begun(): number {
    return this.#publications.size;
  }

  /** The place of a publication among those that have begun. */
  numberOf(text: string): number {
    return [...this.#publications.keys()].indexOf(text);
  }

  excludes(text: string, id: string): boolean {
    return this.#publications.get(text)?.excluded.includes(id) ?? false;
  }

  /** What is wrong with the log as the room has it. */
  faults(entries: readonly LogEntry[]): string[] {
    const places = new Map<string, string[]>();
    for (const { text, position } of entries)
      places.set(text, [...(places.get(text) ?? []), position]);
    const unknown = [...places.keys()].filter((text) => !this.#publications.has(text));
    const wrong = [...this.#publications.values()].flatMap((one) =>
      this.#faultsOf(one, places.get(one.text) ?? []),
    );
    return [
      ...unknown.map((text) => `${this.room} has ${text}.`),
      ...wrong,
      ...this.#order(places),
    ];
  }

  /** With a key once, and at the position of each answer; without one at most once. */
  #faultsOf(
    { text, key, answers, isAnswered, isDropped }: Publication,
    places: readonly string[],
  ): string[] {
    const [place] = places;
    const mayBeMissing = !isAnswered && (!key || isDropped === true);
    const isLegal = places.length === 1 || (places.length === 0 && mayBeMissing);
    if (isLegal && answers.every((answer) => answer === place)) return [];
    return [`${this.room} has ${text} at [${places}], answered with [${answers}].`];
  }

  /** A publisher waits for an answer before it publishes again. One that has none may come later. */
  #order(places: ReadonlyMap<string, readonly string[]>): string[] {
    return [...this.#counts].flatMap(([publisher, count]) => {
      const offsets = Array.from({ length: count }, (_, n) => textOf(this.room, publisher, n))
        .filter((text) => this.#publications.get(text)!.isAnswered)
        .flatMap((text) => places.get(text) ?? [])
        .map((position) => parsePosition(position).offset);
      const isRising = offsets.every((offset, n) => n === 0 || offset > offsets[n - 1]!);
      return isRising ? [] : [`${this.room}: ${publisher} is at ${offsets}.`];
    });
  }
}

const textOf = (room: string, publisher: string, count: number): string =>
  `${room} ${publisher}/${count}`;
