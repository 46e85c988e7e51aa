// Cards of the Durable Objects behind the page: awake or asleep, the state of the connection, and the message rate.

import type { HubConnection, State } from "../src/client/index.ts";
import type { DemoHub } from "../src/hubs/demo.ts";
import { byId, within } from "./dom.ts";
import { RELAY, type Activity } from "./traffic.ts";

interface ShownObject {
  readonly name: typeof RELAY | `${"group" | "order" | "user"}:${string}`;
  readonly activity: Activity;
  readonly demo: HubConnection<DemoHub>;
}

/** Adds a card to the page, and returns the function that updates it. */
export function objectCard({ name, activity, demo }: ShownObject): (now: number) => void {
  const template = byId("nest", HTMLTemplateElement);
  const card = within(template.content.cloneNode(true) as DocumentFragment, ".nest");
  const isRelay = name === RELAY;
  within(card, ".name b").textContent = isRelay ? "relay" : "room";
  within(card, ".room").textContent = isRelay ? "holds your socket" : name;
  byId("nests").append(card);
  const setText = (selector: string, text: string): void => {
    const target = within(card, selector);
    if (target.textContent !== text) target.textContent = text;
  };
  return (now) => {
    const isAsleep = activity.isAsleep(now);
    const position = isRelay ? undefined : demo.positionOf(name);
    card.dataset["mood"] = isAsleep ? "asleep" : "awake";
    setText(".mood", moodOf(demo.state, isAsleep));
    setText(".connection", demo.state.status);
    setText(".position", shortPosition(position));
    within(card, ".position").title = position ?? "";
    setText(".rate", `${activity.rate(now).toFixed(1)} /s`);
    setText(".total", `${activity.received} / ${activity.sent}`);
    within(card, ".pulse path").setAttribute("d", bars(activity.countsPerSecond(now)));
  };
}

function moodOf({ status }: State, isAsleep: boolean): string {
  if (status !== "connected") return "out of sight";
  return isAsleep ? "most likely asleep, its sockets open" : "awake";
}

/** Four characters of the epoch are enough to see that it changed. */
function shortPosition(position: string | undefined): string {
  const [epoch = "", offset = ""] = position?.split(":") ?? [];
  return position ? `${epoch.slice(0, 4)}…:${offset}` : "–";
}

/** An SVG path with a bar for each second. The busiest second has the full height of 16, but at least 4 messages do. */
function bars(counts: readonly number[]): string {
  const highest = Math.max(4, ...counts);
  return counts
    .map((count, index) => [index * 2, (count / highest) * 16] as const)
    .filter(([, height]) => height > 0)
    .map(([x, height]) => `M${x},16v-${height.toFixed(1)}h1.4v${height.toFixed(1)}z`)
    .join("");
}
