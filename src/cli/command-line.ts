// Shared by the commands: output goes to standard output, a usage error to standard error with exit code 2.

import { fileFault } from "./files.ts";

/** An error in the command's arguments. The help text follows its message. */
export class UsageError extends Error {}

/** The output of a command, and its exit code if that is not 0. */
export interface Outcome {
  readonly output: string;
  readonly exitCode: number;
}

export interface Command {
  readonly help: string;
  run(args: string[]): Promise<string | Outcome> | string;
}

/**
 * Runs a command and prints its result. Exit codes: 0 success, 1 failure, 2 usage error. They do not change if the
 * reader of a pipe, such as `head`, ends early.
 */
export async function command(
  help: Command["help"],
  run: Command["run"],
  args = process.argv.slice(2),
): Promise<void> {
  process.stdout.off("error", unwritten).on("error", unwritten);
  try {
    const result = await run(args);
    const { output, exitCode } =
      typeof result === "string" ? { output: result, exitCode: 0 } : result;
    process.stdout.write(output);
    process.exitCode = exitCode;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const message = fileFault(error) ?? (error as Error).message;
    const isUsage = error instanceof UsageError || code?.startsWith("ERR_PARSE_ARGS") === true;
    process.stderr.write(isUsage ? `${message}\n\n${help}` : `${message}\n`);
    process.exitCode = isUsage ? 2 : 1;
  }
}

function unwritten(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") return;
  const message = fileFault(Object.assign(error, { path: "The output" })) ?? error.message;
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
