// Reports as a table in Markdown.

import type { Report } from "./attack.ts";

const ms = (value: number | undefined): string =>
  value === undefined
    ? ""
    : value === Infinity
      ? "∞"
      : value < 10
        ? value.toFixed(1)
        : value.toFixed(0);

const mb = (bytes: number | undefined): string =>
  bytes === undefined ? "" : (bytes / 2 ** 20).toFixed(0);

const arrow = (from: string, to: string): string => (from === "" ? "" : `${from} → ${to}`);

const HEAD = `| attack | p50, ms | p99, ms | resident, MB | heap, MB | what happened | bounds |
| --- | ---: | ---: | ---: | ---: | --- | --- |`;

/** Before → under attack. */
export function tableOf(reports: readonly Report[]): string {
  const rows = reports.map(
    ({ name, title, calm, under, before, held, facts, failures, isFloor }) => [
      `${name}: ${title}`,
      arrow(ms(calm?.p50), ms(under?.p50)),
      arrow(ms(calm?.p99), ms(under?.p99)),
      arrow(mb(before?.resident), mb(held?.resident)),
      arrow(mb(before?.alive), mb(held?.alive)),
      facts.join("; "),
      failures.join("; ") || (isFloor ? "–" : "hold"),
    ],
  );
  return [HEAD, ...rows.map((cells) => `| ${cells.join(" | ")} |`)].join("\n");
}
