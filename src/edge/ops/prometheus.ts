// Prometheus' text exposition format, version 0.0.4: metric families as text. (prom-client collects counters within one
// Node process; here objects have collected them, and only the format is needed.)

/** All samples of one metric. */
export interface Family {
  /** Valid as a metric name; not escaped. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** Present for the series of a histogram. */
  readonly suffix?: "_bucket" | "_sum" | "_count";
  /** Names are valid label names; values may be any text. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Every line ends with a line feed, the last one as well: without it Prometheus rejects the scrape. */
export const textOf = (families: readonly Family[]): string =>
  families.map((family) => linesOf(family).join("")).join("");

/** `HELP` and `TYPE` once for each family, before its samples, which must be consecutive. */
const linesOf = ({ name, help, type, samples }: Family): string[] => [
  `# HELP ${name} ${escape(help)}\n`,
  `# TYPE ${name} ${type}\n`,
  ...samples.map(
    ({ suffix = "", labels, value }) => `${name}${suffix}${labelsOf(labels)} ${value}\n`,
  ),
];

/** Without labels there are no braces either. */
const labelsOf = (labels: Sample["labels"]): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
};

const escape = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
/** Values are in quotes; help text is not. */
const escapeValue = (text: string): string => escape(text).replaceAll('"', '\\"');
