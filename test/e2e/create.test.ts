// `npm create dormouse-hubs` as its users have it: both packages packed, a project of each template in an empty folder,
// checked, tested, deployed as far as that goes without an account, and started.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { startEndpoint, type OwnEndpoint } from "../support/endpoint.ts";
import { link, pack, packed, run, unpack } from "../support/installed.ts";
import { violationsOf } from "./accessible.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const TEMPLATES = ["minimal", "chat-react", "signalr", "orders"];

/** From the registry, as a user has it; otherwise the packages of this project stand in, which needs no network. */
const INSTALL = process.env["DORMOUSE_INSTALL"] === "1";

interface Manifest {
  readonly name: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

/** npm's programs, under the Node that runs us. */
const PATH = `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}`;
const npm = (cwd: string, ...args: readonly string[]): Promise<string> =>
  run("npm", args, {
    cwd,
    env: { PATH, ...(INSTALL && { npm_config_offline: "false" }) },
    timeoutMs: 240_000,
  });

let home: string;
const projectOf = (template: string): string => join(home, template);

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "dormouse-create-"));
  const [tarball, creator] = [
    await packed(),
    await pack(`${PROJECT}packages/create-dormouse-hubs`),
  ];
  const tool = join(home, ".tool/node_modules");
  await unpack(creator, join(tool, "create-dormouse-hubs"));
  link(tool, "@clack/prompts");
  const program = join(tool, "create-dormouse-hubs/dist/main.js");
  for (const template of TEMPLATES)
    await run(
      process.execPath,
      [program, template, "--template", template, "--yes", "--dormouse", `file:${tarball}`],
      { cwd: home },
    );
  // One installation for all.
  writeFileSync(
    join(home, "package.json"),
    JSON.stringify({ name: "home", private: true, workspaces: TEMPLATES }),
  );
  if (INSTALL) await npm(home, "install", "--no-audit", "--no-fund", "--prefer-offline");
  else await borrow(tarball);
}, 300_000);
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Links what the projects name to the packages of this one, which must be of a version that they accept. */
async function borrow(tarball: string): Promise<void> {
  const modules = join(home, "node_modules");
  const bin = join(modules, ".bin");
  mkdirSync(bin, { recursive: true });
  const needed = TEMPLATES.flatMap((template) => {
    const { dependencies, devDependencies } = manifestOf(projectOf(template));
    return Object.entries({ ...dependencies, ...devDependencies });
  });
  const own = manifestOf(PROJECT).devDependencies;
  const others = new Map(needed.filter(([name]) => name !== "dormouse-hubs"));
  for (const [name, range] of others) {
    const version = own[name] ?? "none";
    // Carets only: the same major version, and no older.
    expect([name, version.split(".")[0]]).toEqual([name, range.slice(1).split(".")[0]]);
    expect(version.localeCompare(range.slice(1), "en", { numeric: true })).toBeGreaterThanOrEqual(
      0,
    );
    link(modules, name);
  }
  const target = join(modules, "dormouse-hubs");
  await unpack(tarball, target);
  for (const name of Object.keys(manifestOf(target).dependencies)) link(modules, name);
  for (const name of ["tsc", "vitest", "vite", "wrangler"])
    symlinkSync(`${PROJECT}node_modules/.bin/${name}`, join(bin, name));
  chmodSync(join(target, "dist/cli/dormouse.js"), 0o755);
  symlinkSync(join(target, "dist/cli/dormouse.js"), join(bin, "dormouse"));
}

describe.each(TEMPLATES)("a project of the template %s", (template) => {
  it("has its own name, and secrets in no file that is committed", () => {
    const folder = projectOf(template);
    expect(manifestOf(folder).name).toBe(template);
    expect(readFileSync(join(folder, "wrangler.toml"), "utf8")).toContain(`name = "${template}"`);
    expect(readFileSync(join(folder, ".gitignore"), "utf8")).toMatch(/^\.dev\.vars\*$/m);
    expect(readFileSync(join(folder, ".dev.vars.example"), "utf8")).toMatch(/^JWT_SECRET=$/m);
    expect(existsSync(join(folder, ".dev.vars"))).toBe(false);
  });

  it("is checked, tested, and ready to be deployed", async () => {
    const folder = projectOf(template);
    if (template === "chat-react") await npm(folder, "run", "build");
    expect(await npm(folder, "run", "-s", "check")).toContain("wrangler.toml: nothing is wrong.");
    expect(await npm(folder, "run", "-s", "test")).toMatch(/Tests .*passed/);
    const deployed = await npm(folder, "run", "-s", "deploy", "--", "--dry-run");
    expect(deployed).toContain("--dry-run: exiting now.");
  });
});

