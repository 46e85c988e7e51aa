// The report: results and gates as tables in Markdown.

import { CASES, type Case } from "./cases.ts";
import type { Verdict } from "./gates.ts";
import type { Figures } from "./measurement.ts";
import { figuresOf, isOverloaded, type Result } from "./results.ts";

interface Column {
  readonly title: string;
  cell(figures: Figures, to: (server: string) => Figures | undefined): string;
}

const number = (value: number | undefined, digits = 0): string =>
  value === undefined || Number.isNaN(value)
    ? "–"
    : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });

const ratioTo =
  (server: string, figure: keyof Figures): Column["cell"] =>
  (figures, to) => {
    const other = to(server)?.[figure];
    return other === undefined ? "–" : number(figures[figure]! / other, 2);
  };

type Columns = (bases: readonly string[]) => readonly Column[];

const ratios = (figure: keyof Figures, bases: readonly string[]): Column[] =>
  bases.map((server) => ({ title: `× ${server}`, cell: ratioTo(server, figure) }));

const cores: readonly Column[] = [
  { title: "server CPU", cell: ({ serverCpu }) => number(serverCpu, 2) },
  { title: "client CPU", cell: ({ clientCpu }) => number(clientCpu, 2) },
  { title: "foreign CPU", cell: ({ foreignCpu }) => number(foreignCpu, 2) },
];

const latency: readonly Column[] = [
  { title: "p50 ms", cell: (figures) => unlessOverloaded(figures, figures.p50Ms) },
  { title: "p99 ms", cell: (figures) => unlessOverloaded(figures, figures.p99Ms) },
];

const unlessOverloaded = (figures: Figures, value: number | undefined): string =>
  isOverloaded(figures) ? "overload" : number(value, 2);

const saturationColumns: Columns = (bases) => [
  { title: "delivered/s", cell: ({ delivered }) => number(delivered) },
  ...ratios("delivered", bases),
  { title: "p50 ms", cell: ({ p50Ms }) => number(p50Ms, 1) },
  { title: "p99 ms", cell: ({ p99Ms }) => number(p99Ms, 1) },
  { title: "µs CPU/delivery", cell: ({ cpuMicros }) => number(cpuMicros, 2) },
  { title: "messages/frame", cell: ({ recordsPerFrame }) => number(recordsPerFrame, 1) },
  ...cores,
];

const rateColumns: Columns = () => [
  ...latency,
  { title: "delivered/s", cell: ({ delivered }) => number(delivered) },
  { title: "messages/frame", cell: ({ recordsPerFrame }) => number(recordsPerFrame, 1) },
  ...cores,
];

const callColumns: Columns = (bases) => [
  { title: "calls/s", cell: ({ calls }) => number(calls) },
  ...ratios("calls", bases),
  { title: "p50 ms", cell: ({ p50Ms }) => number(p50Ms, 2) },
  { title: "p99 ms", cell: ({ p99Ms }) => number(p99Ms, 2) },
  { title: "µs CPU/call", cell: ({ cpuMicros }) => number(cpuMicros, 2) },
  ...cores,
];

const pushColumns: Columns = (bases) => [
  { title: "requests/s", cell: ({ calls }) => number(calls) },
  { title: "messages/s", cell: ({ delivered }) => number(delivered) },
  ...ratios("delivered", bases),
  { title: "answered p50 ms", cell: ({ p50Ms }) => number(p50Ms, 2) },
  { title: "p99 ms", cell: ({ p99Ms }) => number(p99Ms, 2) },
  { title: "heard p50 ms", cell: ({ heardP50Ms }) => number(heardP50Ms, 2) },
  { title: "p99 ms", cell: ({ heardP99Ms }) => number(heardP99Ms, 2) },
  { title: "µs CPU/message", cell: ({ cpuMicros }) => number(cpuMicros, 2) },
  ...cores,
];

const connectColumns: Columns = (bases) => [
  { title: "connects/s", cell: ({ connects }) => number(connects) },
  ...ratios("connects", bases),
  { title: "ms CPU/connect", cell: ({ connectCpuMs }) => number(connectCpuMs, 3) },
  ...cores,
];

const idleColumns: Columns = (bases) => [
  {
    title: "KB/socket",
    cell: ({ bytesPerSocket = Number.NaN }) => number(bytesPerSocket / 1_000, 1),
  },
  ...ratios("bytesPerSocket", bases),
];

const wakeColumns: Columns = () => [
  { title: "awake ms", cell: ({ awakeMs }) => number(awakeMs, 1) },
  { title: "after sleep ms", cell: ({ wokenMs }) => number(wokenMs, 1) },
];

function columnsOf({ kind, rate, bases = ["ws", "bare"] }: Case): readonly Column[] {
  const publish = rate === undefined ? saturationColumns : rateColumns;
  const columns = {
    publish,
    push: pushColumns,
    echo: callColumns,
    connect: connectColumns,
    idle: idleColumns,
    wake: wakeColumns,
  };
  return columns[kind](bases);
}

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

function tableOf(benchCase: Case, results: readonly Result[]): string[] {
  const ownResults = results.filter((result) => result.case === benchCase.name);
  if (ownResults.length === 0) return [];
  const columns = columnsOf(benchCase);
  const to = (server: string) => figuresOf(results, benchCase.name, server);
  return [
    `### ${benchCase.name}: ${benchCase.title}`,
    "",
    row(["server", ...columns.map(({ title }) => title)]),
    row(["---", ...columns.map(() => "---:")]),
    ...ownResults.map((result) =>
      row([nameOf(result), ...columns.map(({ cell }) => cell(result.median, to))]),
    ),
    "",
  ];
}

/** The server's name, with notes on void and disturbed measurements. */
function nameOf({ server, faulty, counted, disturbed, median }: Result): string {
  const { gaps, duplicates, bad } = median;
  const notes = [
    ...(counted === 0 ? [`void: ${gaps} gaps, ${duplicates} duplicates, ${bad} bad`] : []),
    ...(faulty > 0 && counted > 0 ? [`${faulty} void`] : []),
    ...(disturbed > 0 ? [`${disturbed} disturbed`] : []),
  ];
  return notes.length > 0 ? `${server} (${notes.join("; ")})` : server;
}

export const tablesOf = (results: readonly Result[]): string =>
  CASES.flatMap((benchCase) => tableOf(benchCase, results)).join("\n");

const WORDS = new Map([
  [true, "pass"],
  [false, "FAIL"],
  [undefined, "–"],
]);

export const gatesOf = (verdicts: readonly Verdict[]): string =>
  [
    row(["", "gate", "found"]),
    row(["---", "---", "---"]),
    ...verdicts.map(({ gate, found, passed }) => row([WORDS.get(passed)!, gate, found])),
  ].join("\n");
