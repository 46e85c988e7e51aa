// What is committed of the generated code is what the .proto files say.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { PROGRAM_MS } from "../support/patience.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const COMMITTED = join(PROJECT, "src/protocols/proto");

/** Texts by path. */
const filesIn = (folder: string): Map<string, string> =>
  new Map(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .toSorted()
      .map((file) => [file, readFileSync(join(folder, file), "utf8")]),
  );

const buf = (...args: string[]): string =>
  execFileSync(join(PROJECT, "node_modules/.bin/buf"), args, {
    cwd: join(PROJECT, "proto"),
    encoding: "utf8",
    timeout: PROGRAM_MS,
    env: { ...process.env, PATH: `${join(PROJECT, "node_modules/.bin")}:${process.env["PATH"]}` },
  });

it("says nothing that Buf's linter objects to", () => {
  expect(buf("lint")).toBe("");
});

it("is generated as it is committed", () => {
  const out = mkdtempSync(join(tmpdir(), "dormouse-proto-"));
  try {
    // Paths of the template are relative to the output: `../src/protocols/proto` from `proto`.
    buf("generate", "--output", join(out, "proto"));
    const made = filesIn(join(out, "src/protocols/proto"));
    expect(made.size).toBe(3);
    expect(made).toEqual(filesIn(COMMITTED));
  } finally {
    rmSync(out, { recursive: true });
  }
});
