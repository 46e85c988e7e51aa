// `npm run bench -- costs`: what loads of 1,000 clients cost a month, from the counted operations
// (test/counts/expected.ts) and published prices. A pure function of both.

import { parseArgs } from "node:util";
import { EXPECTED } from "../test/counts/expected.ts";
import {
  BY_SIGNALR,
  IN_GROUPS,
  IN_ONE_ROOM,
  IN_ROOMS,
  titleOf,
  type IdleLoad,
} from "../test/counts/idle-loads.ts";
import {
  ably,
  added,
  azureSignalR,
  billOf,
  dollarsOf,
  perClient,
  total,
  type Bill,
  type BillOfClients,
  type Load,
} from "./prices.ts";

const HELP = `npm run bench -- costs

Prints, for 1,000 clients and a month of 30 days, what Cloudflare would bill for what was counted (npm run bench --
counts), in dollars, beside Azure SignalR Service and Ably. Formulas and prices are in bench/prices.ts.
`;

const CLIENTS = 1_000;
const HOURS = 30 * 24;
const MINUTES = HOURS * 60;
const SECONDS = MINUTES * 60;
const CHATTERS = 50;
const ROOMS = CLIENTS / CHATTERS;
const UPDATES = 10;

interface Row {
  readonly title: string;
  /** A month of all clients. */
  readonly bill: Bill;
  readonly load: Load;
}

function counted(title: string, workerRequests = 0): Bill {
  const counts = EXPECTED[title];
  if (!counts) throw new Error(`Nothing was counted of "${title}".`);
  return billOf(counts, workerRequests);
}

/** An hour of idle clients, who may share objects. */
function idleHour(load: IdleLoad) {
  const of = (clients: number): BillOfClients => [
    clients,
    added(counted(titleOf(load, clients)), 1 / load.hours),
  ];
  const [few, many] = load.crowds;
  return perClient(of(few), of(many));
}

const idle = (title: string, idleLoad: IdleLoad, channels: number): Row => {
  const { each, fixed } = idleHour(idleLoad);
  return {
    title,
    bill: added(added(each, CLIENTS, fixed), HOURS),
    load: { connections: CLIENTS, channels, published: 0, delivered: 0 },
  };
};

/** What is left of a client's hour without what all clients have in common. */
function updates(title: string, hour: string, idleLoad: IdleLoad): Row {
  const { fixed } = idleHour(idleLoad);
  const each = added(fixed, -1, counted(hour, UPDATES));
  const messages = CLIENTS * UPDATES * HOURS;
  return {
    title,
    bill: added(added(each, CLIENTS, fixed), HOURS),
    load: { connections: CLIENTS, channels: CLIENTS, published: messages, delivered: messages },
  };
}

const chat = (title: string, minute: string): Row => ({
  title,
  bill: added(counted(minute), ROOMS * MINUTES),
  load: {
    connections: CLIENTS,
    channels: ROOMS,
    published: ROOMS * SECONDS,
    delivered: CLIENTS * SECONDS,
  },
});

export const rows = (): Row[] => [
  idle("idle, all in one room", IN_ONE_ROOM, 1),
  idle("idle, each in a room of its own", IN_ROOMS, CLIENTS),
  idle("idle, SignalR clients of a hub", BY_SIGNALR, CLIENTS),
  idle("the same, in a group each", IN_GROUPS, CLIENTS),
  chat("chat in rooms of 50", "a message each second for a minute, in a room of 50"),
  chat(
    "the same over SignalR",
    "a message each second for a minute, over a relay to a group of 50",
  ),
  updates(
    "orders by REST, 10 an hour each",
    "10 updates in an hour, by REST to a client in its room",
    IN_ROOMS,
  ),
  updates(
    "the same to SignalR clients",
    "10 updates in an hour, by REST to a SignalR client on a relay",
    IN_GROUPS,
  ),
];

const money = (dollars: number): string =>
  dollars >= 100 ? `$${Math.round(dollars).toLocaleString("en")}` : `$${dollars.toFixed(2)}`;

const amount = (count: number): string =>
  count >= 1e6
    ? `${(count / 1e6).toFixed(1)} M`
    : count >= 1e4
      ? `${Math.round(count / 1e3)} k`
      : Math.round(count).toLocaleString("en");

export function table(): string {
  const head = [
    "| a month | requests | rows written | rows read | active s " +
      "| Cloudflare | of it rows | duration | Azure | Ably |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
  ];
  const lines = rows().map(({ title, bill, load }) => {
    const { rowsRead, rowsWritten, seconds } = dollarsOf(bill);
    const cells = [
      ...[title, amount(bill.requests), amount(bill.rowsWritten), amount(bill.rowsRead)],
      ...[amount(bill.seconds), `**${money(total(bill))}**`, money(rowsRead + rowsWritten)],
      ...[money(seconds), money(azureSignalR(load)), money(ably(load))],
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [...head, ...lines].join("\n");
}

export async function costs(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: { help: { type: "boolean" } } });
  console.log(values.help ? HELP : table());
  return true;
}
