// The commands of package.json as a user runs them, in folders of their own: the project's .dev.vars stays untouched.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeJwt, jwtVerify } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { summarise } from "../../scripts/ci-summary.ts";
import type { Report } from "../../scripts/ci-summary.ts";
import { readKeys } from "../../src/cli/dev-vars.ts";
import { runCommand } from "../support/command.ts";
import { freePort, startEndpoint } from "../support/endpoint.ts";
import { PROGRAM_MS } from "../support/patience.ts";

const WORKER = `
import { DurableObject } from "cloudflare:workers";
export class Room extends DurableObject {
  async fetch(request) {
    if (request.headers.get("upgrade") !== "websocket") {
      const seen = ((await this.ctx.storage.get("seen")) ?? 0) + 1;
      await this.ctx.storage.put("seen", seen);
      return Response.json({ seen, secret: this.env.JWT_SECRET, issuer: this.env.JWT_ISSUER });
    }
    const [client, server] = Object.values(new WebSocketPair());
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }
}
export class Relay extends DurableObject {}
export class Account extends DurableObject {}
export default { fetch: (request, env) => env.ROOMS.getByName("one").fetch(request) };
`;

const SEEN = `export default {
  fetch: ({ url }, env) => Response.json({ url, calls: env.LOG_REFUSED_CALLS, reasons: env.DEVELOPMENT }),
};`;

const PROGRAM = fileURLToPath(new URL("../../src/cli/dormouse.ts", import.meta.url));
const SUMMARY = fileURLToPath(new URL("../../scripts/ci-summary.ts", import.meta.url));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dormouse-scripts-"));
  const toml = fileURLToPath(new URL("../../wrangler.toml", import.meta.url));
  writeFileSync(join(folder, "wrangler.toml"), readFileSync(toml));
  for (const name of ["src", "public", "demo", "admin", "scripts"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "scripts/build-pages.ts"), "// There is no page here.");
  writeFileSync(join(folder, "src/worker.ts"), WORKER);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const devVars = (): string => readFileSync(join(folder, ".dev.vars"), "utf8");

function run(name: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, name, ...args], {
    cwd: folder,
    encoding: "utf8",
    timeout: PROGRAM_MS,
  });
  return { status, stdout, stderr };
}

/** As `run("token", …)`, without a process of its own: each loads wrangler. */
const signed = (...args: string[]) => runCommand(folder, "token", args);

async function verified(text: string) {
  const { secret, issuer, audience } = await readKeys(folder);
  return jwtVerify(text, new TextEncoder().encode(secret), { issuer, audience });
}

