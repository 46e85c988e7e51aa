// Selects the relay of a connection. The relays of a group fill up level by level, with 1, 2, 4, … relays on each. If a
// relay is full, the client goes to the next level, where a hash of its key (or chance) selects one, without a lookup.

/** Relays that fill up together: those of one region, for the whole hub or for one full room. */
interface RelayGroup {
  /** A location hint of the platform's, or `any`. */
  readonly region: string;
  /** The room whose sockets overflow into these relays, as a topic; absent: relays of the whole hub. */
  readonly room?: string;
}

/** With 5,000 sockets for each relay, enough for 300 million in one region. */
export const LEVELS = 16;

/** `region.level.index`, then a comma and the room, if there is one. */
export const relayName = ({ region, room }: RelayGroup, level: number, key: number): string =>
  `${region}.${level}.${key % 2 ** level}${room === undefined ? "" : `,${room}`}`;

const NAME = /^(?<region>[a-z-]+)\.(?<level>0|[1-9]\d*)\.(?<index>0|[1-9]\d*)(?:,(?<room>.+))?$/s;

/** The group and level of a relay. Undefined for any other text, so that invented names create no objects. */
export function parseRelayName(name: string): (RelayGroup & { level: number }) | undefined {
  const groups = NAME.exec(name)?.groups;
  const { region = "", level, index, room } = groups ?? {};
  const isValid = Number(level) < LEVELS && Number(index) < 2 ** Number(level);
  if (!isValid || !REGIONS.has(region)) return undefined;
  return { region, level: Number(level), ...(room !== undefined && { room }) };
}

/** Location hints for relays, by the client's continent (Cloudflare's codes). */
const HINTS: ReadonlyMap<string, DurableObjectLocationHint> = new Map([
  ["EU", "weur"],
  ["NA", "enam"],
  ["SA", "sam"],
  ["AS", "apac"],
  ["OC", "oc"],
  ["AF", "afr"],
]);

const REGIONS: ReadonlySet<string> = new Set(["any", ...HINTS.values()]);

export const hintOf = (continent: unknown): DurableObjectLocationHint | undefined =>
  typeof continent === "string" ? HINTS.get(continent) : undefined;

/** The key of a client that names itself: it leads to the same relay of each level, every time. */
export const clientKey = (userId: string, client: string): string =>
  JSON.stringify([userId, client]);
