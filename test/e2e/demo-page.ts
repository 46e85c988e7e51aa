// The demo as somebody in front of it uses it, and what its page must never do: complain, or ask another server.

import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { PATIENCE_MS } from "../support/patience.ts";

export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** Errors and warnings of the console, and what was thrown, except for sockets that could not be had. */
  readonly complaints: string[];
  /** Where the page asked for anything. */
  readonly origins: ReadonlySet<string>;
  enter(name: string, room: string, role?: "manager" | "guest"): Promise<void>;
  say(text: string): Promise<void>;
  readonly log: Locator;
  readonly here: Locator;
  readonly state: Locator;
}

/** Without motion, unless the options say otherwise: its animations have no end, and keep a core busy. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints = complaintsOf(page);
  const origins = new Set<string>();
  page.on("request", (request) => void origins.add(new URL(request.url()).origin));
  page.on("websocket", (socket) => void origins.add(new URL(socket.url()).origin));
  await page.goto(url);
  return {
    ...{ page, complaints, origins },
    log: page.getByRole("log"),
    here: page.getByRole("list", { name: "Who is here" }).getByRole("listitem"),
    state: page.locator("#state-text"),
    enter: (name, room, role = "manager") => enter(page, { name, room, role }),
    async say(text) {
      await page.getByRole("textbox", { name: "Message" }).fill(text);
      await page.getByRole("button", { name: "Send" }).click();
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}

/** A browser says so itself when a server is gone, and nothing can keep it from that. */
const GONE =
  /net::ERR_(CONNECTION|INTERNET|SOCKET|EMPTY|NETWORK)|closed before receiving a handshake response/;

export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    const isBad = ["error", "warning"].includes(message.type());
    if (isBad && !GONE.test(message.text())) complaints.push(message.text());
  });
  return complaints;
}

interface Entry {
  readonly name: string;
  readonly room: string;
  readonly role: "manager" | "guest";
}

async function enter(page: Page, { name, room, role }: Entry): Promise<void> {
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("Room").fill(room);
  await page.getByRole("checkbox", { name: "as a manager" }).setChecked(role === "manager");
  await page.getByRole("button", { name: "Come in" }).click();
  await page.getByRole("heading", { name: `#${room}` }).waitFor();
}
