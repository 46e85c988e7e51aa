// Prints the last lines of .ci/run: the failures, and the counts of tests and checks together.

import { existsSync, readFileSync } from "node:fs";

/** The members of vitest's JSON report that are read here. */
export interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    /** The reason, where the file failed before its tests ran. */
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

interface Step {
  readonly name: string;
  readonly exitCode: number;
}

interface Summary {
  readonly failures: readonly string[];
  /** `N passed, N failed`, followed by `, N skipped` where tests were skipped. */
  readonly line: string;
  readonly ok: boolean;
}

/** Counts the step named "tests" by its report, and every other step as one check. `underWay`: see ci-progress.ts. */
export function summarise(
  report: Report | undefined,
  steps: readonly Step[],
  underWay: readonly string[] = [],
): Summary {
  const checks = steps.filter(({ name }) => name !== "tests");
  const failures = [
    ...(report
      ? testFailures(report, steps.find(({ name }) => name === "tests")?.exitCode)
      : ["tests: they ended without a report", ...underWay.map((test) => `${test} has not ended`)]),
    ...checks.filter(({ exitCode }) => exitCode !== 0).map(({ name }) => `check: ${name}`),
  ];
  const passed =
    (report?.numPassedTests ?? 0) + checks.filter(({ exitCode }) => exitCode === 0).length;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  const counts = [`${passed} passed`, `${failures.length} failed`];
  if (skipped > 0) counts.push(`${skipped} skipped`);
  return { failures, line: counts.join(", "), ok: failures.length === 0 };
}

function testFailures(report: Report, exitCode: number | undefined): string[] {
  const files = Map.groupBy(report.testResults, isLeftOut);
  const failures = files.get(false)?.flatMap(failuresOf) ?? [];
  const left = files.get(true)?.flatMap(failuresOf) ?? [];
  // After the last allowed failure vitest leaves all others out.
  if (failures.length > 0 && left.length > 0)
    return [...failures, `tests: ${left.length} files did not run, or failed without a reason`];
  if (failures.length + left.length > 0) return [...failures, ...left];
  if (report.numPassedTests === 0) return ["tests: none ran"];
  return exitCode === 0 ? [] : [`tests: vitest ended with ${exitCode}, an error outside the tests`];
}

type TestFile = Report["testResults"][number];

const hasFailed = ({ status }: { readonly status: string }): boolean => status === "failed";

const isLeftOut = (file: TestFile): boolean =>
  hasFailed(file) && !file.message && !file.assertionResults.some(hasFailed);

function failuresOf(file: TestFile): string[] {
  const { name, message = "", assertionResults } = file;
  const failed = assertionResults.filter(hasFailed);
  // A file that fails to load has no failed test.
  if (failed.length === 0 && hasFailed(file))
    return [`${name}: the file failed${because(message)}`];
  return failed.map(
    ({ fullName, failureMessages }) =>
      `${name}: ${fullName}${because(failureMessages?.[0] || message)}`,
  );
}

/** Start and end of the reason: the machine that ran the tests is often out of reach afterwards. */
const because = (reason: string): string =>
  reason ? `\n    ${shorten(reason).replaceAll("\n", "\n    ")}` : "";

/** An output that an error quotes has its own reason at its end. */
const shorten = (reason: string): string =>
  reason.length <= 2_000 ? reason : `${reason.slice(0, 600)}\n…\n${reason.slice(-1_400)}`;

/** Undefined where there is none, or a part of one: the run was stopped as it wrote. */
function reportAt(path: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Report;
  } catch {
    return undefined;
  }
}

/** Of a run that failed, once it is printed. Node itself ends with 1 where this program fails. */
const FAILED = 3;

/** `node scripts/ci-summary.ts <report> <progress> <name=exit code>…` */
function main([path = "", progress = "", ...steps]: string[]): void {
  const report = reportAt(path);
  const underWay = existsSync(progress) ? readFileSync(progress, "utf8").split("\n") : [];
  const { failures, line, ok } = summarise(report, steps.map(toStep), underWay.filter(Boolean));
  for (const failure of failures) console.log(`FAILED ${failure}`);
  console.log(`\n${line}`);
  process.exitCode = ok ? 0 : FAILED;
}

function toStep(text: string): Step {
  const [name = "", exitCode] = text.split("=");
  return { name, exitCode: Number(exitCode) };
}

if (import.meta.main) main(process.argv.slice(2));
