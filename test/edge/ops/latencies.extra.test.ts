// Latencies in `/api/metrics`, and the dashboard and alert rules over it.

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import parse, { type Family } from "parse-prometheus-text-format";
import { expect, it, vi } from "vitest";
import { enter, roomAt, token } from "../../rooms/client.ts";

const FILES = import.meta.glob("../../../operations/*", {
  eager: true,
  query: "?raw",
  import: "default",
});
const fileOf = (name: string): string =>
  Object.entries(FILES).find(([path]) => path.endsWith(name))![1];
const [alerts, dashboard] = [fileOf("alerts.yml"), fileOf("grafana-dashboard.json")];

async function scraped(): Promise<string> {
  const headers = { authorization: `Bearer ${await token("prometheus", { role: "service" })}` };
  const response = await exports.default.fetch("https://edge.example/api/metrics", { headers });
  return response.text();
}

/** Rings until the room has reported. */
async function reported(room: string): Promise<void> {
  const stub = roomAt(room);
  const due = await runInDurableObject(stub, (_, { storage }) => storage.getAlarm());
  vi.setSystemTime(Math.max(Date.now(), due!));
  await runDurableObjectAlarm(stub);
}

/** Series of a hub, by name and `le`. */
const of = (text: string, hub: string): Record<string, number> =>
  Object.fromEntries(
    [...text.matchAll(/^dormouse_(\w+)\{hub="([^"]*)"(?:,le="([^"]*)")?\} (\S+)$/gm)]
      .filter(([, , named]) => named === hub)
      .map(([, name, , le, value]) => [le === undefined ? name : `${name} ${le}`, Number(value)]),
  );

it("counts runs of actions by their outcome", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  try {
    const room = "auctions/group:counted";
    using alice = await enter(room, { user: "alice" });
    await alice.call("bid", [10]);
    await alice.call("bid", [5]);
    const keyed = { action: "bid", params: [20], idempotencyKey: "once" };
    for (let n = 0; n < 2; n++) await alice.call("$/run", keyed);
    await reported(room);
    const series =
      /^dormouse_state_runs_total\{hub="auctions",room="group:counted",(.*)\} (\d+)$/gm;
    const runs = [...(await scraped()).matchAll(series)].map(([, label, value]) => [label, value]);
    expect(runs.toSorted()).toEqual([
      ['outcome="done"', "2"],
      ['outcome="repeated"', "1"],
      ['outcome="too_low"', "1"],
    ]);
  } finally {
    vi.useRealTimers();
  }
});

it("counts each message and each call once, in cumulative buckets of its hub", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  try {
    const room = "chat/group:latencies";
    using alice = await enter(room, { user: "alice" });
    using bob = await enter(room, { user: "bob" });
    for (let n = 0; n < 20; n++) await alice.call("sendToRoom", ["latencies", `${n}`]);
    await bob.call("$/presence");
    await reported(room);
    const series = of(await scraped(), "chat");
    // Announcements of both, and twenty messages: each once, though two sockets have it.
    expect(series["delivery_seconds_count"]).toBe(22);
    expect(series["call_seconds_count"]).toBeGreaterThanOrEqual(20);
    for (const name of ["delivery_seconds", "call_seconds"]) {
      const buckets = Object.entries(series)
        .filter(([key]) => key.startsWith(`${name}_bucket`))
        .map(([, count]) => count as number);
      expect(buckets).toHaveLength(12);
      expect(buckets).toEqual(buckets.toSorted((a, b) => a - b));
      expect(buckets.at(-1)).toBe(series[`${name}_count`]);
      expect(series[`${name}_sum`]).toBeLessThan(60);
    }
  } finally {
    vi.useRealTimers();
  }
});

/** Names of metrics in queries; those of a histogram's series count as the histogram's. */
const namedIn = (text: string): Set<string> =>
  new Set(
    [...text.matchAll(/\bdormouse_\w+/g)].map(([name]) =>
      name.replace(/(_seconds)_(?:bucket|sum|count)$/, "$1"),
    ),
  );

/** Metrics that neither file names, each with its reason. */
const UNNAMED: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ...["bytes_in", "bytes_out", "replayed_messages", "replays", "state_runs", "wakes"],
    "webhook_events",
  ].map((name) => [
    `dormouse_${name}_total`,
    "of each room, for a look by hand; the dashboard has that of the hub",
  ]),
);

it("has every metric that the dashboard and the alert rules name, and the reverse", async () => {
  const families: readonly Family[] = parse(await scraped());
  const known = new Set(families.map(({ name }) => name));
  const named = new Set([...namedIn(dashboard), ...namedIn(alerts)]);
  expect([...named].filter((name) => !known.has(name))).toEqual([]);
  expect([...known].filter((name) => !named.has(name)).toSorted()).toEqual(Object.keys(UNNAMED));
});

it("has no counter in rates over hubs that begins with what it has counted", () => {
  const rates = `${dashboard}${alerts}`.match(
    /sum by \((?:hub|code|outcome|hub, code|hub, outcome)\) \((?:rate|increase)\(dormouse_\w+_total/g,
  );
  expect(rates!.length).toBeGreaterThan(12);
  expect(rates!.filter((rate) => !rate.includes("dormouse_hub_"))).toEqual([]);
});

it("has the codes and outcomes of alerts from the first scrape on", async () => {
  const text = await scraped();
  const outcomes = /outcome=~"([^"]+)"/.exec(alerts)![1]!.split("|");
  for (const outcome of outcomes)
    expect(text).toContain(
      `dormouse_hub_webhook_events_total{hub="prices",outcome="${outcome}"} 0\n`,
    );
  const codes = [...alerts.matchAll(/code=~?"([^"]+)"/g)].flatMap(([, named]) => named!.split("|"));
  expect(codes.length).toBeGreaterThan(4);
  for (const code of codes)
    expect(text).toMatch(
      new RegExp(`dormouse_hub_refusals_total{hub="prices",code="${code}"} \\d`),
    );
});

it("has labels that the queries group and filter by", async () => {
  const text = `${dashboard}${alerts}`;
  const labels = [...text.matchAll(/by \(([^)]+)\)/g)].flatMap(([, names]) => names!.split(", "));
  expect(new Set(labels)).toEqual(new Set(["hub", "le", "code", "outcome", "version", "room"]));
  const panels = (JSON.parse(dashboard) as { panels: { id: number; title: string }[] }).panels;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
});
