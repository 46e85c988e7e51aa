// Which relay a connection goes to. Relays stand in levels of 1, 2, 4, … near a region; a full one sends to the next
// level, where a hash of the client's key (or chance) chooses. Nothing has to be looked up.

/** Relays of one group fill up level by level. */
export interface RelayGroup {
  /** A location hint of the platform's, or `any`. */
  readonly region: string;
  /** The room whose sockets overflow into these relays, as a topic; absent: relays of the whole hub. */
  readonly room?: string;
}

/** Beyond it a hub of 5,000 sockets a relay has more than 300 million in one region. */
export const LEVELS = 16;

/** `region.level.index`, and the room behind a comma. */
export const relayName = ({ region, room }: RelayGroup, level: number, key: number): string =>
  `${region}.${level}.${key % 2 ** level}${room === undefined ? "" : `,${room}`}`;

const NAME = /^(?<region>[a-z-]+)\.(?<level>\d+)\.(?<index>\d+)(?:,(?<room>.+))?$/s;

/** The group and level of a relay. Undefined for what is no relay's name: nobody makes objects by inventing some. */
export function parseRelayName(name: string): (RelayGroup & { level: number }) | undefined {
  const groups = NAME.exec(name)?.groups;
  const { region = "", level, index, room } = groups ?? {};
  const isOne = Number(level) < LEVELS && Number(index) < 2 ** Number(level);
  if (!isOne || !REGIONS.has(region)) return undefined;
  return { region, level: Number(level), ...(room !== undefined && { room }) };
}

/** FNV-1a over UTF-16 units: spreads, and needs no secrecy. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++)
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}

/** Where the platform shall make a relay for clients of a continent (Cloudflare's codes and hints). */
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
