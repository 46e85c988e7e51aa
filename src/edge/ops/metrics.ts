// `GET /api/metrics`: the counters of one tenant's hubs, for Prometheus. Each hub answers from the index in its room
// `all`. A hub that does not answer in time has no samples but `dormouse_hub_up 0`: one slow hub must not hide the
// others.

import type { Hubs } from "../../dispatch/define/hub-tables.ts";
import { withTimeout } from "../../model/bounded-read.ts";
import { HubError } from "../../model/errors.ts";
import { logWarning } from "../../model/logger.ts";
import { ALL } from "../../model/topic.ts";
import { objectName, roomStubs } from "../../rooms/rpc/object-names.ts";
import type { NamedFigure } from "../../rooms/observe/counters.ts";
import type { CounterSnapshot } from "../../rooms/rpc/activity-report.ts";
import type { HubMetrics, RoomMetrics } from "../../rooms/rpc/hub-metrics.ts";
import { objectsOf, type Placing } from "../../rooms/rpc/place.ts";
import { NO_STORE } from "../answer/cache-headers.ts";
import { latenciesOf, type HubAnswer } from "./latencies.ts";
import { CONTENT_TYPE, textOf, type Family, type Sample } from "./prometheus.ts";

/** Answers with this tenant's figures only, even to the operator of the worker. Never rejects. */
export async function metrics(tenant: string, hubs: Hubs, placing: Placing): Promise<Response> {
  const queries = [...hubs.keys()].map((hub) => () => hubMetrics(placing, { tenant, hub }));
  const answers = await inBatches(queries);
  const headers = { "content-type": CONTENT_TYPE, ...NO_STORE };
  return new Response(textOf(familiesOf(answers)), { headers });
}

/** The most hubs that are queried at once. */
const BATCH_SIZE = 20;
/** The most time for one hub's answer: by default Prometheus allows ten seconds for the whole scrape. */
const TIMEOUT_MS = 4_000;

/** Runs the work batch by batch, and returns the results in the order of the work. */
async function inBatches<T>(work: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  for (let from = 0; from < work.length; from += BATCH_SIZE)
    // oxlint-disable-next-line no-await-in-loop -- a bound on open calls is the purpose
    results.push(...(await Promise.all(work.slice(from, from + BATCH_SIZE).map((one) => one()))));
  return results;
}

/**
 * One hub's figures from its index, which sums up the reports of rooms and relays: they lag a little behind. Never
 * rejects: a failure is logged, and the hub is reported as down.
 */
async function hubMetrics(placing: Placing, { tenant, hub }: { tenant: string; hub: string }) {
  try {
    const index = roomStubs(objectsOf(placing))(objectName({ tenant, hub, topic: ALL }));
    return { hub, metrics: await withTimeout(TIMEOUT_MS, index.metrics(), timedOut) };
  } catch (error) {
    logWarning("metrics_failed", { hub, error });
    return { hub };
  }
}

const timedOut = () => new HubError("timed_out", "The hub's index did not answer in time.");

/** Includes families without samples: every scrape declares every metric that may ever appear. */
function familiesOf(answers: readonly HubAnswer[]): Family[] {
  const rooms = answers.flatMap(({ hub, metrics: found }) =>
    (found?.rooms ?? []).map((measured) => ({ labels: { hub, room: measured.room }, measured })),
  );
  const hubs = answers.flatMap(({ hub, metrics: found }) =>
    found ? [{ labels: { hub }, measured: withCodes(found.totals) }] : [],
  );
  const counters = FAMILIES.filter(({ type }) => type === "counter");
  return [
    byHub(answers, UP, (found) => one(found ? 1 : 0)),
    ...FAMILIES.map((metric) => familyOf(metric, "", rooms)),
    ...counters.map((metric) => familyOf(metric, "hub_", hubs)),
    clientsOf(answers),
    ...latenciesOf(answers),
    ...STORED.map((family) => storedOf(family, answers)),
  ];
}

const UP = ["hub_up", "Whether the hub's index answered.", "gauge"] as const;

interface Labelled extends Pick<Sample, "labels"> {
  readonly measured: Measured;
}

const familyOf = (
  { name, help, type, read }: Metric,
  prefix: string,
  all: readonly Labelled[],
): Family => ({
  ...{ name: `dormouse_${prefix}${name}`, help, type },
  samples: all.flatMap(({ labels: own, measured }) =>
    read(measured).map(({ labels, value }) => ({ labels: { ...own, ...labels }, value })),
  ),
});

/**
 * A hub's own counters are reported from the first scrape on, even as 0, and so are the labels of operations/alerts.yml:
 * `rate` and `increase` ignore the first value of a series. Counters of rooms begin with the value that they have when
 * they are first reported.
 */
