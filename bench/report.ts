// The report: results and gates as tables in Markdown.

import { CASES, type Case } from "./cases.ts";
import { LIMIT_OF } from "./server-names.ts";
import type { Verdict } from "./gates.ts";
import type { Figures } from "./measurement.ts";
import { figuresOf, isOverloaded, type Result } from "./results.ts";

interface Row {
  readonly figures: Figures;
  /** What its operation must cost, measured in the same run. */
  readonly limit: Figures | undefined;
  to(server: string): Figures | undefined;
}

interface Column {
  readonly title: string;
  cell(row: Row): string;
}

const number = (value: number | undefined, digits = 0): string =>
  value === undefined || Number.isNaN(value)
    ? "–"
    : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });

const ratioTo =
  (server: string, figure: keyof Figures): Column["cell"] =>
  ({ figures, to }) => {
    const other = to(server)?.[figure];
    return other === undefined ? "–" : number(figures[figure]! / other, 2);
  };

type Columns = (bases: readonly string[]) => readonly Column[];

const ratios = (figure: keyof Figures, bases: readonly string[]): Column[] =>
  bases.map((server) => ({ title: `× ${server}`, cell: ratioTo(server, figure) }));

const column = (title: string, of: (figures: Figures) => string): Column => ({
  title,
  cell: ({ figures }) => of(figures),
});

/** The main column, and how often the limit it is. */
const cpu = (of: string, digits = 0): readonly Column[] => [
  column(`µs CPU/${of}`, ({ cpuMicros }) => number(cpuMicros, digits)),
  {
    title: "× limit",
    cell: ({ figures, limit }) => number(figures.cpuMicros! / (limit?.cpuMicros ?? Number.NaN), 2),
  },
];

const cores: readonly Column[] = [
  column("server CPU", ({ serverCpu }) => number(serverCpu, 2)),
  column("client CPU", ({ clientCpu }) => number(clientCpu, 2)),
  column("foreign CPU", ({ foreignCpu }) => number(foreignCpu, 2)),
];

const percentiles: readonly Column[] = [
  column("p50 ms", ({ p50Ms }) => number(p50Ms, 2)),
  column("p99 ms", ({ p99Ms }) => number(p99Ms, 2)),
];

const unlessOverloaded = (figures: Figures, value: number | undefined): string =>
  isOverloaded(figures) ? "overload" : number(value, 2);

const joined = column("messages/frame", ({ recordsPerFrame }) => number(recordsPerFrame, 1));

const saturationColumns: Columns = (bases) => [
  ...cpu("delivery", 2),
  column("delivered/s", ({ delivered }) => number(delivered)),
  ...ratios("delivered", bases),
  ...percentiles,
  joined,
  ...cores,
];

const rateColumns: Columns = () => [
  ...cpu("delivery", 2),
  column("p50 ms", (figures) => unlessOverloaded(figures, figures.p50Ms)),
  column("p99 ms", (figures) => unlessOverloaded(figures, figures.p99Ms)),
  column("delivered/s", ({ delivered }) => number(delivered)),
  joined,
  ...cores,
];

const carriedColumns: Columns = (bases) => [
  ...cpu("delivery", 2),
  column("messages/s", ({ carried }) => number(carried)),
  ...ratios("carried", bases),
  ...percentiles,
  joined,
  ...cores,
];

const callColumns: Columns = (bases) => [
  ...cpu("call"),
  column("calls/s", ({ calls }) => number(calls)),
  ...ratios("calls", bases),
  ...percentiles,
  ...cores,
];

const pushColumns: Columns = (bases) => [
  ...cpu("message", 1),
  column("requests/s", ({ calls }) => number(calls)),
  column("messages/s", ({ delivered }) => number(delivered)),
  ...ratios("delivered", bases),
  column("answered p50 ms", ({ p50Ms }) => number(p50Ms, 2)),
  column("p99 ms", ({ p99Ms }) => number(p99Ms, 2)),
  column("heard p50 ms", ({ heardP50Ms }) => number(heardP50Ms, 2)),
  column("p99 ms", ({ heardP99Ms }) => number(heardP99Ms, 2)),
  ...cores,
];

const connectColumns: Columns = (bases) => [
  ...cpu("connection"),
  column("connects/s", ({ connects }) => number(connects)),
  ...ratios("connects", bases),
  ...cores,
];

const idleColumns: Columns = (bases) => [
  column("KB/socket", ({ bytesPerSocket = Number.NaN }) => number(bytesPerSocket / 1_000, 1)),
  ...ratios("bytesPerSocket", bases),
];

const wakeColumns: Columns = () => [
  column("awake ms", ({ awakeMs }) => number(awakeMs, 1)),
  column("after sleep ms", ({ wokenMs }) => number(wokenMs, 1)),
];

function columnsOf({ kind, rate, bases = ["ws", "bare"] }: Case): readonly Column[] {
  const publish = rate === undefined ? saturationColumns : rateColumns;
  const columns = {
    publish,
    carried: carriedColumns,
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
    ...ownResults.map((result) => {
      const limit = to(LIMIT_OF.get(result.server) ?? "");
      const about = { figures: result.median, limit, to };
      return row([nameOf(result), ...columns.map(({ cell }) => cell(about))]);
    }),
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
