// What was said in a group and what its listeners heard, where nothing on the wire numbers it: SignalR has no
// positions. Says what is wrong; pure but for the clock it is given.

interface Saying {
  readonly saidAt: number;
  ackedAt: number | undefined;
}

interface Listening {
  /** In order. */
  readonly heard: string[];
  readonly heardAt: Map<string, number>;
  readonly repeated: string[];
  readonly breaks: Break[];
}

/** What was under way at a break may be lost with the socket: SignalR's clients confirm nothing. */
interface Break {
  readonly from: number;
  /** When the server knew. */
  until: number;
}

/** How long something may be under way from the acknowledgment to the listener. */
const UNDER_WAY_MS = 1_000;

export class Account {
  readonly #now: () => number;
  readonly #said = new Map<string, Saying>();
  readonly #counts = new Map<string, number>();
  readonly #listeners = new Map<string, Listening>();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The next stamp of this speaker. */
  stamp(speaker: string): string {
    const n = this.#counts.get(speaker) ?? 0;
    this.#counts.set(speaker, n + 1);
    this.#said.set(`${speaker}/${n}`, { saidAt: this.#now(), ackedAt: undefined });
    return `${speaker}/${n}`;
  }

  acked(stamp: string): void {
    this.#said.get(stamp)!.ackedAt = this.#now();
  }

  listener(name: string): (stamp: string) => void {
    const listening: Listening = { heard: [], heardAt: new Map(), repeated: [], breaks: [] };
    this.#listeners.set(name, listening);
    return (stamp) => {
      if (listening.heardAt.has(stamp)) listening.repeated.push(stamp);
      listening.heardAt.set(stamp, this.#now());
      listening.heard.push(stamp);
    };
  }

  /** A listener is cut off from now on; call what it gives when the server knows, if that is not within `withinMs`. */
  broke(name: string, withinMs = Infinity): () => void {
    const from = this.#now();
    const broken = { from, until: from + withinMs };
    this.#listeners.get(name)!.breaks.push(broken);
    return () => void (broken.until = Math.min(broken.until, this.#now()));
  }

  get totals(): { said: number; acked: number; heard: number } {
    const heard = [...this.#listeners.values()].reduce((sum, one) => sum + one.heard.length, 0);
    return { said: this.#said.size, acked: this.#acked.length, heard };
  }

  get #acked(): string[] {
    return [...this.#said].flatMap(([stamp, { ackedAt }]) => (ackedAt === undefined ? [] : stamp));
  }

  /** What was acknowledged and the listener has not heard. */
  missing(name: string): string[] {
    const { heardAt } = this.#listeners.get(name)!;
    return this.#acked.filter((stamp) => !heardAt.has(stamp));
  }

  /** The same, without what may have been under way when the listener's wire broke. */
  lost(name: string): string[] {
    const { breaks } = this.#listeners.get(name)!;
    return this.missing(name).filter((stamp) => {
      const { saidAt, ackedAt } = this.#said.get(stamp)!;
      return !breaks.some(({ from, until }) => saidAt <= until && ackedAt! >= from - UNDER_WAY_MS);
    });
  }

  /** Empty where every listener heard, in one order, all that was acknowledged and was not under way at a break. */
  violations(): string[] {
    return [...this.#listeners].flatMap(([name, { heard, repeated }]) => [
      ...repeated.map((stamp) => `dup: ${name} heard ${stamp} again`),
      ...this.lost(name).map((stamp) => `gap: ${name} has not heard ${stamp}`),
      ...heard.filter((stamp) => !this.#said.has(stamp)).map((stamp) => `phantom: ${stamp}`),
      ...outOfTurn(heard).map((stamp) => `order: ${name} heard ${stamp} late`),
      ...this.#forks(name),
    ]);
  }

  /** Against those who come after it in the list: what both heard, they heard in one order. */
  #forks(name: string): string[] {
    const names = [...this.#listeners.keys()];
    const mine = this.#listeners.get(name)!;
    return names.slice(names.indexOf(name) + 1).flatMap((other) => {
      const theirs = this.#listeners.get(other)!;
      const ours = new Set(mine.heard.filter((stamp) => theirs.heardAt.has(stamp)));
      const same = new Set(theirs.heard.filter((stamp) => mine.heardAt.has(stamp)));
      return [...ours].join() === [...same].join() ? [] : [`fork: ${name} and ${other}`];
    });
  }
}

/** Stamps that come after a later one of the same speaker. */
function outOfTurn(heard: readonly string[]): string[] {
  const last = new Map<string, number>();
  return heard.filter((stamp) => {
    const [speaker = "", count] = stamp.split("/");
    const [n, before] = [Number(count), last.get(speaker) ?? -1];
    last.set(speaker, Math.max(n, before));
    return n < before;
  });
}
