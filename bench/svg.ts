// The plot as SVG: bars for saturated fan-out, lines for latency at a rate. It has no background; its colours follow
// the reader's light or dark scheme.

import { OURS, SERVERS } from "./cases.ts";
import { figuresOf, isOverloaded, type Result } from "./results.ts";

const WIDTH = 760;

const STYLE = `
  svg { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; font-size: 14px; }
  .quiet { fill: #57606a; }
  .grid { stroke: #d0d7de; }
  .peer { fill: #8c959f; stroke: #8c959f; } .ours { fill: #0969da; stroke: #0969da; }
  .c1 { stroke: #0969da; fill: #0969da; } .c2 { stroke: #cf222e; fill: #cf222e; }
  .c3 { stroke: #9a6700; fill: #9a6700; } .c4 { stroke: #1a7f37; fill: #1a7f37; }
  .c5 { stroke: #8250df; fill: #8250df; } .c6 { stroke: #54aeff; fill: #54aeff; }
  .c7 { stroke: #bf3989; fill: #bf3989; } .c8 { stroke: #57606a; fill: #57606a; }
  .line { fill: none; stroke-width: 2; } text { stroke: none; }
  @media (prefers-color-scheme: dark) {
    svg { fill: #e6edf3; } .quiet { fill: #9198a1; } .grid { stroke: #3d444d; }
    .ours { fill: #4493f8; stroke: #4493f8; }
    .c1 { stroke: #4493f8; fill: #4493f8; } .c2 { stroke: #ff7b72; fill: #ff7b72; }
    .c3 { stroke: #d29922; fill: #d29922; } .c4 { stroke: #3fb950; fill: #3fb950; }
    .c5 { stroke: #ab7df8; fill: #ab7df8; } .c6 { stroke: #a5d6ff; fill: #a5d6ff; }
    .c7 { stroke: #f778ba; fill: #f778ba; } .c8 { stroke: #9198a1; fill: #9198a1; }
  }`;

