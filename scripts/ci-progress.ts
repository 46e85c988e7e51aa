// A reporter of vitest for .ci/run. Its file names the tests that have begun and not ended: all that is known of a run
// that hangs, which is stopped before it has a report.

import { writeFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule } from "vitest/node";

export default class Progress implements Reporter {
  /** Tests under way, by file. A file that loads has none. */
  readonly #files = new Map<string, Set<string>>();

  onTestModuleQueued({ relativeModuleId }: TestModule): void {
    this.#files.set(relativeModuleId, new Set());
    this.#write();
  }

  onTestCaseReady({ module, fullName }: TestCase): void {
    this.#files.get(module.relativeModuleId)?.add(fullName);
    this.#write();
  }

  onTestCaseResult({ module, fullName }: TestCase): void {
    this.#files.get(module.relativeModuleId)?.delete(fullName);
    this.#write();
  }

  onTestModuleEnd({ relativeModuleId }: TestModule): void {
    this.#files.delete(relativeModuleId);
    this.#write();
  }

  /** A line for each test, or for each file that has none. */
  #write(): void {
    const lines = [...this.#files].flatMap(([file, tests]) =>
      tests.size === 0 ? [file] : [...tests].map((name) => `${file}: ${name}`),
    );
    writeFileSync(process.env["DORMOUSE_PROGRESS"]!, lines.join("\n"));
  }
}
