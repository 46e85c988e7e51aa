// Where DEV_TOKENS comes from, and where it must never stand.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";
import { expect, it, vi } from "vitest";
import { ensureDevVars } from "../../src/cli/dev-vars.ts";
import { freePort } from "../support/endpoint.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

it("stands in no file that is committed or deployed", () => {
  const found = execFileSync("git", ["grep", "-lE", "^ *['\"]?DEV_TOKENS['\"]? *[=:]"], {
    cwd: PROJECT,
    encoding: "utf8",
  }).split("\n");
  // An example of .dev.vars is for this machine alone: neither it nor its copy is ever deployed.
  const allowed = /^(test|scripts|src\/cli)\/|\/\.dev\.vars\.example$|^vitest.config.ts$|^$/;
  expect(found.filter((file) => !allowed.test(file))).toEqual([]);
  expect(readFileSync(join(PROJECT, "wrangler.toml"), "utf8")).not.toContain("DEV_TOKENS");
});

it("is written by the first start, and a file that is there is left alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-vars-"));
  const read = () => readFileSync(join(folder, ".dev.vars"), "utf8");
  writeFileSync(join(folder, "wrangler.toml"), "");
  await ensureDevVars(folder);
  expect(parseEnv(read())).toEqual({
    JWT_SECRET: expect.stringMatching(/^[\w-]{43}$/),
    JWT_JWKS_URL: "",
    ACCESS_KEYS: expect.stringMatching(/^[\w-]{43}$/),
    DEV_TOKENS: "1",
  });
  writeFileSync(join(folder, ".dev.vars"), "JWT_SECRET=mine\n");
  await ensureDevVars(folder);
  expect(read()).toBe("JWT_SECRET=mine\n");
  rmSync(folder, { recursive: true });
});

it("counts for nothing where neighbours can reach the endpoint, whatever they call it", async () => {
  const port = await freePort();
  const args = [
    "src/cli/dormouse.ts",
    "dev",
    "--ip",
    "0.0.0.0",
    "--port",
    `${port}`,
    "--log-level",
    "error",
  ];
  const state = mkdtempSync(join(tmpdir(), "dormouse-state-"));
  const vars = join(state, "vars.env");
  writeFileSync(vars, `JWT_SECRET=${"x".repeat(40)}\nDEV_TOKENS=1\n`);
  const dev = spawn(process.execPath, [...args, "--env-file", vars, "--persist-to", state], {
    cwd: PROJECT,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, WRANGLER_REGISTRY_PATH: join(state, "registry") },
  });
  let output = "";
  dev.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  try {
    await vi.waitFor(() => expect(output).toContain("To end it"), 20_000);
    const asked = { method: "POST", body: '{"user":"alice"}' };
    const { status } = await fetch(`http://127.0.0.1:${port}/dev/token`, asked);
    expect(status).toBe(404);
  } finally {
    dev.kill("SIGTERM");
    await once(dev, "exit");
    rmSync(state, { recursive: true, force: true });
  }
});
