// The secrets of this machine: which file they are in, what is written there, and what is left alone.

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { ensureDevVars, readKeys } from "../../src/cli/dev-vars.ts";
import { readConfiguration, readVariables } from "../../src/cli/wrangler-package.ts";

let folder: string;
const read = (name: string): string => readFileSync(join(folder, name), "utf8");
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dormouse-vars-"));
  write("wrangler.toml", readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe(".dev.vars", () => {
  it("is written once, with 32 random bytes, for the owner alone", async () => {
    expect((await ensureDevVars(folder)).written).toContain("JWT_SECRET");
    expect(statSync(join(folder, ".dev.vars")).mode & 0o777).toBe(0o600);
    expect(read(".dev.vars")).toMatch(/^JWT_SECRET=[\w-]{43}$/m);
    expect(read(".dev.vars")).toMatch(/^ACCESS_KEYS=(?<key>[\w-]{43})$/m);
  });

  it("is left alone, byte for byte, when it has a secret", async () => {
    writeFileSync(join(folder, ".dev.vars"), "JWT_SECRET = mine\r\n");
    expect((await ensureDevVars(folder)).written).toEqual([]);
    expect(read(".dev.vars")).toBe("JWT_SECRET = mine\r\n");
  });

  it.each([
    ["has none", "OTHER=1", ["JWT_SECRET", "JWT_JWKS_URL", "ACCESS_KEYS", "DEV_TOKENS"]],
    ["has some", "ACCESS_KEYS=key\nDEV_TOKENS=0\n", ["JWT_SECRET", "JWT_JWKS_URL"]],
    [
      "is the example's copy",
      "JWT_SECRET=\nACCESS_KEYS=\nDEV_TOKENS=1\n",
      ["JWT_SECRET", "JWT_JWKS_URL", "ACCESS_KEYS"],
    ],
    ["has lost its secret", "JWT_JWKS_URL=\nACCESS_KEYS=key\nDEV_TOKENS=1", ["JWT_SECRET"]],
  ])("gets what is missing behind its own lines where it %s", async (_, own, written) => {
    writeFileSync(join(folder, ".dev.vars"), own);
    expect((await ensureDevVars(folder)).written).toEqual(written);
    expect(read(".dev.vars").startsWith(`${own.trimEnd()}\n`)).toBe(true);
    expect(parseEnv(read(".dev.vars"))).toMatchObject({
      JWT_SECRET: expect.stringMatching(/^[\w-]{43}$/),
      JWT_JWKS_URL: "",
      ACCESS_KEYS: expect.stringMatching(/^key$|^[\w-]{43}$/),
      DEV_TOKENS: own.includes("DEV_TOKENS=0") ? "0" : "1",
    });
  });

  it.each(["JWT_JWKS_URL=https://id.example.com/keys", "JWT_ISSUERS=[]"])(
    "is left alone where tokens are verified with %s",
    async (own) => {
      writeFileSync(join(folder, ".dev.vars"), own);
      expect((await ensureDevVars(folder)).written).toEqual([]);
      expect(read(".dev.vars")).toBe(own);
    },
  );

  it("keeps its names that only wrangler's reader knows", async () => {
    writeFileSync(join(folder, ".dev.vars"), "ACCESS_KEYS: abc\n");
    expect((await ensureDevVars(folder)).written).not.toContain("ACCESS_KEYS");
    expect(read(".dev.vars").match(/ACCESS_KEYS/g)).toHaveLength(1);
  });

  it.skipIf(process.getuid?.() === 0)("says what to add where it is read-only", async () => {
    writeFileSync(join(folder, ".dev.vars"), "OTHER=1\n", { mode: 0o400 });
    await expect(ensureDevVars(folder)).rejects.toThrow(/EACCES.*Add to it:\nJWT_SECRET=/s);
  });

  it("overrules wrangler.toml", async () => {
    writeFileSync(join(folder, ".dev.vars"), "JWT_SECRET=mine\nJWT_ISSUER=me\n");
    expect(await readKeys(folder)).toEqual({ secret: "mine", issuer: "me", audience: "dormouse" });
  });

  it("is beside the configuration that is chosen, also for the token's keys", async () => {
    mkdirSync(join(folder, "apps"));
    renameSync(join(folder, "wrangler.toml"), join(folder, "apps/api.toml"));
    const chosen = { config: "apps/api.toml" };
    expect((await ensureDevVars(folder, chosen)).path).toBe(join(folder, "apps/.dev.vars"));
    expect(readdirSync(folder)).not.toContain(".dev.vars");
    const [, secret] = /^JWT_SECRET=(.+)$/m.exec(read("apps/.dev.vars"))!;
    expect(await readKeys(folder, chosen)).toMatchObject({ secret });
  });

  it("is that of the environment, where it has one of its own", async () => {
    write(
      "wrangler.toml",
      `${read("wrangler.toml")}\n[env.live.vars]\nJWT_ISSUER = "me"\nJWT_AUDIENCE = "me"\n`,
    );
    write(".dev.vars.live", "OTHER=1\n");
    const chosen = { env: "live" };
    expect((await ensureDevVars(folder, chosen)).path).toBe(join(folder, ".dev.vars.live"));
    expect(await readKeys(folder, chosen)).toMatchObject({ issuer: "me" });
    expect(readdirSync(folder)).not.toContain(".dev.vars");
  });
});

describe("an .env without .dev.vars", () => {
  it("is not hidden by a new .dev.vars, and is left alone where it has a secret", async () => {
    write(".env", "JWT_SECRET=mine\nOTHER=1\n");
    expect((await ensureDevVars(folder)).written).toEqual([]);
    expect(await readKeys(folder)).toMatchObject({ secret: "mine" });
    expect(readdirSync(folder).filter((name) => /^\.(env|dev)/.test(name))).toEqual([".env"]);
  });

  it("gets the secrets of this machine beside it", async () => {
    write(".env", "OTHER=1\n");
    const { path, written } = await ensureDevVars(folder);
    expect([path, written]).toContainEqual(join(folder, ".env.local"));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const variables = await readVariables(folder, await readConfiguration(folder, {}));
    expect(variables).toMatchObject({ OTHER: "1", DEV_TOKENS: "1" });
    expect(await readKeys(folder)).toMatchObject({
      secret: parseEnv(read(".env.local"))["JWT_SECRET"],
    });
    expect((await ensureDevVars(folder)).written).toEqual([]);
  });

  it.each([".env.local", ".env.live", ".env.live.local"])("may be an %s as well", async (name) => {
    write("wrangler.toml", `${read("wrangler.toml")}\n[env.live]\n`);
    write(name, "JWT_SECRET=mine\nOTHER=1\n");
    const chosen = { env: "live" };
    expect((await ensureDevVars(folder, chosen)).written).toEqual([]);
    const variables = await readVariables(folder, await readConfiguration(folder, chosen), chosen);
    expect(variables).toMatchObject({ JWT_SECRET: "mine", OTHER: "1" });
  });

  it("does not count where wrangler is told not to read it", async () => {
    vi.stubEnv("CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV", "false");
    onTestFinished(() => void vi.unstubAllEnvs());
    write(".env", "JWT_SECRET=mine\n");
    expect((await ensureDevVars(folder)).path).toBe(join(folder, ".dev.vars"));
  });
});