export const plot = (results: readonly Result[]): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Fan-out to 1,000 sockets: throughput and latency beside peers">
<style>${STYLE}
</style>
${bars(results)}
${lines(results)}
</svg>
`;

const text = ([x, y]: readonly [x: number, y: number], content: string, attributes = ""): string =>
  `<text x="${round(x)}" y="${round(y)}" ${attributes}>${content}</text>`;

const round = (value: number): number => Math.round(value * 10) / 10;

const label = (server: string): string => (NAMES.has(server) ? NAMES.get(server)! : server);

const NAMES: ReadonlyMap<string, string> = new Map([
  ["bare", "bare object"],
  ["logged", "Dormouse, logged"],
  ["behind", "Dormouse, behind"],
  ["none", "Dormouse, no log"],
  ["full", "Dormouse, presence"],
  ["signalr", "Dormouse, SignalR"],
  ["signalr-msgpack", "Dormouse, MsgPack"],
  ["nats", "NATS"],
  ["kestrel", "Kestrel SignalR"],
]);

const BARS = { left: 140, top: 42, width: 480, step: 24, height: 16 };
/** With space for a bar of every server. */
const BARS_END = BARS.top + SERVERS.length * BARS.step;

/** Throughput relative to ws, so that the speed of the machine cancels out. */
function bars(results: readonly Result[]): string {
  const base = figuresOf(results, "saturation", "ws")?.delivered;
  if (base === undefined) return "";
  const rows = results.flatMap(({ case: name, server }) => {
    const delivered = name === "saturation" && figuresOf(results, name, server)?.delivered;
    return delivered ? [{ server, delivered }] : [];
  });
  const most = rows.reduce((max, { delivered }) => Math.max(max, delivered), base);
  const parts = rows.map(({ server, delivered }, index) => {
    const y = BARS.top + index * BARS.step;
    const width = (delivered / most) * BARS.width;
    const kind = OURS.some((own) => own === server) ? "ours" : "peer";
    const caption = `${(delivered / base).toFixed(2)} × · ${short(delivered)}/s`;
    return [
      text([BARS.left - 8, y + 12], label(server), `text-anchor="end"`),
      `<rect class="${kind}" x="${BARS.left}" y="${y}" width="${round(width)}" height="${BARS.height}" rx="2"/>`,
      text([BARS.left + width + 6, y + 12], caption, `class="quiet"`),
    ].join("\n");
  });
  return [
    text([0, 18], "Messages delivered to 1,000 sockets of one room, × ws", `class="title"`),
    ...parts,
  ].join("\n");
}

const short = (value: number): string =>
  value >= 1e6 ? `${(value / 1e6).toFixed(2)} M` : `${Math.round(value / 1e3)} k`;

const LINES = { left: 60, top: BARS_END + 60, width: 500, height: 170 };
const HEIGHT = LINES.top + LINES.height + 50;
const RATES = [20, 100, 500];
const LINE_SERVERS = [
  "logged",
  "ws",
  "socket.io",
  "partyserver",
  "bare",
  "signalr",
  "kestrel",
  "nats",
];
/** Latencies in ms; the axis is logarithmic. */
const TICKS = [1, 3, 10, 30, 100, 300];

const xOf = (rate: number): number =>
  LINES.left + (LINES.width * Math.log(rate / 20)) / Math.log(500 / 20);

function yOf(ms: number): number {
  const [low, high] = [TICKS[0]!, TICKS.at(-1)!];
  const part = Math.log(Math.min(Math.max(ms, low), high) / low) / Math.log(high / low);
  return LINES.top + LINES.height * (1 - part);
}

/** p99 at each rate that the server sustains. A line ends at the server's limit. */
function lines(results: readonly Result[]): string {
  const parts = LINE_SERVERS.map((server, index) => ({
    server,
    colour: `c${index + 1}`,
    points: pointsOf(results, server),
  })).filter(({ points }) => points.length > 0);
  if (parts.length === 0) return "";
  return [
    text(
      [0, LINES.top - 30],
      "99th percentile of latency, ms, at messages/s to 1,000 sockets",
      `class="title"`,
    ),
    text([0, LINES.top - 13], "a line ends where its server cannot keep up", `class="quiet"`),
    ...axes(),
    ...parts.flatMap(({ points, colour }) => lineOf(points, colour)),
    ...parts.flatMap(({ server, colour }, index) => legendOf(server, colour, index)),
  ].join("\n");
}

interface Dot {
  readonly x: number;
  readonly y: number;
}

const pointsOf = (results: readonly Result[], server: string): Dot[] =>
  RATES.flatMap((rate) => {
    const figures = figuresOf(results, `rate-${rate}`, server);
    if (!figures || isOverloaded(figures)) return [];
    return [{ x: round(xOf(rate)), y: round(yOf(figures.p99Ms!)) }];
  });

const axes = (): string[] => [
  ...TICKS.flatMap((ms) => [
    `<line class="grid" x1="${LINES.left}" x2="${LINES.left + LINES.width}" y1="${round(yOf(ms))}" y2="${round(yOf(ms))}"/>`,
    text([LINES.left - 8, yOf(ms) + 4], String(ms), `text-anchor="end" class="quiet"`),
  ]),
  ...RATES.map((rate) =>
    text(
      [xOf(rate), LINES.top + LINES.height + 20],
      `${rate}/s`,
      `text-anchor="middle" class="quiet"`,
    ),
  ),
];

const lineOf = (points: readonly Dot[], colour: string): string[] => [
  `<polyline class="line ${colour}" style="fill:none" points="${points.map(({ x, y }) => `${x},${y}`).join(" ")}"/>`,
  ...points.map(({ x, y }) => `<circle class="${colour}" cx="${x}" cy="${y}" r="3.5"/>`),
];

function legendOf(server: string, colour: string, index: number): string[] {
  const [x, y] = [LINES.left + LINES.width + 24, LINES.top + 14 + index * 20];
  return [
    `<line class="line ${colour}" x1="${x}" x2="${x + 18}" y1="${y}" y2="${y}"/>`,
    text([x + 24, y + 4], label(server)),
  ];
}
