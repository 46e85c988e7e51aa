// `dormouse check` in folders as its users have them: what it reads, what it finds, and its exit codes.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runCommand } from "../support/command.ts";

/** The first example of docs/worker.md. */
const TOML = readFileSync(new URL("../../docs/worker.md", import.meta.url), "utf8").match(
  /```toml\n(.*?)```/s,
)![1]!;

const WORKER = `
import { DurableObject } from "cloudflare:workers";
import page from "./page.html";
export * from "./objects.ts";
export default { fetch: () => new Response(page) };
`;

const OBJECTS = `
import { DurableObject } from "cloudflare:workers";
export class Room extends DurableObject {}
export class Relay extends DurableObject {}
export class Account extends DurableObject {}
`;

const PROGRAM = fileURLToPath(new URL("../../src/cli/dormouse.ts", import.meta.url));

let folder: string;
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dormouse-check-"));
  write("wrangler.toml", TOML);
  write("worker.ts", WORKER);
  write("objects.ts", OBJECTS);
  write("page.html", "<p>");
  write(".dev.vars", `JWT_SECRET=${"s".repeat(32)}\n`);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  vi.unstubAllEnvs();
});

const check = (...args: string[]) => runCommand(folder, "check", args);

describe("dormouse check", () => {
  it("finds nothing wrong with docs/worker.md's example", async () => {
    expect(await check("--secret", "JWT_SECRET")).toEqual({
      status: 0,
      stdout: "wrangler.toml: nothing is wrong.\n",
      stderr: "",
    });
  });

  it("names what .dev.vars alone has, since it is not deployed", async () => {
    const local =
      "DEV_TOKENS=1\nJWT_JWKS_URL=\nACCESS_KEYS=k\nWEBHOOK_URL=http://127.0.0.1:9000/\n";
    write(".dev.vars", `JWT_SECRET=${"s".repeat(32)}\n${local}`);
    write("wrangler.toml", TOML.replace("[vars]", '[vars]\nWEBHOOK_URL = "https://a.example/"'));
    const { status, stdout } = await check("--secret", "WEBHOOK_SECRET", "--secret", "ACCESS_KEYS");
    expect([status, stdout]).toEqual([
      0,
      `wrangler.toml: nothing is wrong.

Only in this machine's files, which are not deployed: JWT_SECRET.
If the worker needs one: npx wrangler secret put NAME, or a line in [vars]. With --secret NAME this check takes it as set.
`,
    ]);
  });

  it.each([
    ["JWT_SECRETS", "JWT_SECRET"],
    ["JWT_SECERT", "JWT_SECRET"],
    ["jwt-secret", "JWT_SECRET"],
    ["ACCESS_KEY", "ACCESS_KEYS"],
    ["WEBHOOKS_SECRET", "WEBHOOK_SECRET"],
  ])("asks whether %s is %s", async (name, meant) => {
    rmSync(join(folder, ".dev.vars"));
    const { stdout } = await check("--secret", name);
    expect(stdout).toContain(`\nThe server does not read ${name}. Is ${meant} meant?\n`);
  });

  it.each(["DB_PASSWORD", "ACCESS_TOKENS", "JWT_SECRET_2"])(
    "does not ask about %s, and not about a name if the other is set",
    async (name) => {
      const { stdout } = await check("--secret", "JWT_SECRET", "--secret", name);
      expect(stdout).toBe("wrangler.toml: nothing is wrong.\n");
    },
  );

  it("judges the value of [vars], which is deployed, and not that of .dev.vars", async () => {
    write(".dev.vars", `JWT_SECRET=${"s".repeat(32)}\nJWT_ISSUER=me\n`);
    write("wrangler.toml", TOML.replace('"me"', '""'));
    const { status, stdout } = await check();
    expect([status, stdout]).toEqual([1, expect.stringContaining("1. JWT_ISSUER is missing.")]);
  });

  it("ends with 1 and lists bindings, exports, date, secrets and variables at once", async () => {
    const toml = TOML.replace('"RELAYS"', '"OTHERS"')
      .replace("2026-10-01", "2025-01-01")
      .replace('"me"', '""');
    write("wrangler.toml", `${toml}[[kv_namespaces]]\nbinding = "RELAYS"\nid = "x"\n`);
    write("objects.ts", OBJECTS.replace("export class Account", "class Account"));
    write(".dev.vars", "JWT_SECRET=short\n");
    const { status, stdout } = await check();
    expect([status, stdout.match(/^\d+\. [^.]*\./gm)]).toEqual([
      1,
      [
        "1. The binding RELAYS is not a namespace of Durable Objects.",
        "2. The class Account of the binding ACCOUNTS is not exported by main.",
        "3. The compatibility date is before 2026-10-01.",
        "4. JWT_ISSUER is missing.",
        "5. JWT_SECRET is under 32 bytes.",
      ],
    ]);
    expect(stdout).not.toContain("short");
  });

  it("reads wrangler.jsonc, and writes lines for it", async () => {
    rmSync(join(folder, "wrangler.toml"));
    write("wrangler.jsonc", '{ /* no bindings */ "name": "x", "main": "worker.ts" }');
    const { status, stdout } = await check();
    expect(status).toBe(1);
    expect(stdout).toContain("wrangler.jsonc: problems:");
    expect(stdout).toContain('"compatibility_date": "2026-10-01"');
  });

  it("takes the environment and the secrets that it is told", async () => {
    write("wrangler.toml", `${TOML}\n[env.live]\nvars = { JWT_ISSUER = "live" }\n`);
    rmSync(join(folder, ".dev.vars"));
    const { stdout } = await check("--env", "live", "--secret", "JWT_SECRET");
    expect(stdout.match(/^\d+\. .*?[.:]/gm)).toEqual([
      "1. The binding ROOMS is missing.",
      "2. The binding RELAYS is missing.",
      "3. The binding ACCOUNTS is missing.",
      "4. JWT_AUDIENCE is missing.",
      "5. wrangler warns of the file:",
    ]);
  });

  it("judges the keys that are deployed, and not a secret of this machine", async () => {
    const withUrl = (url: string) => TOML.replace("[vars]\n", `[vars]\nJWT_JWKS_URL = "${url}"\n`);
    write("wrangler.toml", withUrl("https://id.example.com/keys"));
    expect((await check("--secret", "JWT_SECRET")).stdout).toContain("are both set");
    write("wrangler.toml", withUrl("no URL"));
    write(".dev.vars", "JWT_SECRET=short\nJWT_JWKS_URL=\n");
    expect((await check()).stdout.match(/^\d+\. \w+/gm)).toEqual(["1. JWT_JWKS_URL"]);
  });

  it.each([
    ["observability", 'routes = [{ pattern = "rt.example.com", custom_domain = true }]', "routes"],
    ["observability", 'd1_databases = [{ binding = "DB", database_id = "1" }]', "d1_databases"],
  ])("shows wrangler's warning of a field in the table %s: %s", async (table, line, name) => {
    const toml = TOML.replace(/^observability = .*$/m, "");
    write("wrangler.toml", `${toml}\n[observability]\nenabled = false\n${line}\n`);
    const { status, stdout } = await check();
    expect([status, stdout.match(/^\d+\. .*/gm)]).toEqual([1, ["1. wrangler warns of the file:"]]);
    expect(stdout).toContain(`- Unexpected fields found in ${table} field: "${name}"\nA key of`);
    expect(stdout).not.toContain("nothing is wrong");
  });

  it("leaves out wrangler's warning that `[unsafe]` is experimental", async () => {
    write("wrangler.toml", `${TOML}\n[unsafe.metadata]\nname = "x"\n`);
    const { stdout } = await check("--secret", "JWT_SECRET");
    expect(stdout).toBe("wrangler.toml: nothing is wrong.\n");
  });

  it("writes lines for the tables of the environment, in both forms of the file", async () => {
    const env = { live: { vars: { JWT_ISSUER: "live" } } };
    write("wrangler.toml", `${TOML}\n[env.live]\nvars = { JWT_ISSUER = "live" }\n`);
    rmSync(join(folder, ".dev.vars"));
    const toml = (await check("--env", "live")).stdout;
    vi.stubEnv("CLOUDFLARE_ENV", "live");
    expect((await check()).stdout).toBe(toml);
    expect(toml).toContain("    [[env.live.durable_objects.bindings]]\n");
    expect(toml).toContain("    [env.live.vars]\n    JWT_AUDIENCE");
    expect(toml).toContain("npx wrangler secret put JWT_SECRET --env live");
    rmSync(join(folder, "wrangler.toml"));
    write("wrangler.jsonc", JSON.stringify({ name: "x", main: "worker.ts", env }));
    const { stdout } = await check("--env", "live");
    expect(stdout).toContain('    // in "env", "live":\n    "vars": { "JWT_AUDIENCE"');
    expect(stdout).not.toMatch(/\/\/ .*\n *"compatibility_date"/);
  });

  it.each<[string, () => void, string]>([
    ["is not there", () => rmSync(join(folder, "worker.ts")), "there is no such file"],
    ["does not parse", () => write("worker.ts", "export {"), "worker.ts cannot be bundled: "],
  ])("says so where main %s", async (_, breakIt, words) => {
    breakIt();
    expect(await check()).toMatchObject({ status: 1, stdout: expect.stringContaining(words) });
  });

  it("says what wrangler says of a file that cannot be read, with the line, and where there is none", async () => {
    write("wrangler.toml", 'main = "worker.ts"\nname = \n');
    const { status, stderr } = await check();
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^wrangler\.toml:2:7: /)]);
    rmSync(join(folder, "wrangler.toml"));
    expect(await check()).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("wrangler.toml"),
    });
  });

  it("reports a folder that cannot be made as this machine's, and not as the worker's", async () => {
    vi.stubEnv("TMPDIR", join(folder, "missing"));
    const { status, stdout, stderr } = await check();
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/missing\/dormouse-hubs-\w+: there is no such file or folder\.\n$/);
  });

  it("reports a bundler that cannot start as this machine's, and not as the worker's", async () => {
    const wrangler = join(folder, "node_modules/wrangler");
    mkdirSync(join(wrangler, "node_modules/esbuild"), { recursive: true });
    const own = fileURLToPath(import.meta.resolve("wrangler"));
    writeFileSync(
      join(wrangler, "package.json"),
      JSON.stringify({ name: "wrangler", main: "index.js" }),
    );
    writeFileSync(join(wrangler, "index.js"), `module.exports = require(${JSON.stringify(own)});`);
    writeFileSync(
      join(wrangler, "node_modules/esbuild/index.js"),
      'exports.build = async () => { throw new Error("The service was stopped"); };',
    );
    expect(await check()).toEqual({
      status: 1,
      stdout: "",
      stderr: "The service was stopped\n",
    });
  });

  it.each(["SIGTERM", "SIGINT"] as const)("leaves no folder and process after %s", async (name) => {
    mkdirSync(join(folder, "tmp"));
    write(
      "worker.ts",
      `${WORKER}\nimport { writeFileSync } from "node:fs";\nwriteFileSync("pid", String(process.pid));\nwhile (true);`,
    );
    const child = spawn(process.execPath, [PROGRAM, "check"], {
      cwd: folder,
      stdio: "ignore",
      env: { ...process.env, TMPDIR: join(folder, "tmp") },
    });
    const pid = await vi.waitFor(() => {
      const text = readFileSync(join(folder, "pid"), "utf8");
      expect(text).not.toBe("");
      return Number(text);
    });
    child.kill(name);
    expect(await once(child, "exit")).toEqual([null, name]);
    expect(readdirSync(join(folder, "tmp"))).toEqual([]);
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"));
  });

  it.each([[["--nope"]], [["now"]]])("refuses %j with exit code 2", async (args) => {
    expect(await check(...args)).toMatchObject({ status: 2, stdout: "" });
  });
});
