// `GET /api/metrics`: what the hubs of one tenant have counted, for Prometheus. Each hub is asked in its `all` room, where
// its index lives; one that does not answer is left out, and says so.

import type { Hubs } from "../../dispatch/define/hub-tables.ts";
import { withTimeout } from "../../model/bounded-read.ts";
import { HubError } from "../../model/errors.ts";
import { logWarning } from "../../model/logger.ts";
import { ALL } from "../../model/topic.ts";
import { objectName } from "../../rooms/rpc/object-names.ts";
import type { Counted } from "../../rooms/observe/counters.ts";
import type { HubMetrics, Measured } from "../../rooms/rpc/hub-metrics.ts";
import { peersOf, type ObjectEnv } from "../../rooms/rpc/room-rpc.ts";
import { CONTENT_TYPE, textOf, type Family, type Sample } from "./prometheus.ts";

export async function metrics(tenant: string, hubs: Hubs, env: ObjectEnv): Promise<Response> {
  const asked = [...hubs.keys()].map((hub) => () => hubMetrics(env, { tenant, hub }));
  const answers = await abreast(asked);
  const headers = { "content-type": CONTENT_TYPE, "cache-control": "no-store" };
  return new Response(textOf(familiesOf(answers)), { headers });
}

/** Hubs asked at once, and how long one may take: Prometheus waits ten seconds for all. */
const AT_ONCE = 20;
const PATIENCE_MS = 4_000;

async function abreast<T>(work: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  for (let from = 0; from < work.length; from += AT_ONCE)
    // oxlint-disable-next-line no-await-in-loop -- the bound is the point
    results.push(...(await Promise.all(work.slice(from, from + AT_ONCE).map((one) => one()))));
  return results;
}

interface Answer {
  readonly hub: string;
  /** Absent: it did not answer. */
  readonly metrics?: HubMetrics;
}

async function hubMetrics(env: ObjectEnv, { tenant, hub }: { tenant: string; hub: string }) {
  try {
    const index = peersOf(env)(objectName({ tenant, hub, topic: ALL }));
    return { hub, metrics: await withTimeout(PATIENCE_MS, index.metrics(), late) };
  } catch (error) {
    logWarning("metrics_failed", { hub, error });
    return { hub };
  }
}

const late = () => new HubError("timed_out", "The hub's index did not answer in time.");

function familiesOf(answers: readonly Answer[]): Family[] {
  const lines = answers.flatMap(({ hub, metrics: found }) =>
    (found?.rooms ?? []).map((measured) => ({ hub, measured })),
  );
  const up = answers.map(({ hub, metrics: found }) => ({ labels: { hub }, value: found ? 1 : 0 }));
  return [
    {
      name: "dormouse_hub_up",
      help: "Whether the hub's index answered.",
      type: "gauge",
      samples: up,
    },
    ...FAMILIES.map(({ name, help, type, read }): Family => {
      const samples = lines.flatMap(({ hub, measured }) =>
        read(measured).map(({ labels, value }) => ({
          labels: { hub, room: measured.room, ...labels },
          value,
        })),
      );
      return { name: `dormouse_${name}`, help, type, samples };
    }),
  ];
}

interface Reading extends Omit<Family, "samples"> {
  read(measured: Measured): readonly Sample[];
}

const counter = (name: string, help: string, figure: keyof Omit<Counted, "refusals">): Reading => ({
  ...{ name, help, type: "counter" },
  read: ({ counted }) => [{ labels: {}, value: counted[figure] }],
});

const FAMILIES: readonly Reading[] = [
  {
    ...{ name: "connections", help: "Sockets the room's or relay's object holds.", type: "gauge" },
    read: ({ sockets }) => [{ labels: {}, value: sockets }],
  },
  counter("messages_in_total", "Messages of clients, without pings.", "in"),
  counter("messages_out_total", "Messages to clients, counted for each who hears it.", "out"),
  counter("bytes_in_total", "Bytes of clients; text counts by character.", "bytesIn"),
  counter("bytes_out_total", "Bytes to clients; text counts by character.", "bytesOut"),
  counter("replays_total", "Clients that came back and were told all they had missed.", "replays"),
  counter("replayed_messages_total", "Messages that they were told then.", "replayed"),
  counter("wakes_total", "Times an object woke and something happened.", "wakes"),
  {
    ...{ name: "refusals_total", type: "counter" },
    help: "Connections and calls that were answered with an error, by its code.",
    read: ({ counted: { refusals } }) =>
      Object.entries(refusals).map(([code, value]) => ({ labels: { code }, value })),
  },
];
