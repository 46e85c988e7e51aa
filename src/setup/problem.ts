// A problem of the configuration, and its text: the same in the server's log, in its answers and in `dormouse check`.

export interface Problem {
  /**
   * `error`: requests are refused until it is fixed. `advice`: the server works, but costs more or ends things later.
   */
  readonly level: "error" | "advice";
  /** A sentence that names settings, never their values. */
  readonly text: string;
  /** Absent if the sentence is sufficient. */
  readonly fix?: Fix;
}

/** Lines that fix a problem. */
export interface Fix {
  readonly where: "wrangler.toml" | "a shell" | "the worker's main module";
  readonly lines: string;
  /** The same lines for wrangler.jsonc. */
  readonly json?: string;
}

const FILES = { toml: "wrangler.toml", json: "wrangler.jsonc" };

/** The problem with the lines that fix it, as text of several lines. */
export function described({ text, fix }: Problem, form: "toml" | "json" = "toml"): string {
  if (!fix) return text;
  const { where, lines, json } = fix;
  const place = where === "wrangler.toml" ? FILES[form] : where;
  const own = form === "json" && json !== undefined ? json : lines;
  return `${text} In ${place}:\n${own.replaceAll(/^/gm, "    ")}`;
}

/** All problems as one text, numbered. */
export function list(problems: readonly Problem[], form: "toml" | "json" = "toml"): string {
  const texts = problems.map((problem, at) => `${at + 1}. ${described(problem, form)}`);
  return texts.join("\n\n");
}