const withCodes = ({ sockets, counted }: Measured): Measured => ({
  sockets,
  counted: {
    ...counted,
    refusals: { ...NO_REFUSALS, ...counted.refusals },
    webhooks: { ...NO_WEBHOOKS, ...counted.webhooks },
  },
});

const zeros = (names: string): Record<string, number> =>
  Object.fromEntries(names.split(" ").map((name) => [name, 0]));

const NO_REFUSALS = zeros(
  "internal busy unavailable history_gone closed_4408 closed_4413 closed_4429",
);
const NO_WEBHOOKS = zeros("delivered failed dropped refused lost");

/** A family with the label `hub` only. `read` gets undefined for a hub that did not answer. */
const byHub = (
  answers: readonly HubAnswer[],
  [name, help, type]: readonly [name: string, help: string, type: Family["type"]],
  read: (found: HubMetrics | undefined) => readonly Sample[],
): Family => ({
  ...{ name: `dormouse_${name}`, help, type },
  samples: answers.flatMap(({ hub, metrics: found }) =>
    read(found).map(({ labels, value }) => ({ labels: { hub, ...labels }, value })),
  ),
});

const one = (value: number): readonly Sample[] => [{ labels: {}, value }];

/** With the room as well, versions would multiply the series of every room. */
const clientsOf = (answers: readonly HubAnswer[]): Family =>
  byHub(answers, CLIENTS, (found) => samplesOf("version", found?.totals.counted.clients));

const CLIENTS = [
  "clients_total",
  "Connections that Dormouse's own client began, by its version.",
  "counter",
] as const;

/** Of all rooms and relays of a hub, also those without series of their own. */
const storedOf = (
  [name, help, figure]: (typeof STORED)[number],
  answers: readonly HubAnswer[],
): Family =>
  byHub(answers, [name, help, "gauge"], (found) =>
    found?.stored ? one(found.stored[figure] ?? 0) : [],
  );

const STORED = [
  ["objects", "Rooms and relays that reported within a day.", "objects"],
  ["stored_bytes", "Bytes that they have stored.", "bytes"],
  ["stored_rows", "Rows that they have stored, without keys.", "rows"],
  ["state_bytes", "Bytes of the states of rooms, at their checkpoints.", "state"],
  ["webhook_waiting_events", "Webhook events that wait after a failed request.", "waiting"],
  ["webhook_waiting_seconds", "Age of the oldest of them.", "waitingSeconds"],
] as const;

/** The figures of one room, or of a whole hub. */
type Measured = Omit<RoomMetrics, "room">;

/** A metric and how it is read from the figures of one room or relay. */
interface Metric extends Omit<Family, "samples"> {
  read(measured: Measured): readonly Sample[];
}

/** A metric that is one of the object's counters. Names end in `_total`, as Prometheus has it. */
const counter = (
  name: string,
  help: string,
  figure: keyof Omit<CounterSnapshot, NamedFigure>,
): Metric => ({
  ...{ name, help, type: "counter" },
  read: ({ counted }) => one(counted[figure]),
});

type Named = Readonly<Record<string, number>>;

const samplesOf = (label: string, counts: Named = {}): readonly Sample[] =>
  Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));

/** Counters by name, which is in the label. */
const named = (
  name: string,
  help: string,
  [label, figure]: readonly [label: string, figure: "refusals" | "runs" | "webhooks"],
): Metric => ({
  ...{ name, help, type: "counter" },
  read: ({ counted }) => samplesOf(label, counted[figure]),
});

/** All metrics, without their prefix `dormouse_`. Each sample is labelled with its hub and its room or relay. */
const FAMILIES: readonly Metric[] = [
  {
    ...{ name: "connections", help: "Sockets the room's or relay's object holds.", type: "gauge" },
    read: ({ sockets }) => one(sockets),
  },
  counter("messages_in_total", "Messages of clients, without pings.", "in"),
  counter("messages_out_total", "Messages to clients, counted for each recipient.", "out"),
  counter("bytes_in_total", "Bytes of clients; text counts by character.", "bytesIn"),
  counter("bytes_out_total", "Bytes to clients; text counts by character.", "bytesOut"),
  counter(
    "replays_total",
    "Clients that reconnected and recovered all they had missed.",
    "replays",
  ),
  counter("replayed_messages_total", "Messages that were replayed to them.", "replayed"),
  counter("wakes_total", "Times an object woke and did some work.", "wakes"),
  named("refusals_total", "Connections and calls that were answered with an error, by its code.", [
    "code",
    "refusals",
  ]),
  named(
    "state_runs_total",
    "Runs of actions by outcome: done, repeated, or the code of the error; unsaved: of a state elsewhere.",
    ["outcome", "runs"],
  ),
  named("webhook_events_total", "Webhook events by outcome; failed: at each attempt.", [
    "outcome",
    "webhooks",
  ]),
];
