// What our commands share: the answer goes to standard output, a wrong flag to standard error with exit code 2.

/** The caller wrote something we do not understand. */
export class UsageError extends Error {}

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
