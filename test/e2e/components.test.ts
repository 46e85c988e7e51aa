// Rooms in the components of React, Vue and Svelte: small pages in a real browser, talking to the real endpoint.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { BuildOptions, Plugin } from "esbuild";
import type { Browser, Page, WebSocket } from "playwright-core";
import { compile } from "svelte/compiler";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { startEngine } from "../support/engine.ts";
import type { OwnEndpoint } from "../support/endpoint.ts";
import { PATIENCE_MS } from "../support/patience.ts";
import { startSite, type Site } from "./site.ts";

const svelte: Plugin = {
  name: "svelte",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.svelte$/ }, ({ path }) => ({
      contents: compile(readFileSync(path, "utf8"), { filename: path }).js.code,
      loader: "js",
    })),
};
type Framework = "react" | "vue" | "svelte";

const define = {
  "process.env.NODE_ENV": '"development"',
  // Vue warns in the console where a bundle leaves them open.
  __VUE_OPTIONS_API__: "false",
  __VUE_PROD_DEVTOOLS__: "false",
  __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
};
const PAGES: Readonly<Record<Framework, { script: string; options: BuildOptions }>> = {
  react: { script: "rooms.tsx", options: { define, jsx: "automatic" } },
  vue: { script: "vue-room.ts", options: { define } },
  svelte: { script: "svelte-room.ts", options: { plugins: [svelte], conditions: ["svelte"] } },
};

let endpoint: OwnEndpoint;
let browser: Browser;
const sites = new Map<Framework, Site>();
beforeAll(async () => {
  for (const [framework, { script, options }] of Object.entries(PAGES)) {
    const path = fileURLToPath(new URL(`../pages/${script}`, import.meta.url));
    // oxlint-disable-next-line no-await-in-loop -- three bundles, on two cores
    sites.set(framework as Framework, await startSite(path, options));
  }
  const origins = [...sites.values()].map(({ origin }) => origin).join(",");
  [endpoint, browser] = await Promise.all([
    startEngine({ vars: { ALLOWED_ORIGINS: origins } }),
    launchBrowser(),
  ]);
});
afterAll(async () => {
  for (const site of sites.values()) site[Symbol.dispose]();
  await Promise.all([endpoint[Symbol.asyncDispose](), browser.close()]);
});

interface Opened {
  readonly page: Page;
  readonly sockets: readonly WebSocket[];
  readonly complaints: readonly string[];
}

