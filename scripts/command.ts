// Shared by the commands: output goes to standard output, a usage error to standard error with exit code 2.

/** An error in the command's arguments. The help text follows its message. */
export class UsageError extends Error {}

/** Runs a command and prints its result. Exit codes: 0 success, 1 failure, 2 usage error. */
export async function command(
  help: string,
  run: (args: string[]) => Promise<string> | string,
): Promise<void> {
  try {
    process.stdout.write(await run(process.argv.slice(2)));
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    const isUsage = error instanceof UsageError || code?.startsWith("ERR_PARSE_ARGS") === true;
    process.stderr.write(isUsage ? `${message}\n\n${help}` : `${message}\n`);
    process.exitCode = isUsage ? 2 : 1;
  }
}