describe("npm run token", () => {
  it("prints one line, which verifies, and nothing else", async () => {
    const flags = ["--role", "Admin", "--claim", "permissions=users.manage", "--tenant", "acme"];
    const { status, stdout, stderr } = run("token", "alice", ...flags, "--ttl", "600");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const { payload, protectedHeader } = await verified(stdout.trim());
    expect(protectedHeader).toEqual({ alg: "HS256", typ: "JWT" });
    expect(payload).toEqual({
      sub: "alice",
      role: "Admin",
      permissions: "users.manage",
      tid: "acme",
      iss: "dormouse",
      aud: "dormouse",
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: payload.iat! + 600,
    });
  });

  it("makes arrays of what is repeated, JSON of what looks like it, and strings of the rest", async () => {
    const roles = ["--role", "a", "--role", "b"];
    const claims = ["p=x", "p=y", 'caps=[{"channels":["a"]}]', "n=1", "e=", "q=a=b", "t=[x"];
    const flags = claims.flatMap((claim) => ["--claim", claim]);
    const { payload } = await verified((await signed("bob", ...roles, ...flags)).stdout.trim());
    const { sub, iss, aud, jti, iat, exp, ...rest } = payload;
    expect(exp! - iat!).toBe(3_600);
    expect(rest).toEqual({
      role: ["a", "b"],
      p: ["x", "y"],
      caps: [{ channels: ["a"] }],
      n: "1",
      e: "",
      q: "a=b",
      t: "[x",
    });
  });

  it("has user, roles and tenant where the endpoint looks for them, and what is set by hand", async () => {
    const names = { USER_ID_CLAIM: "oid", ROLES_CLAIM: "realm.roles", TENANT_CLAIM: "org" };
    const vars = Object.entries({ ...names, AUDIENCE_CLAIM: "azp", JWT_SECRET: "x".repeat(32) });
    writeFileSync(join(folder, ".dev.vars"), vars.map((pair) => pair.join("=")).join("\n"));
    const flags = ["--role", "a", "--role", "b", "--tenant", "acme", "--claim", "azp=other"];
    const { payload } = await verified((await signed("alice", ...flags)).stdout.trim());
    const there = { oid: "alice", "realm.roles": ["a", "b"], org: "acme", azp: "other" };
    expect(payload).toMatchObject(there);
    expect(payload).not.toHaveProperty("role");
  });

  it.each([
    { args: [] },
    { args: ["alice", "bob"] },
    { args: ["alice", "--nope"] },
    { args: ["alice", "--claim", "=x"] },
    { args: ["alice", "--claim", "sub=bob"] },
    { args: ["alice", "--ttl", "0"] },
    { args: ["alice", "--ttl", "-5"] },
    { args: ["alice", "--ttl", "1h"] },
    { args: ["alice", "--tenant", ""] },
    { args: ["guests@192.0.2.1"] },
  ])("refuses $args with exit code 2 and an empty standard output", async ({ args }) => {
    const { status, stdout, stderr } = await signed(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("Usage:");
  });

  it("writes the secret into a file that has none", async () => {
    writeFileSync(join(folder, ".dev.vars"), "OTHER=1\n");
    const { status, stdout } = await signed("alice");
    expect(status).toBe(0);
    expect((await verified(stdout.trim())).payload.sub).toBe("alice");
    expect(devVars()).toMatch(/^OTHER=1\n/);
  });

  it("is signed with the files that are named, and writes none", async () => {
    const secrets = `JWT_SECRET=${"x".repeat(32)}\nJWT_ISSUER=me\n`;
    writeFileSync(join(folder, "other.env"), secrets);
    const { status, stdout } = await signed("alice", "--env-file", "other.env");
    expect([status, decodeJwt(stdout.trim()).iss]).toEqual([0, "me"]);
    expect(existsSync(join(folder, ".dev.vars"))).toBe(false);
  });

  it("ends with 1 and says what is missing when tokens are a provider's", async () => {
    writeFileSync(join(folder, ".dev.vars"), "JWT_JWKS_URL=https://id.example.com/keys\n");
    const { status, stdout, stderr } = await signed("alice");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("JWT_SECRET");
  });
});

describe("--help", () => {
  it.each(["token", "dev", "check"])(
    "of %s goes to standard output, and nothing is written",
    (name) => {
      const { status, stdout } = run(name, "--help");
      expect({ status, usage: stdout.startsWith(`Usage: dormouse ${name}`) }).toEqual({
        status: 0,
        usage: true,
      });
      expect(devVars).toThrow("ENOENT");
    },
  );
});

it("dormouse --version is that of the package", () => {
  const { version } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as { version: string };
  expect(run("--version")).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
});

describe("npm run dev", () => {
  it.each([["--port"], ["--port=x"], ["--port=0"], ["--port=65536"], ["--ip"]])(
    "refuses %s with exit code 2",
    (flag) => {
      expect(run("dev", flag)).toMatchObject({ status: 2, stdout: "" });
    },
  );

  it("says what it lacks where there is no shell, as on Windows", async () => {
    const args = [PROGRAM, "dev", "--port", `${await freePort()}`];
    const env = { PATH: join(folder, "none"), HOME: folder };
    const { status, stderr } = spawnSync(process.execPath, args, {
      ...{ cwd: folder, encoding: "utf8", env, timeout: PROGRAM_MS },
    });
    expect([status, stderr]).toEqual([1, expect.stringContaining("There is no POSIX shell")]);
  });

  it("starts, says where it is, honours .dev.vars, and leaves nothing behind on SIGTERM", async () => {
    const port = await freePort();
    const args = [...[PROGRAM, "dev"], "--port", `${port}`, "--log-level", "warn"];
    const { dev, output } = await startedDev(args);
    const url = `http://127.0.0.1:${port}`;
    expect(output).toContain(url);
    expect(await (await fetch(url)).json()).toMatchObject({
      secret: (await readKeys(folder)).secret,
    });
    // workerd would not go by itself while a socket is open.
    await once(new WebSocket(url.replace("http", "ws")), "open");
    dev.kill("SIGTERM");
    expect(await once(dev, "exit")).toEqual([0, null]);
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });

  it("ends when the npm or npx that started it is killed", async () => {
    const port = await freePort();
    const args = [...[PROGRAM, "dev"], "--port", `${port}`, "--log-level", "warn"];
    const npm = `require("node:child_process").spawn(process.execPath, process.argv.slice(1), { stdio: "inherit" })`;
    const { dev } = await startedDev(["-e", npm, ...args], { npm_lifecycle_event: "npx" });
    dev.kill("SIGKILL");
    const ask = () => fetch(`http://127.0.0.1:${port}`);
    await vi.waitFor(() => expect(ask()).rejects.toThrow("fetch failed"), 20_000);
  });

  it.each<[string, string, string[]]>([
    ["a custom domain", 'routes = [{ pattern = "hubs.example.com", custom_domain = true }]', []],
    [
      "routes of an environment",
      '[env.staging]\nroutes = ["example.com/realtime/*"]\n[[env.staging.durable_objects.bindings]]\nname = "ROOMS"\nclass_name = "Room"',
      ["--env", "staging", "--env-file", "my own.env"],
    ],
  ])(
    "keeps its own address as the host with %s, beside another debugger",
    async (_, lines, more) => {
      const toml = readFileSync(join(folder, "wrangler.toml"), "utf8");
      const isTable = lines.startsWith("[");
      writeFileSync(
        join(folder, "wrangler.toml"),
        isTable ? `${toml}\n${lines}\n` : `${lines}\n${toml}`,
      );
      writeFileSync(join(folder, "src/worker.ts"), WORKER.replace(/export default .*/, SEEN));
      writeFileSync(join(folder, "my own.env"), "");
      // wrangler's own choice, which another worker's debugger may have.
      const debuggers = await Promise.all([9229, 9230].map(occupied));
      const port = await freePort();
      const args = [PROGRAM, "dev", "--port", `${port}`, "--log-level", "warn", ...more];
      const { dev, output } = await startedDev(args);
      const flags = more.length > 0 ? " -e staging --env-file 'my own.env'" : "";
      expect(output).toContain(` token alice${flags}\n`);
      const url = `http://127.0.0.1:${port}/x`;
      expect(await (await fetch(url)).json()).toEqual({ url, calls: "1", reasons: "1" });
      dev.kill("SIGTERM");
      await once(dev, "exit");
      for (const server of debuggers) server.close();
    },
  );
});

/** `dormouse dev` in the folder, once it says that it runs, with its output until then. */
async function startedDev(args: readonly string[], variables: NodeJS.ProcessEnv = {}) {
  const dev = spawn(process.execPath, args, {
    ...{ cwd: folder, env: { ...process.env, ...variables } },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  dev.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  await vi.waitFor(() => expect(output).toContain("To end it"), 80_000);
  return { dev, output };
}

/** Takes a port of this machine, unless another program has it already. */
async function occupied(port: number): Promise<Server> {
  const server = createServer();
  const taken = new Promise((resolve) => {
    server.once("error", resolve).listen(port, "127.0.0.1", () => resolve(undefined));
  });
  await taken;
  return server;
}

describe("the endpoint of the tests", () => {
  it("keeps its port, secret and storage over kill and restart", async () => {
    await using endpoint = await startEndpoint({ folder, vars: { JWT_ISSUER: `$it "is" #1` } });
    const get = async (): Promise<unknown> => (await fetch(endpoint.url)).json();
    const { secret, issuer } = endpoint.keys;
    expect(await get()).toEqual({ seen: 1, secret, issuer });
    await endpoint.kill();
    await expect(get()).rejects.toThrow("fetch failed");
    await endpoint.restart();
    expect(await get()).toEqual({ seen: 2, secret, issuer });
  });

  it("says what wrangler wrote when it does not start", async () => {
    writeFileSync(join(folder, "wrangler.toml"), "name = 1");
    // At a port that is given it is started once.
    const port = await freePort();
    await expect(startEndpoint({ folder, port })).rejects.toThrow(/before it was ready.*"name"/s);
  });
});

describe("the count of .ci/run", () => {
  const report = (counts: Partial<Report>): Report => ({
    ...{ numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 },
    ...{ testResults: [], ...counts },
  });
  const failedFile = (...titles: string[]): Report["testResults"][number] => ({
    name: "a.test.ts",
    status: "failed",
    assertionResults: titles.map((fullName) => ({ status: "failed", fullName })),
  });
  const steps = (tests: number, lint = 0) => [
    { name: "tests", exitCode: tests },
    { name: "lint", exitCode: lint },
  ];

  it.each([
    ["all is well", report({ numPassedTests: 5 }), steps(0), "6 passed, 0 failed"],
    [
      "a test was skipped",
      report({ numPassedTests: 5, numPendingTests: 2 }),
      steps(0),
      "6 passed, 0 failed, 2 skipped",
    ],
    [
      "two tests failed",
      report({ numPassedTests: 5, testResults: [failedFile("x", "y")] }),
      steps(1),
      "6 passed, 2 failed",
    ],
    [
      "a file does not load",
      report({ numPassedTests: 5, testResults: [failedFile()] }),
      steps(1),
      "6 passed, 1 failed",
    ],
    [
      "vitest failed outside the tests",
      report({ numPassedTests: 5 }),
      steps(1),
      "6 passed, 1 failed",
    ],
    ["a check failed", report({ numPassedTests: 5 }), steps(0, 1), "5 passed, 1 failed"],
    ["no test ran", report({}), steps(0), "1 passed, 1 failed"],
    ["there is no report", undefined, steps(137), "1 passed, 1 failed"],
  ])("when %s", (_, found, results, line) => {
    const summary = summarise(found, results);
    expect(summary.line).toBe(line);
    expect(summary.ok).toBe(line.includes(" 0 failed"));
  });

  it("counts the files that did not run after the last allowed failure as one", () => {
    const found = report({ testResults: [failedFile("x"), failedFile(), failedFile()] });
    const { failures, line } = summarise(found, steps(1));
    expect(failures).toEqual([
      "a.test.ts: x",
      "tests: 2 files did not run, or failed without a reason",
    ]);
    expect(line).toBe("1 passed, 2 failed");
  });

  it("says which tests had not ended where there is no report", () => {
    const { failures, line } = summarise(undefined, steps(124), ["a.test.ts: x", "b.test.ts"]);
    expect(failures.slice(1)).toEqual(["a.test.ts: x has not ended", "b.test.ts has not ended"]);
    expect(line).toBe("1 passed, 3 failed");
  });

  it("is printed of half a report too, and ends with a code that Node's own failures have not", () => {
    const [half, progress] = [join(folder, "tests.json"), join(folder, "progress")];
    writeFileSync(half, '{"numPassedTests": 5, "testRes');
    writeFileSync(progress, "a.test.ts: x");
    const args = [SUMMARY, half, progress, "tests=124", "lint=0"];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(status).toBe(3);
    expect(stdout).toMatch(/a\.test\.ts: x has not ended\n\n1 passed, 2 failed\n$/);
  });

  it("says why a test failed, or the file before it", () => {
    const failed = { status: "failed", fullName: "x" };
    const own = { ...failed, failureMessages: ["it is 2\nnot 1"] };
    const found = report({
      testResults: [{ ...failedFile(), message: "no port", assertionResults: [failed, own] }],
    });
    expect(summarise(found, steps(1)).failures).toEqual([
      "a.test.ts: x\n    no port",
      "a.test.ts: x\n    it is 2\n    not 1",
    ]);
  });
});
