// The admin page as an operator uses it, and what it must never do: complain.

import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { complaintsOf } from "./demo-page.ts";
import { PATIENCE_MS } from "../support/patience.ts";

export interface AdminVisit extends AsyncDisposable {
  readonly page: Page;
  /** Errors and warnings of the console, and what was thrown. */
  readonly complaints: string[];
  signIn(token: string): Promise<void>;
  /** Opens a hub, or a room of it. */
  open(...parts: readonly string[]): Promise<void>;
  panel(name: string): Locator;
}

export async function visitAdmin(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<AdminVisit> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints = complaintsOf(page);
  await page.goto(`${url}/admin`);
  return {
    ...{ page, complaints },
    async signIn(token) {
      await page.getByLabel("Token").fill(token);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { name: "All hubs" }).waitFor();
    },
    async open(...parts) {
      const hash = `#/${parts.map(encodeURIComponent).join("/")}`;
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await page.getByRole("heading", { name: parts.at(-1)!, level: 1 }).waitFor();
    },
    panel: (name) => page.getByRole("region", { name }),
    [Symbol.asyncDispose]: () => context.close(),
  };
}
