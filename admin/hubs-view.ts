// All hubs: figures of the tenant, a row for each hub, and limits that were hit.

import { element } from "../demo/dom.ts";
import { chart } from "./chart.ts";
import { limitsPanel } from "./limits.ts";
import {
  bytes,
  link,
  milliseconds,
  panel,
  perSecond,
  refill,
  short,
  table,
  whole,
  type Column,
} from "./parts.ts";
import { hashOf } from "./place.ts";
import { levels, means, rates, type OfHub } from "./rates.ts";
import type { Scrape } from "./scrape.ts";
import type { Admin, View } from "./view.ts";

export function hubsView(admin: Admin): View {
  return [chartsPanel(admin, () => true), hubsPanel(admin), limitsPanel(admin)];
}

/** Figures of the hubs that are wanted. */
export function chartsPanel({ metrics, signal }: Admin, isWanted: OfHub): HTMLElement {
  const shown = panel("charts", "The last minutes");
  const connections = chart("Connections", whole);
  const received = chart("Messages in", perSecond);
  const sent = chart("Messages out", perSecond);
  const refused = chart("Refusals", perSecond);
  const delivery = chart("Mean delivery", milliseconds);
  const call = chart("Mean call", milliseconds);
  const stored = chart("Stored", bytes);
  const all = [connections, received, sent, delivery, call, refused, stored];
  shown.body.append(...all.map((one) => one.element));
  shown.note.textContent = "rooms report each minute: all of this is a little late";
  metrics.follow(signal, () => {
    const { scrapes } = metrics;
    connections.show(levels(scrapes, "connections", isWanted));
    received.show(rates(scrapes, "in", isWanted));
    sent.show(rates(scrapes, "out", isWanted));
    refused.show(rates(scrapes, "refusals", isWanted));
    delivery.show(means(scrapes, ["deliverySeconds", "deliveries"], isWanted));
    call.show(means(scrapes, ["callSeconds", "calls"], isWanted));
    stored.show(levels(scrapes, "storedBytes", isWanted));
  });
  return shown.element;
}

interface Row {
  readonly hub: string;
  readonly scrapes: readonly Scrape[];
}

const lastOf = ({ hub, scrapes }: Row) => scrapes.at(-1)!.hubs.get(hub)!;
const rateOf = ({ hub, scrapes }: Row, figure: "in" | "out") =>
  rates(scrapes, figure, (other) => other === hub).at(-1) ?? 0;

const COLUMNS: readonly Column<Row>[] = [
  { title: "Hub", cell: ({ hub }) => link(hashOf(hub), hub) },
  {
    title: "Index",
    cell: ({ hub, scrapes }) =>
      scrapes.at(-1)!.down.has(hub) ? element("span", "bad", "no answer") : "answers",
  },
  { title: "Connections", isNumber: true, cell: (row) => whole(lastOf(row).connections) },
  { title: "In", isNumber: true, cell: (row) => perSecond(rateOf(row, "in")) },
  { title: "Out", isNumber: true, cell: (row) => perSecond(rateOf(row, "out")) },
  { title: "Refused", isNumber: true, cell: (row) => short(lastOf(row).refusals) },
  { title: "Objects", isNumber: true, cell: (row) => whole(lastOf(row).objects) },
  { title: "Stored", isNumber: true, cell: (row) => bytes(lastOf(row).storedBytes) },
];

function hubsPanel({ metrics, signal }: Admin): HTMLElement {
  const shown = panel("hubs", "Hubs");
  metrics.follow(signal, () => {
    const { scrapes } = metrics;
    const hubs = [...scrapes.at(-1)!.hubs.keys()];
    shown.note.textContent = `${hubs.length}`;
    refill(
      shown.body,
      table(
        COLUMNS,
        hubs.map((hub) => ({ hub, scrapes })),
      ),
    );
  });
  return shown.element;
}
