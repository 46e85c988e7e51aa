// A real Chromium and an endpoint for one test file, and the pages that its tests open. Registers hooks: call it at the
// top of a file.

import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import type { Endpoint } from "../support/endpoint.ts";

interface OpenPage extends AsyncDisposable {
  readonly complaints: readonly string[];
}

type Open<P> = (browser: Browser, url: string, options?: BrowserContextOptions) => Promise<P>;

interface Browsing<P, E extends Endpoint> {
  readonly endpoint: E;
  readonly browser: Browser;
  /** Opens a page, which ends with its test. Default: at the endpoint. */
  come(options?: BrowserContextOptions, url?: string): Promise<P>;
}

/** A test fails with the complaints of its pages, unless `mayComplain`. */
export function browsing<P extends OpenPage, E extends Endpoint>(
  open: Open<P>,
  start: () => Promise<E>,
  mayComplain = false,
): Browsing<P, E> {
  let endpoint: E;
  let browser: Browser;
  const pages: P[] = [];
  beforeAll(async () => {
    [endpoint, browser] = await Promise.all([start(), launchBrowser()]);
  });
  afterAll(async () => {
    await Promise.all([endpoint[Symbol.asyncDispose](), browser.close()]);
  });
  afterEach(async () => {
    const over = pages.splice(0);
    await Promise.all(over.map((each) => each[Symbol.asyncDispose]()));
    const complaints = mayComplain ? [] : over.flatMap((each) => each.complaints);
    if (complaints.length > 0) throw new Error(complaints.join("\n"));
  });
  return {
    get endpoint() {
      return endpoint;
    },
    get browser() {
      return browser;
    },
    async come(options, url = endpoint.url) {
      const made = await open(browser, url, options);
      pages.push(made);
      return made;
    },
  };
}
