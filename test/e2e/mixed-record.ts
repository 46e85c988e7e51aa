// What was said in one room and what its listeners heard of it: those with positions by the ledger; SignalR's, who have
// none, by the order that the others saw.

import { Ledger, type Heard, type Resumed } from "../support/ledger.ts";

export class RoomRecord {
  readonly room: string;
  readonly ledger = new Ledger();
  /** Stamps by their place in the room. */
  readonly #placed = new Map<number, string>();
  /** What a listener without positions heard, by its connections. */
  readonly #lives = new Map<string, string[][]>();
  /** Returns that the room could not make whole. */
  readonly resets: string[] = [];
  returns = 0;

  constructor(room: string) {
    this.room = room;
  }

  heard(listener: string, heard: Heard): void {
    this.ledger.heard(listener, heard);
    if (heard.stamp) this.#placed.set(Number(heard.position.split(":")[1]), heard.stamp);
  }

  /** A listener with positions came (back). */
  came(listener: string, resumed: Resumed): void {
    const isBack = this.ledger.position(listener, this.room) !== undefined;
    if (isBack) this.returns += 1;
    if (isBack && !resumed.recovered) this.resets.push(listener);
    this.ledger.resumed(listener, resumed);
  }

  /** A connection without positions begins: what it hears first is where it stands. */
  begins(listener: string): void {
    this.#lives.set(listener, [...(this.#lives.get(listener) ?? []), []]);
  }

  heardUnplaced(listener: string, stamp: string): void {
    this.#lives.get(listener)!.at(-1)!.push(stamp);
  }

  get #order(): string[] {
    return [...this.#placed].toSorted(([a], [b]) => a - b).map(([, stamp]) => stamp);
  }

  isComplete(listener: string): boolean {
    const lives = this.#lives.get(listener);
    if (!lives) return this.ledger.isComplete(listener, this.room);
    return lives.at(-1)!.at(-1) === this.#order.at(-1);
  }

  livesOf(listener: string): number {
    return this.#lives.get(listener)!.length;
  }

  /** Deliveries to those without positions. */
  get unplaced(): number {
    return [...this.#lives.values()].flat(2).length;
  }

  /** Each connection must have heard one unbroken piece of what the room said. */
  get violations(): string[] {
    const places = new Map(this.#order.map((stamp, place) => [stamp, place]));
    const broken = [...this.#lives].flatMap(([listener, lives]) =>
      lives.flatMap((life) => brokenIn(life, places).map((what) => `${listener}: ${what}`)),
    );
    return [...this.ledger.violations, ...broken];
  }
}

function brokenIn(life: readonly string[], places: ReadonlyMap<string, number>): string[] {
  return life.flatMap((stamp, i) => {
    const place = places.get(stamp);
    if (place === undefined) return [`phantom: ${stamp}`];
    const before = i === 0 ? place - 1 : (places.get(life[i - 1]!) ?? place - 1);
    if (place === before + 1) return [];
    return [`${place > before ? "gap" : "dup or order"}: ${stamp} after ${life[i - 1]}`];
  });
}

/** `p/7 group:a xxx`, as speakers say it. */
export function parsed(text: string): { stamp: string; room: string } {
  const [stamp = "", room = ""] = text.split(" ");
  return { stamp, room };
}
