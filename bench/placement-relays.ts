// Relays that fill up level by level, as clients choose them (src/edge/admit/relay-choice.ts): each client has a
// hash, which names one relay on each level, and enters the first that has room.

interface RelaysOptions {
  /** The relay that a hash names on a level. */
  name(level: number, hash: number): string;
  readonly levels: number;
  /** Connections of one relay. */
  readonly capacity: number;
  readonly random: () => number;
}

export interface Placed {
  readonly relay: string;
  /** Relays asked, with the one that had room. */
  readonly asked: number;
}

export interface Level {
  readonly level: number;
  readonly relays: number;
  readonly connections: number;
}

export class Relays {
  readonly #options: RelaysOptions;
  readonly #counts = new Map<string, number>();
  readonly #levels = new Map<string, number>();

  constructor(options: RelaysOptions) {
    this.#options = options;
  }

  /** Undefined where every relay is full. */
  place(): Placed | undefined {
    const { name, levels, capacity, random } = this.#options;
    const hash = random();
    for (let level = 0; level < levels; level++) {
      const relay = name(level, hash);
      const count = this.#counts.get(relay) ?? 0;
      if (count >= capacity) continue;
      this.#counts.set(relay, count + 1);
      this.#levels.set(relay, level);
      return { relay, asked: level + 1 };
    }
    return undefined;
  }

  state(): Level[] {
    const levels: Level[] = [];
    for (const [relay, connections] of this.#counts) {
      const level = this.#levels.get(relay)!;
      const { relays = 0, connections: sum = 0 } = levels[level] ?? {};
      levels[level] = { level, relays: relays + 1, connections: sum + connections };
    }
    return levels;
  }

  /** Connections of each relay. */
  loads(): number[] {
    return [...this.#counts.values()];
  }

  /** One in so many relays, by chance, loses its connections and is empty again. */
  restart(oneIn: number): { readonly relays: number; readonly connections: number } {
    const lost = this.#chosen(oneIn);
    const connections = [...lost].reduce((sum, relay) => sum + this.#counts.get(relay)!, 0);
    for (const relay of lost) this.#counts.set(relay, 0);
    return { relays: lost.size, connections };
  }

  /**
   * One in so many relays does not answer, and is passed by like a full one. The share of attempts to connect that find
   * no relay with room, as the mean of several choices of relays.
   */
  failing(oneIn: number, { draws, attempts }: { draws: number; attempts: number }) {
    const shares = Array.from({ length: draws }, () => {
      const down = this.#chosen(oneIn);
      const failed = Array.from({ length: attempts }, () => this.#fails(down)).filter(Boolean);
      return failed.length / attempts;
    });
    return shares.reduce((sum, share) => sum + share, 0) / draws;
  }

  #fails(down: ReadonlySet<string>): boolean {
    const { name, levels, capacity, random } = this.#options;
    const hash = random();
    for (let level = 0; level < levels; level++) {
      const relay = name(level, hash);
      if (down.has(relay)) continue;
      if ((this.#counts.get(relay) ?? 0) < capacity) return false;
    }
    return true;
  }

  #chosen(oneIn: number): Set<string> {
    const left = [...this.#counts.keys()];
    const chosen = new Set<string>();
    const count = Math.round(left.length / oneIn);
    while (chosen.size < count) chosen.add(left[this.#options.random() % left.length]!);
    return chosen;
  }
}
