// `npm run test:dotnet [-- --reference] [part of a title]`: the stock .NET client against our endpoint, or against
// ASP.NET Core itself (Reference/), of which the cases must be true as well. Before it the tokens of .NET
// (compare-tokens.ts), of which there are no parts; `--tokens` is those alone.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { randomSecret } from "../../src/cli/dev-vars.ts";
import { signToken } from "../../src/cli/sign-token.ts";
import { freePort, startEndpoint } from "../support/endpoint.ts";
import { compareTokens } from "./compare-tokens.ts";
import { namespaceOf, writeDocsBlocks } from "./docs-blocks.ts";
import { reportValues } from "../support/value-report.ts";

const HERE = import.meta.dirname;
/** Nothing is built in the repository, and no build server stays behind. */
const FOLDER = mkdtempSync(join(tmpdir(), "dormouse-dotnet-"));
/** Sources of a project that are made from hubs that run, and from pages of the docs. */
const generatedFor = (project: string): string => join(FOLDER, "generated", project);
const ENV = { ...process.env, MSBUILDDISABLENODEREUSE: "1", DOTNET_CLI_USE_MSBUILD_SERVER: "0" };
const QUIET = ["--nologo", "--verbosity", "quiet", "--artifacts-path", FOLDER];

function dotnet(args: readonly string[]): { readonly ok: boolean; readonly output: string } {
  const { status, stdout, stderr } = spawnSync("dotnet", args, { env: ENV, encoding: "utf8" });
  return { ok: status === 0, output: `${stdout}${stderr}` };
}

/** Does not outlive us. */
function start(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  const child = spawn("dotnet", args, {
    env: { ...ENV, ...env },
    stdio: ["ignore", "inherit", "inherit"],
  });
  process.once("exit", () => child.kill("SIGKILL"));
  return child;
}

/** Whether NuGet has the whole client here, its transports and MessagePack included. */
const hasWholeClient = (): boolean =>
  dotnet(["restore", join(HERE, "Dormouse.Tests"), ...QUIET, "-p:Whole=true"]).ok;

interface Extra {
  readonly project: string;
  /** How titles of its cases begin. */
  readonly titles: readonly string[];
  /** What NuGet must have. */
  readonly what: string;
  /** Writes sources of it into a folder. */
  readonly prepare?: (served: Served, folder: string) => Promise<void>;
  /** No program: it is compiled, and has no cases. */
  readonly isLibrary?: true;
}

/** Cases of a client of their own, each a program beside the others; and what is only compiled. */
const EXTRA: readonly Extra[] = [
  { project: "Dormouse.Tests.Refresh", titles: ["Refreshing"], what: "the client of .NET 11" },
  { project: "Dormouse.Tests.JsonRpc", titles: ["JsonRpcCalls"], what: "StreamJsonRpc" },
  {
    ...{ project: "Dormouse.Tests.Typed", titles: ["TypedHubs", "RoomStates"] },
    ...{ what: "MessagePack for SignalR", prepare: writeTypes },
  },
  {
    ...{ project: "Dormouse.Docs", titles: ["Docs"], isLibrary: true, prepare: writeDocs },
    what: "what ASP.NET applications of the guides use",
  },
];

const begins = (part: string, titles: readonly string[]): boolean =>
  titles.some((title) => part.startsWith(title));

/** Gives the program's path. */
function build(project: string, whole: boolean): string {
  const options = [
    `-p:Whole=${whole}`,
    `-p:Generated=${generatedFor(project)}`,
    "-p:UseSharedCompilation=false",
    "-c",
    "Release",
  ];
  const { ok, output } = dotnet(["build", join(HERE, project), ...QUIET, ...options]);
  if (!ok) throw new Error(`${project} cannot be built:\n${output}`);
  return join(FOLDER, "bin", project, "release", `${project}.dll`);
}

interface Served extends AsyncDisposable {
  readonly isReference: boolean;
  readonly url: string;
  readonly keys: Readonly<Record<"secret" | "issuer" | "audience", string>>;
}

/** wrangler.toml as it is, but for the worker: hubs of the tests are served too, and no demo is built. */
async function serveOurs(): Promise<Served> {
  const toml = readFileSync(join(HERE, "../../wrangler.toml"), "utf8")
    .replace(/^main = .*$/m, `main = ${JSON.stringify(join(HERE, "worker.ts"))}`)
    .replaceAll(/^\[(?:build|assets)\]\n(?:[^[\n].*\n|\n)*/gm, "");
  writeFileSync(join(FOLDER, "wrangler.toml"), toml);
  const endpoint = await startEndpoint({ folder: FOLDER });
  return {
    ...{ isReference: false, url: endpoint.url, keys: endpoint.keys },
    [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose](),
  };
}

async function serveReference(whole: boolean): Promise<Served> {
  const keys = { secret: randomSecret(), issuer: "dormouse", audience: "dormouse" };
  const [program, port] = [build("Reference", whole), await freePort()];
  const child = start([program, `${port}`], { JWT_SECRET: keys.secret });
  await reachable(port);
  return {
    isReference: true,
    url: `http://127.0.0.1:${port}`,
    keys,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}

async function reachable(port: number): Promise<void> {
  for (let look = 0; look < 100; look++) {
    // oxlint-disable-next-line no-await-in-loop -- one look after another
    if (await answers(port)) return;
    // oxlint-disable-next-line no-await-in-loop
    await sleep(100);
  }
  throw new Error(`Nothing answers on port ${port}.`);
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () =>
      resolve(false),
    );
    socket.once("close", () => socket.destroy());
    socket.end();
  });

