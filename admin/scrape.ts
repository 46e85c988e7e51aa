// Prometheus' text of `/api/metrics`, summed up by hub. Counters are the hub's own: those of rooms end with their
// series. Without DOM.

/** Sums over the rooms and relays of a hub. */
export interface Figures {
  readonly connections: number;
  readonly in: number;
  readonly out: number;
  readonly refusals: number;
  readonly objects: number;
  readonly storedBytes: number;
  /** Seconds of all deliveries, and their number. */
  readonly deliverySeconds: number;
  readonly deliveries: number;
  /** The same of calls. */
  readonly callSeconds: number;
  readonly calls: number;
}

/** Of one code in a hub. */
export interface Refusals {
  readonly hub: string;
  readonly code: string;
  readonly count: number;
}

/** Of one code in a room or relay. */
export interface RoomRefusals extends Refusals {
  readonly room: string;
}

export interface Scrape {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly hubs: ReadonlyMap<string, Figures>;
  /** Hubs whose index did not answer. */
  readonly down: ReadonlySet<string>;
  readonly refusals: readonly Refusals[];
  /** By the 500 busiest rooms of each hub, and its relays. */
  readonly roomRefusals: readonly RoomRefusals[];
}

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^(\w+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

const unescaped = (text: string): string =>
  text.replaceAll(/\\(.)/g, (_, letter: string) => (letter === "n" ? "\n" : letter));

/** Samples in their order. Lines that are none are left out: comments, and what a newer server may add. */
export const samplesOf = (text: string): Sample[] =>
  text.split("\n").flatMap((line) => {
    const [, name, labels = "", value] = LINE.exec(line) ?? [];
    if (name === undefined) return [];
    const pairs = [...labels.matchAll(LABEL)].map(([, key, given]) => [key!, unescaped(given!)]);
    return [{ name, labels: Object.fromEntries(pairs) as Sample["labels"], value: Number(value) }];
  });

/** Series, without their prefix, and the figure that they add to. */
const SUMMED: ReadonlyMap<string, keyof Figures> = new Map([
  ["dormouse_connections", "connections"],
  ["dormouse_hub_messages_in_total", "in"],
  ["dormouse_hub_messages_out_total", "out"],
  ["dormouse_hub_refusals_total", "refusals"],
  ["dormouse_objects", "objects"],
  ["dormouse_stored_bytes", "storedBytes"],
  ["dormouse_delivery_seconds_sum", "deliverySeconds"],
  ["dormouse_delivery_seconds_count", "deliveries"],
  ["dormouse_call_seconds_sum", "callSeconds"],
  ["dormouse_call_seconds_count", "calls"],
]);

const NOTHING: Figures = {
  ...{ connections: 0, in: 0, out: 0, refusals: 0, objects: 0, storedBytes: 0 },
  ...{ deliverySeconds: 0, deliveries: 0, callSeconds: 0, calls: 0 },
};

export function scrapeOf(text: string, at: number): Scrape {
  const hubs = new Map<string, Figures>();
  const down = new Set<string>();
  const refusals: Refusals[] = [];
  const roomRefusals: RoomRefusals[] = [];
  for (const { name, labels, value } of samplesOf(text)) {
    const { hub = "", room = "", code = "" } = labels;
    const figures = hubs.get(hub) ?? NOTHING;
    const figure = SUMMED.get(name);
    if (hub) hubs.set(hub, figure ? { ...figures, [figure]: figures[figure] + value } : figures);
    if (name === "dormouse_hub_up" && value === 0) down.add(hub);
    const counted = { hub, code, count: value };
    if (name === "dormouse_hub_refusals_total") refusals.push(counted);
    if (name === "dormouse_refusals_total") roomRefusals.push({ ...counted, room });
  }
  return { at, hubs, down, refusals, roomRefusals };
}

/** A hub that does not answer has no samples: it keeps those of the scrape before. */
export function withLastKnown(scrape: Scrape, before: Scrape): Scrape {
  const isDown = ({ hub }: Refusals): boolean => scrape.down.has(hub);
  const known = [...before.hubs].filter(([hub]) => scrape.down.has(hub));
  return {
    ...scrape,
    hubs: new Map([...scrape.hubs, ...known]),
    refusals: [...scrape.refusals, ...before.refusals.filter(isDown)],
    roomRefusals: [...scrape.roomRefusals, ...before.roomRefusals.filter(isDown)],
  };
}
