// Commands of `dormouse` in the process of a test. In one of its own each loads wrangler: 2 s of CPU.
// test/node/scripts.test.ts runs the program itself.

// Loaded before a command changes the folder: esbuild starts its service where it was loaded.
// oxlint-disable-next-line import/no-unassigned-import
import "esbuild";
import { vi } from "vitest";
import { command } from "../../src/cli/command-line.ts";
import { COMMANDS } from "../../src/cli/commands.ts";

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** As `dormouse <name> <args>` in this folder. Not side by side: the folder and the outputs are the process's. */
export async function runCommand(
  folder: string,
  name: string,
  args: readonly string[],
): Promise<CommandResult> {
  const { help, run } = await COMMANDS.get(name)!();
  const before = process.cwd();
  const texts = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((stream) =>
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      texts[stream] += String(text);
      return true;
    }),
  );
  process.chdir(folder);
  try {
    await command(help, run, [...args]);
    return { status: Number(process.exitCode), ...texts };
  } finally {
    process.exitCode = undefined;
    process.chdir(before);
    for (const spy of spies) spy.mockRestore();
  }
}
