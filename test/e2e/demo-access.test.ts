// The demo for everybody: by keyboard alone, by day and night, on a phone, with little motion, and without dev tokens.

import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { sharedEndpoint, sharedPages } from "../support/shared-endpoint.ts";
import { browsing } from "./browsing.ts";
import { visit } from "./demo-page.ts";

const site = browsing(visit, sharedPages);
const { come } = site;

const focused = (page: Page): Promise<string> =>
  page.evaluate(`(() => {
    const { activeElement: it } = document;
    return it === document.body ? "" : it.id || it.textContent.trim();
  })()`);

/** Presses Tab until it is there; every stop on the way must be seen. */
async function tabTo(page: Page, id: string): Promise<void> {
  for (let stops = 0; stops < 40; stops++) {
    if ((await focused(page)) === id) return;
    await page.keyboard.press("Tab");
    const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
    const stop = await focused(page);
    if (outline === "none" && stop !== "") throw new Error(`Nobody sees the focus on ${stop}.`);
  }
  throw new Error(`Tab does not lead to ${id}.`);
}

describe("by keyboard alone", () => {
  it("signs in, speaks, changes an order, opens the inspector and goes around", async () => {
    const { page, log } = await come();
    expect(await focused(page)).toBe("name");
    await page.keyboard.type("alice");
    await tabTo(page, "room");
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("keys");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "#keys" }).waitFor();
    expect(await focused(page)).toBe("say");
    await page.keyboard.type("by hand");
    await page.keyboard.press("Enter");
    await log.getByText("by hand").waitFor();
    expect(await focused(page)).toBe("say");
    await tabTo(page, "packed");
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "packed", pressed: true }).waitFor();
    expect(await focused(page)).toBe("packed");
    await page.locator("#inspector > summary").focus();
    await page.keyboard.press("Enter");
    await tabTo(page, "frames");
    // Past the last and around to the first: nothing keeps the focus.
    await tabTo(page, "Skip to the conversation");
    await page.keyboard.press("Enter");
    expect(await focused(page)).toBe("say");
  });

  it("says what is missing and puts the cursor there", async () => {
    const { page } = await come();
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("Who are you?").waitFor();
    expect(await focused(page)).toBe("name");
  });
});

describe.each(["light", "dark"] as const)("in the %s", (colorScheme) => {
  it.each([360, 800, 1280])("fits %i pixels, whatever is said", async (width) => {
    const { page, enter, say, log } = await come({
      ...{ colorScheme, reducedMotion: "no-preference" },
      viewport: { width, height: 740 },
    });
    expect(await overflow(page)).toBe(0);
    await enter("a-name-as-long-as-a-name-may-be-here-400", `room-${colorScheme}-${width}`);
    await say(`${"endless".repeat(60)} end`);
    await log.getByText("endless").waitFor();
    await page.getByText("Protocol inspector").click();
    await page.locator("#frames li").first().waitFor();
    expect(await overflow(page)).toBe(0);
    const ground = await page.evaluate("getComputedStyle(document.body).backgroundColor");
    expect(ground).toBe(colorScheme === "dark" ? "rgb(20, 22, 30)" : "rgb(245, 240, 229)");
  });
});

const overflow = (page: Page): Promise<number> =>
  page.evaluate("document.documentElement.scrollWidth - innerWidth");

describe("the page", () => {
  it("moves nothing for who asked for little motion", async () => {
    const { page } = await come({ reducedMotion: "reduce" });
    expect(await page.evaluate("document.getAnimations().length")).toBe(0);
  });

  it("turns no word around by a name that writes from right to left", async () => {
    const { page, enter, log } = await come();
    await enter("al\u202eice", "direction");
    await log.getByText("came in").waitFor();
    const lefts = await page.evaluate(`(() => {
      const words = document.querySelector("#log .aside").lastChild;
      const range = document.createRange();
      return [1, words.length - 1].map((at) => {
        range.setStart(words, at);
        range.setEnd(words, at + 1);
        return range.getBoundingClientRect().left;
      });
    })()`);
    const [first, last] = lefts as [number, number];
    expect(first).toBeLessThan(last);
  });

  it("lets in where the browser keeps nothing", async () => {
    const { page, enter, say, log } = await come();
    const refuse = `Object.defineProperty(globalThis, "sessionStorage", {
      get() { throw new DOMException("Refused.", "SecurityError"); },
    })`;
    await page.addInitScript(refuse);
    await page.reload();
    await enter("alice", "forgetful");
    await say("in");
    await log.getByText("in", { exact: true }).waitFor();
    expect(await page.locator("#door-error").textContent()).toBe("");
  });

  it("lets no other script, style or server in", async () => {
    const answer = await fetch(site.endpoint.url);
    const policy = answer.headers.get("content-security-policy");
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("connect-src 'self'");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("takes a token where the server gives none away", async () => {
    const strict = await sharedEndpoint();
    await using guest = await visit(site.browser, strict.url);
    const { page } = guest;
    await page.getByLabel("Your name").fill("alice");
    await page.getByRole("button", { name: "Come in" }).click();
    await page.getByText("This server gives no tokens away. Bring one.").waitFor();
    expect(await focused(page)).toBe("token");
    await page.getByRole("button", { name: "Come in" }).click();
    await page.getByText("Paste a token first.").waitFor();
    await page.getByLabel("A token of this server").fill("not a token");
    await page.getByRole("button", { name: "Come in" }).click();
    await page.getByText("The token is not a signed JWT.").waitFor();
    const expired = await strict.token("dora", {}, -60);
    await page.getByLabel("A token of this server").fill(expired);
    await page.getByRole("button", { name: "Come in" }).click();
    await page.getByText("The token has expired").waitFor();
    await page.getByLabel("A token of this server").fill(await strict.token("dora"));
    await page.getByRole("button", { name: "Come in" }).click();
    await page.getByRole("heading", { name: "#lobby" }).waitFor();
    expect(await page.locator("#me").textContent()).toBe("dora");
  });
});