async function open(
  framework: Framework,
  user: string,
  room: string,
  shown: Record<string, string> = {},
): Promise<Opened> {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const sockets: WebSocket[] = [];
  const complaints: string[] = [];
  page.on("websocket", (socket) => sockets.push(socket));
  page.on("pageerror", (error) => complaints.push(`${error.stack}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  const hub = `${endpoint.url}/hubs/chat`;
  const query = new URLSearchParams({ hub, room, token: await endpoint.token(user), ...shown });
  await page.goto(`${sites.get(framework)!.origin}/?${query}`);
  return { page, sockets, complaints };
}

const shows = (within: Pick<Page, "getByTitle">, title: string, text: string): Promise<void> =>
  within.getByTitle(title).getByText(text, { exact: true }).waitFor();

describe("twenty rooms in React components", () => {
  it("are one socket, each with its messages, history, presence and states", async () => {
    const { page, sockets, complaints } = await open("react", "alice", "twenty");
    const { page: other } = await open("react", "bob", "twenty");
    const room = (at: Page, i: number) =>
      at.getByRole("region", { name: `twenty-${i}`, exact: true });
    for (let i = 0; i < 20; i += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one page, looked at bit by bit
      await shows(room(page, i), "Members", "alice, bob");
    }
    await room(page, 3).getByText("Send").click();
    await shows(room(other, 3), "Messages", "to twenty-3");
    await shows(room(page, 3), "Messages", "to twenty-3");
    expect(await room(page, 4).getByTitle("Messages").textContent()).toBe("");
    await room(other, 5).getByText("Type").click();
    await shows(room(page, 5), "States", 'null,{"typing":true}');
    const { page: late } = await open("react", "carol", "twenty");
    await shows(room(late, 3), "Messages", "to twenty-3");
    expect(sockets.map((socket) => new URL(socket.url()).pathname)).toEqual(["/hubs/chat/rpc"]);
    await page.getByText("One room").click();
    await shows(room(other, 9), "Members", "bob, carol");
    await shows(room(other, 0), "Members", "alice, bob, carol");
    expect(sockets.filter((socket) => !socket.isClosed())).toHaveLength(1);
    expect(complaints).toEqual([]);
    await Promise.all([page, other, late].map((one) => one.close()));
  });

  it("hold nothing for a component that suspends, until it is there", async () => {
    const { page, complaints } = await open("react", "alice", "suspense");
    await shows(page, "Late", "suspended");
    await page.getByText("Go on").click();
    await shows(page, "Late", "there, connected");
    expect(complaints).toEqual([]);
    await page.close();
  });
});

describe.each(["vue", "svelte"] as const)("a room in a component of %s", (framework) => {
  it("shows state, presence, history and live messages, and leaves with the component", async () => {
    const name = { vue: "Vue", svelte: "Svelte" }[framework];
    const alice = await open(framework, "alice", `${framework}-room`);
    const bob = await open(framework, "bob", `${framework}-room`);
    await shows(alice.page, "Members", "alice, bob");
    await bob.page.getByText("Send").click();
    await shows(alice.page, "Messages", `bob: from ${name}`);
    await shows(alice.page, "Heard", "1");
    await alice.page.getByText("Send").click();
    await shows(bob.page, "Messages", `bob: from ${name}, alice: from ${name}`);
    const carol = await open(framework, "carol", `${framework}-room`);
    await shows(carol.page, "Messages", `bob: from ${name}, alice: from ${name}`);
    await shows(carol.page, "Heard", "0");
    await alice.page.getByText("Leave").click();
    await shows(bob.page, "Members", "bob, carol");
    expect(alice.sockets).toHaveLength(1);
    expect([...alice.complaints, ...bob.complaints]).toEqual([]);
    await Promise.all([alice, bob, carol].map(({ page }) => page.close()));
  });
});

const openAuction = (framework: Framework, user: string): Promise<Opened> =>
  open(framework, user, `${framework}-auction`, { auctions: `${endpoint.url}/hubs/auctions` });

describe.each(["react", "vue", "svelte"] as const)("a room with state in %s", (framework) => {
  it("shows what it holds, and every change, in all pages", async () => {
    const alice = await openAuction(framework, "alice");
    const bob = await openAuction(framework, "bob");
    await shows(alice.page, "Price", "0");
    await alice.page.getByText("Bid", { exact: true }).click();
    await shows(alice.page, "Price", "10");
    await shows(alice.page, "Leader", "alice");
    await shows(bob.page, "Price", "10");
    await bob.page.getByText("Bid", { exact: true }).click();
    await shows(alice.page, "Price", "20");
    await shows(alice.page, "Leader", "bob");
    const carol = await openAuction(framework, "carol");
    await shows(carol.page, "Price", "20");
    expect(alice.sockets).toHaveLength(1);
    expect([...alice.complaints, ...bob.complaints]).toEqual([]);
    await Promise.all([alice, bob, carol].map(({ page }) => page.close()));
  });
});

describe("a room with state in React", () => {
  it("renders what has changed and nothing else, and takes a refused guess back", async () => {
    const { page, complaints } = await open("react", "alice", "react-renders", {
      auctions: `${endpoint.url}/hubs/auctions`,
    });
    await shows(page, "Price", "0");
    await page.getByText("Bid", { exact: true }).click();
    await shows(page, "Leader", "alice");
    const renders = await page.getByTitle("Renders").textContent();
    await page.getByText("Bid", { exact: true }).click();
    await shows(page, "Price", "20");
    await page.getByText("Bid too little").click();
    await shows(page, "Failure", "too_low");
    await shows(page, "Price", "20");
    expect(await page.getByTitle("Renders").textContent()).toBe(renders);
    expect(complaints).toEqual([]);
    await page.close();
  });
});
