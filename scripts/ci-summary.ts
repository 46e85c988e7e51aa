// The last lines of .ci/run: what failed, and the counts of tests and checks together.

import { existsSync, readFileSync } from "node:fs";

/** What we read of vitest's JSON report. */
export interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    /** Why the file failed, where its tests did not get to run. */
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

export interface Step {
  readonly name: string;
  readonly exitCode: number;
}

export interface Summary {
  readonly failures: readonly string[];
  /** `N passed, N failed`, and `, N skipped` if any was. */
  readonly line: string;
  readonly ok: boolean;
}

/** The step named "tests" is counted by its report; every other step counts as one. */
export function summarise(report: Report | undefined, steps: readonly Step[]): Summary {
  const checks = steps.filter(({ name }) => name !== "tests");
  const failures = [
    ...testFailures(report, steps.find(({ name }) => name === "tests")?.exitCode),
    ...checks.filter(({ exitCode }) => exitCode !== 0).map(({ name }) => `check: ${name}`),
  ];
  const passed =
    (report?.numPassedTests ?? 0) + checks.filter(({ exitCode }) => exitCode === 0).length;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  const counts = [`${passed} passed`, `${failures.length} failed`];
  if (skipped > 0) counts.push(`${skipped} skipped`);
  return { failures, line: counts.join(", "), ok: failures.length === 0 };
}

function testFailures(report: Report | undefined, exitCode: number | undefined): string[] {
  if (!report) return ["tests: they ended without a report"];
  const failures = report.testResults.flatMap(
    ({ name, status, message = "", assertionResults }) => {
      const failed = assertionResults.filter((result) => result.status === "failed");
      // A file which does not even load has no failed test in it.
      if (failed.length === 0 && status === "failed")
        return [`${name}: the file failed${because(message)}`];
      return failed.map(
        ({ fullName, failureMessages }) =>
          `${name}: ${fullName}${because(failureMessages?.[0] || message)}`,
      );
    },
  );
  if (failures.length > 0) return failures;
  if (report.numPassedTests === 0) return ["tests: none ran"];
  return exitCode === 0 ? [] : [`tests: vitest ended with ${exitCode}, an error outside the tests`];
}

/** The beginning of a reason: often nobody can look at the machine where it happened. */
const because = (reason: string): string =>
  reason ? `\n    ${reason.slice(0, 600).replaceAll("\n", "\n    ")}` : "";

/** `node scripts/ci-summary.ts <report> <name=exit code>…` */
function main([path = "", ...steps]: string[]): void {
  const report = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Report) : undefined;
  const { failures, line, ok } = summarise(report, steps.map(toStep));
  for (const failure of failures) console.log(`FAILED ${failure}`);
  console.log(`\n${line}`);
  process.exitCode = ok ? 0 : 1;
}

function toStep(text: string): Step {
  const [name = "", exitCode] = text.split("=");
  return { name, exitCode: Number(exitCode) };
}

if (import.meta.main) main(process.argv.slice(2));
