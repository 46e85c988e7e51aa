// The plot as SVG: bars for saturated fan-out, and for the highest rate without a backlog. It has no background; its
// colours follow the reader's light or dark scheme.

import { OURS_ALL } from "./server-names.ts";
import type { Figures } from "./measurement.ts";
import { figuresOf, type Result } from "./results.ts";

const WIDTH = 760;

const STYLE = `
  svg { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; font-size: 14px; }
  .quiet { fill: #57606a; }
 
  .peer { fill: #8c959f; stroke: #8c959f; } .ours { fill: #0969da; stroke: #0969da; }
  text { stroke: none; }
  @media (prefers-color-scheme: dark) {
    svg { fill: #e6edf3; } .quiet { fill: #9198a1; }
    .ours { fill: #4493f8; stroke: #4493f8; }
  }`;

export function plot(results: readonly Result[]): string {
  const parts: string[] = [];
  let top = 0;
  for (const chart of CHARTS) {
    const { bars, height } = barsOf(results, chart, top);
    parts.push(bars);
    top += height;
  }
  const size = `viewBox="0 0 ${WIDTH} ${top}" role="img"`;
  const label = "Fan-out to 1,000 sockets: throughput and highest rate beside peers";
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} aria-label="${label}">
<style>${STYLE}
</style>
${parts.join("\n")}
</svg>
`;
}

const text = ([x, y]: readonly [x: number, y: number], content: string, attributes = ""): string =>
  `<text x="${round(x)}" y="${round(y)}" ${attributes}>${content}</text>`;

const round = (value: number): number => Math.round(value * 10) / 10;

const label = (server: string): string => (NAMES.has(server) ? NAMES.get(server)! : server);

const NAMES: ReadonlyMap<string, string> = new Map([
  ["bare", "bare object"],
  ["logged", "Dormouse, logged"],
  ["behind", "Dormouse, behind"],
  ["none", "Dormouse, no log"],
  ["acked", "Dormouse, acked"],
  ["signalr", "Dormouse, SignalR"],
  ["signalr-msgpack", "Dormouse, MsgPack"],
  ["nats", "NATS"],
  ["kestrel", "Kestrel SignalR"],
]);

interface Chart {
  readonly name: string;
  readonly title: string;
  readonly figure: keyof Figures;
}

/** Relative to ws, so that the speed of the machine cancels out. */
const CHARTS: readonly Chart[] = [
  {
    name: "saturation",
    title: "Messages delivered to 1,000 sockets of one room as fast as it goes, × ws",
    figure: "delivered",
  },
  {
    name: "carried",
    title: "Highest rate of messages to 1,000 sockets without a backlog, × ws",
    figure: "carried",
  },
];

const BARS = { left: 140, top: 42, width: 480, step: 24, height: 16, below: 24 };

function barsOf(results: readonly Result[], { name, title, figure }: Chart, top: number) {
  const base = figuresOf(results, name, "ws")?.[figure];
  const rows = results.flatMap(({ case: own, server }) => {
    const value = own === name ? figuresOf(results, name, server)?.[figure] : undefined;
    return value ? [{ server, value }] : [];
  });
  if (base === undefined || rows.length === 0) return { bars: "", height: 0 };
  const most = rows.reduce((max, { value }) => Math.max(max, value), base);
  const drawn = rows.map(({ server, value }, index) => {
    const y = top + BARS.top + index * BARS.step;
    const width = (value / most) * BARS.width;
    const caption = `${(value / base).toFixed(2)} × · ${short(value)}/s`;
    return [
      text([BARS.left - 8, y + 12], label(server), `text-anchor="end"`),
      `<rect class="${OURS_ALL.has(server) ? "ours" : "peer"}" x="${BARS.left}" y="${y}" width="${round(width)}" height="${BARS.height}" rx="2"/>`,
      text([BARS.left + width + 6, y + 12], caption, `class="quiet"`),
    ].join("\n");
  });
  const bars = [text([0, top + 18], title, `class="title"`), ...drawn].join("\n");
  return { bars, height: BARS.top + rows.length * BARS.step + BARS.below };
}

const short = (value: number): string =>
  value >= 1e6
    ? `${(value / 1e6).toFixed(2)} M`
    : value >= 1e4
      ? `${Math.round(value / 1e3)} k`
      : String(Math.round(value));
