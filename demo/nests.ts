// The objects behind the page, one nest each: awake or asleep, where the connection stands, and how much is said.

import type { State } from "../src/client/index.ts";
import { byId, within } from "./dom.ts";
import type { Line } from "./line.ts";

/** What a nest reads of a connection, whatever its hub. */
export interface Watched {
  readonly line: Line;
  readonly room: string;
  readonly connection: { readonly state: State; readonly position: string | undefined };
}

/** Returns what brings it up to date. */
export function nestOf({ line, room, connection }: Watched): (now: number) => void {
  const template = byId("nest", HTMLTemplateElement);
  const nest = within(template.content.cloneNode(true) as DocumentFragment, ".nest");
  within(nest, ".name b").textContent = line.hub;
  within(nest, ".room").textContent = room;
  byId("nests").append(nest);
  const put = (selector: string, text: string): void => {
    const target = within(nest, selector);
    if (target.textContent !== text) target.textContent = text;
  };
  return (now) => {
    const isAsleep = line.isAsleep(now);
    nest.dataset["mood"] = isAsleep ? "asleep" : "awake";
    put(".mood", moodOf(connection.state, isAsleep));
    put(".connection", connection.state.status);
    put(".position", shortened(connection.position));
    within(nest, ".position").title = connection.position ?? "";
    put(".rate", `${line.rate(now).toFixed(1)} /s`);
    put(".total", `${line.received} / ${line.sent}`);
    within(nest, ".pulse path").setAttribute("d", bars(line.pulse(now)));
  };
}

function moodOf({ status }: State, isAsleep: boolean): string {
  if (status !== "connected") return "out of sight";
  return isAsleep ? "most likely asleep, its sockets open" : "awake";
}

/** An epoch is long, and only whether it changed is of interest. */
function shortened(position: string | undefined): string {
  const [epoch = "", offset = ""] = position?.split(":") ?? [];
  return position ? `${epoch.slice(0, 4)}…:${offset}` : "–";
}

/** A bar for each second, as high as there were messages; the scale grows with the busiest. */
function bars(counts: readonly number[]): string {
  const highest = Math.max(4, ...counts);
  return counts
    .map((count, index) => [index * 2, (count / highest) * 16] as const)
    .filter(([, height]) => height > 0)
    .map(([x, height]) => `M${x},16v-${height.toFixed(1)}h1.4v${height.toFixed(1)}z`)
    .join("");
}
