// L13: a second `dev` in one folder refuses to start, in words.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Attack, Outcome, Stage } from "./attack.ts";
import { freePort } from "../support/endpoint.ts";
import { timeUntil } from "./peer.ts";

interface Run {
  readonly port: number;
  text(): string;
  code(): number | null | undefined;
  end(): Promise<void>;
}

async function start(root: string, state: string): Promise<Run> {
  const port = await freePort();
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: { dev: string };
  };
  const [, ...command] = scripts.dev.split(" ");
  const args = [
    ...command.slice(1),
    "--port",
    `${port}`,
    "--inspector-port",
    "0",
    "--persist-to",
    state,
  ];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let [text, code]: [string, number | null | undefined] = ["", undefined];
  for (const output of [child.stdout, child.stderr]) output.on("data", (some) => (text += some));
  child.once("exit", (exit) => (code = exit));
  const end = async (): Promise<void> => {
    child.kill("SIGTERM");
    await timeUntil(async () => code !== undefined, 10_000, 100);
    if (code === undefined) child.kill("SIGKILL");
  };
  return { port, text: () => text, code: () => code, end };
}

const answers = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/hubs/chat/rpc`, { signal: AbortSignal.timeout(2_000) }).then(
    () => true,
    () => false,
  );

async function run({ root }: Stage): Promise<Outcome> {
  const state = mkdtempSync(join(tmpdir(), "dormouse-two-"));
  const hadVars = existsSync(join(root, ".dev.vars"));
  const first = await start(root, state);
  try {
    const began = await timeUntil(() => answers(first.port), 60_000);
    const second = await start(root, state);
    const isServed = async () => second.code() !== undefined || answers(second.port);
    await timeUntil(isServed, 60_000);
    const [code, words] = [second.code(), second.text()];
    await second.end();
    const isRefused = code === 1 && words.includes("is already running");
    return {
      facts: [code === undefined ? "the second serves as well" : `the second ended with ${code}`],
      failures: [
        ...(began === undefined ? [`the first did not start: ${first.text().slice(-300)}`] : []),
        ...(isRefused ? [] : ["two servers on one state"]),
      ],
    };
  } finally {
    await first.end();
    rmSync(state, { recursive: true, force: true });
    if (!hadVars) rmSync(join(root, ".dev.vars"), { force: true });
  }
}

export const twoServers: Attack = {
  ...{ name: "L13", title: "two `npm run dev` on one state", isWatched: false, takes: 15, run },
};