describe("started", () => {
  let endpoint: OwnEndpoint;
  const start = async (template: string, vars: Readonly<Record<string, string>> = {}) =>
    (endpoint = await startEndpoint({ folder: projectOf(template), vars }));

  it("the chat in React has its page, which says why there is no connection", async () => {
    await using running = await start("chat-react");
    const page = await (await fetch(running.url)).text();
    const [, script] = /src="(\/assets\/[^"]+\.js)"/.exec(page) ?? [];
    expect(await (await fetch(`${running.url}${script}`)).text()).toContain("/hubs/chat");
    await using browser = await launchBrowser();
    const tab = await browser.newPage();
    await tab.goto(running.url);
    await tab.getByLabel("Your name").fill("alice");
    await tab.keyboard.press("Enter");
    const reason = "The `token` function failed. Tokens of your own identity provider belong here.";
    await expect.poll(() => tab.getByRole("alert").allTextContents()).toEqual([reason]);
  });

  it("the chat in React shows the newest message, and each once, and can be used by everybody", async () => {
    await using running = await start("chat-react", { DEV_TOKENS: "1" });
    await using browser = await launchBrowser();
    const page = await browser.newPage({ viewport: { width: 360, height: 640 } });
    await page.goto(running.url);
    expect(await violationsOf(page)).toEqual([]);
    await page.getByLabel("Your name").fill("alice");
    await page.keyboard.press("Enter");
    await page.getByText("connected, here: alice").waitFor();
    for (let line = 0; line < 30; line++) {
      await page.getByRole("textbox").fill(`line ${line}`);
      await page.keyboard.press("Enter");
      await page.keyboard.press("Enter");
    }
    const last = page.getByText("line 29");
    await last.waitFor();
    await expect.poll(() => page.getByRole("listitem").count()).toBe(30);
    const seen = `(() => {
      const line = [...document.querySelectorAll("li")].at(-1).getBoundingClientRect();
      return line.bottom <= document.querySelector(".log").getBoundingClientRect().bottom;
    })()`;
    expect(await page.evaluate(seen)).toBe(true);
    expect(await violationsOf(page)).toEqual([]);
  });

  it("the chat of SignalR's tutorial serves Microsoft's client, without a token", async () => {
    await using running = await start("signalr");
    expect((await fetch(`${running.url}/lib/signalr.min.js`)).status).toBe(200);
    const connection = new HubConnectionBuilder()
      .withUrl(`${endpoint.url}/hubs/chat`)
      .configureLogging(LogLevel.None)
      .build();
    const received = new Promise((resolve) =>
      connection.on("ReceiveMessage", (...args) => resolve(args)),
    );
    await connection.start();
    await connection.invoke("SendMessage", "Bob", "hello");
    expect(await received).toEqual(["Bob", "hello"]);
    await connection.stop();
  });

  it("orders reach the feed from the service", async () => {
    const ACCESS_KEYS = "a key of the service with 32 bytes or more";
    await using running = await start("orders", { ACCESS_KEYS });
    const folder = projectOf("orders");
    const token = await running.token("alice");
    const feed = await fetch(`${endpoint.url}/events/orders/42`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const ship = (status: string, env: Readonly<Record<string, string>> = {}) =>
      run(process.execPath, ["scripts/ship.ts", "42", status], {
        ...{ cwd: folder, env: { PATH, ORDERS_URL: `${endpoint.url}/hubs/orders`, ...env } },
      });
    await expect(ship("paid")).rejects.toThrow("ACCESS_KEYS is missing");
    // As where it runs elsewhere, without the project's file.
    expect(await ship("shipped", { ACCESS_KEYS })).toBe("Order 42 is shipped.\n");
    writeFileSync(join(folder, ".dev.vars"), `ACCESS_KEYS=${ACCESS_KEYS}\n`);
    expect(await ship("delivered")).toBe("Order 42 is delivered.\n");
    await expect(ship("lost")).rejects.toThrow("Invalid option");
    // A status may come back.
    await ship("shipped");
    const statuses = (text: string) =>
      [...text.matchAll(/"status":"(\w+)"/g)].map(([, one]) => one);
    let text = "";
    for await (const chunk of feed.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (statuses(text).length === 3) break;
    }
    expect(text).toContain('data: {"order":"42","status":"shipped"}');
    expect(statuses(text)).toEqual(["shipped", "delivered", "shipped"]);
  });
});

describe("the program", () => {
  const createIn = (cwd: string, ...args: readonly string[]) =>
    run(
      process.execPath,
      [join(home, ".tool/node_modules/create-dormouse-hubs/dist/main.js"), ...args],
      { cwd },
    ).catch((error: Error) => error.message);
  const create = (...args: readonly string[]) => createIn(home, ...args);

  it("says how the project starts, from where it was made", async () => {
    expect(await createIn(home, "my app", "--yes")).toContain("\n  cd 'my app'\n  npm install\n");
    const folder = mkdtempSync(join(tmpdir(), "dormouse-create-"));
    const said = await createIn(folder, ".", "--yes");
    rmSync(folder, { recursive: true });
    expect(said).toContain("Next:\n\n  npm install\n");
  });

  it("leaves a folder alone that is not empty", async () => {
    expect(await create("minimal", "--yes")).toContain("minimal is not empty.");
  });

  it("lists the templates where it knows none of that name, and in its help", async () => {
    expect(await create("x", "--template", "vue")).toContain(
      "There is no template vue. Templates: minimal,",
    );
    expect(await create("--help")).toContain("Usage: npm create dormouse-hubs@latest");
    expect(existsSync(join(home, "x"))).toBe(false);
  });
});
