// Published prices, and what a load costs a month by them. Included amounts of Cloudflare's paid plan ($5 a month)
// are not subtracted: they are an account's, not a load's. Taxes, volume discounts and traffic are left out
// everywhere.

/** What Cloudflare bills of a load. */
export interface Bill {
  /** To objects: calls, alarms, upgrades, and a twentieth of the messages that arrive on sockets. */
  readonly requests: number;
  /** To the worker: upgrades, negotiations, and what services publish. */
  readonly workerRequests: number;
  readonly rowsRead: number;
  /** With keys, deleted rows and alarms that are set. */
  readonly rowsWritten: number;
  /** For which an object is active. */
  readonly seconds: number;
}

const PER_MILLION = 1e-6;

/** developers.cloudflare.com/durable-objects/platform/pricing, and /workers/platform/pricing, in dollars. */
export const CLOUDFLARE = {
  requests: 0.15 * PER_MILLION,
  workerRequests: 0.3 * PER_MILLION,
  rowsRead: 0.001 * PER_MILLION,
  rowsWritten: 1 * PER_MILLION,
  /** 128 MB at $12.50 a million GB-s. */
  seconds: 0.128 * 12.5 * PER_MILLION,
} satisfies Record<keyof Bill, number>;

/** An event's time, as Cloudflare's own example has it: 10 ms. Objects here need less, and wait for the disk. */
export const EVENT_SECONDS = 0.01;

/** Counts of test/counts, by name. */
export type Counts = Readonly<Record<string, number>>;

const sum = (counts: Counts, prefix: string): number =>
  Object.entries(counts).reduce((all, [name, count]) => all + (isOf(name, prefix) ? count : 0), 0);

const isOf = (name: string, prefix: string): boolean =>
  name === prefix || (name.startsWith(`${prefix} `) && name !== "alarms set");

export function billOf(counts: Counts, workerRequests = 0): Bill {
  const { "rows read": read = 0, "rows written": written = 0 } = counts;
  const {
    "keys read": keysRead = 0,
    "keys written": keysWritten = 0,
    "alarms set": set = 0,
  } = counts;
  const [calls, alarms, messages] = ["calls", "alarms", "messages"].map((one) => sum(counts, one));
  return {
    requests: calls! + alarms! + messages! / 20,
    workerRequests,
    rowsRead: read + keysRead,
    rowsWritten: written + keysWritten + set,
    seconds: (calls! + alarms! + messages!) * EVENT_SECONDS,
  };
}

const NAMES = ["requests", "workerRequests", "rowsRead", "rowsWritten", "seconds"] as const;

/** `times` times the first, and what is given beside it. */
export function added(first: Bill, times: number, other?: Bill): Bill {
  const entries = NAMES.map((name) => [name, first[name] * times + (other?.[name] ?? 0)] as const);
  return Object.fromEntries(entries) as unknown as Bill;
}

/** The bill of so many clients. */
export type BillOfClients = readonly [clients: number, bill: Bill];

/** What costs by the load: `fixed` for all, and `each` for every client. From counts with few and with many. */
export function perClient([few, billOfFew]: BillOfClients, [many, billOfMany]: BillOfClients) {
  const each = added(added(billOfMany, 1, added(billOfFew, -1)), 1 / (many - few));
  return { each, fixed: added(billOfFew, 1, added(each, -few)) };
}

/** Dollars, by what is billed. */
export const dollarsOf = (bill: Bill): Record<keyof Bill, number> =>
  Object.fromEntries(NAMES.map((name) => [name, bill[name] * CLOUDFLARE[name]])) as Record<
    keyof Bill,
    number
  >;

export const total = (bill: Bill): number =>
  Object.values(dollarsOf(bill)).reduce((all, one) => all + one, 0);

/** A month of a load, as other services bill it. */
export interface Load {
  readonly connections: number;
  readonly channels: number;
  /** Published a month. */
  readonly published: number;
  /** Delivered a month: each message once for each subscriber. */
  readonly delivered: number;
}

const DAYS = 30;
const MINUTES = DAYS * 24 * 60;

/** Standard tier: $49.10 a unit and month with 1,000 connections and a million messages a day, $1 a million beyond. */
export function azureSignalR({ connections, delivered }: Load): number {
  const units = Math.ceil(connections / 1_000);
  const beyond = Math.max(0, delivered - units * DAYS * 1e6);
  return units * 49.1 + beyond * PER_MILLION;
}

/** Standard package: $29, $1 a million minutes of connections and of channels each, $2.50 a million messages. */
export const ably = ({ connections, channels, published, delivered }: Load): number =>
  29 +
  (connections + channels) * MINUTES * PER_MILLION +
  (published + delivered) * 2.5 * PER_MILLION;