async function test(program: string, served: Served, part: string): Promise<number> {
  const { url, keys, isReference } = served;
  const child = start([program, part], {
    DORMOUSE_URL: url,
    DORMOUSE_REFERENCE: isReference ? "1" : "0",
    JWT_SECRET: keys.secret,
    JWT_ISSUER: keys.issuer,
    JWT_AUDIENCE: keys.audience,
  });
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}

/** The number of undocumented differences. Verdicts are many: more than Node's default of a buffer. */
function testTokens(): Promise<number> {
  const program = build("TokenHandlers", false);
  return compareTokens((input) => {
    const answer = spawnSync("dotnet", [program], { env: ENV, input, encoding: "utf8", ...ROOM });
    if (answer.status !== 0) throw new Error(`TokenHandlers failed:\n${answer.stderr}`);
    return answer.stdout;
  });
}

const ROOM = { maxBuffer: 64 * 1024 * 1024 };

const JAVASCRIPT = "Values: of the stock JavaScript client";

/** The stock JavaScript client, in both protocols. True where no row differs. */
async function testJavaScript({ url, keys, isReference }: Served): Promise<boolean> {
  const reports = await reportValues({
    url,
    token: () => signToken(keys, { user: "alice", claims: { roles: [] } }),
    isReference,
  });
  for (const { protocol, equal, designed, differing } of reports) {
    for (const line of differing) console.log(`FAIL ${JAVASCRIPT}, ${protocol}: ${line}`);
    const counts = `equal ${equal}, differs by documented design ${designed.length}`;
    for (const line of designed) console.log(`     ${line}`);
    console.log(`     JavaScript values in ${protocol}: ${counts}, differs ${differing.length}`);
  }
  return reports.every(({ differing }) => differing.length === 0);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      reference: { type: "boolean", default: false },
      tokens: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  if (!dotnet(["--version"]).ok) {
    console.log("dotnet is not here: the .NET tests were skipped");
    return 0;
  }
  const isWhole = !values.reference && positionals.length === 0;
  if ((isWhole || values.tokens) && (await testTokens()) > 0) return 1;
  if (values.tokens) return 0;
  const whole = hasWholeClient();
  if (!whole)
    console.log(
      "NuGet lacks parts of the client here: its core is tested, over a WebSocket of ours",
    );
  const part = positionals[0] ?? "";
  const isExtra = EXTRA.some(({ titles }) => begins(part, titles));
  await using served = await (values.reference ? serveReference(whole) : serveOurs());
  const code = isExtra ? 0 : await test(build("Dormouse.Tests", whole), served, part);
  // The reference is .NET 10's server, which knows neither a refresh nor JSON-RPC.
  const extra = values.reference ? 0 : await testExtra(served, part);
  const isWanted = JAVASCRIPT.toLowerCase().includes(part.toLowerCase());
  const isSame = !isWanted || (await testJavaScript(served));
  return code || extra || (isSame ? 0 : 1);
}

/** Hubs in C#, each in a namespace of its own, and the copy of a state as the page has it. */
async function writeTypes(served: Served, folder: string): Promise<void> {
  await writeHub(served, "declared", { namespace: "Dormouse.Declared", folder });
  await writeHub(served, "declared-rooms", { namespace: "Dormouse.DeclaredRooms", folder });
  const page = readFileSync(join(HERE, "../../docs/state.md"), "utf8");
  const [code] = /^static class MergePatch[^`]+/m.exec(page) ?? [];
  if (code === undefined) throw new Error("docs/state.md has no MergePatch.");
  writeFileSync(join(folder, "MergePatch.cs"), `using System.Text.Json.Nodes;\n\n${code}`);
}

/** The guides' blocks of C#, and the chat that one of them calls. */
async function writeDocs(served: Served, folder: string): Promise<void> {
  await writeHub(served, "chat", { namespace: namespaceOf("clients"), folder });
  console.log(`     ${writeDocsBlocks(folder)} blocks of C# in the guides are compiled`);
}

/** A hub's types, as `dormouse types` writes them. */
async function writeHub(
  { url, keys }: Served,
  hub: string,
  { namespace, folder }: { readonly namespace: string; readonly folder: string },
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const program = join(HERE, "../../src/cli/dormouse.ts");
  const token = await signToken(keys, { user: "alice", claims: {} });
  const from = ["--from", `${url}/hubs/${hub}`, "--token", token];
  const out = ["--namespace", namespace, "--out", join(folder, `${hub}.types.cs`)];
  const args = [program, "types", "--csharp", ...from, ...out];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`dormouse types failed:\n${stderr}`);
}

/** The worst exit code of the programs that the part names; without a part of all. */
async function testExtra(served: Served, part: string): Promise<number> {
  let worst = 0;
  for (const { project, titles, what, prepare, isLibrary } of EXTRA) {
    if (part !== "" && !begins(part, titles)) continue;
    if (!dotnet(["restore", join(HERE, project), ...QUIET]).ok) {
      console.log(`NuGet lacks ${what} here: ${project} is left out`);
      continue;
    }
    // oxlint-disable-next-line no-await-in-loop
    await prepare?.(served, generatedFor(project));
    const program = build(project, true);
    // oxlint-disable-next-line no-await-in-loop -- one program after another
    if (!isLibrary) worst ||= await test(program, served, part);
  }
  return worst;
}

process.once("exit", () => rmSync(FOLDER, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => process.exit(130));
process.exitCode = await main();
