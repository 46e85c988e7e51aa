// Prometheus' text format, version 0.0.4: families of samples as text. (prom-client keeps what it counts in one process of
// Node's; here the figures come from objects, and only have to be written down.)

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Every line ends in a line feed, the last one as well. */
export const textOf = (families: readonly Family[]): string =>
  families.map((family) => linesOf(family).join("")).join("");

const linesOf = ({ name, help, type, samples }: Family): string[] => [
  `# HELP ${name} ${escape(help)}\n`,
  `# TYPE ${name} ${type}\n`,
  ...samples.map(({ labels, value }) => `${name}${labelsOf(labels)} ${value}\n`),
];

const labelsOf = (labels: Sample["labels"]): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${quoted(value)}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
};

const escape = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
const quoted = (text: string): string => escape(text).replaceAll('"', '\\"');
