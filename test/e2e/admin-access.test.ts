// The door of the admin page, and the page for every operator: by keyboard alone, by day and night, and on a phone.

import { describe, expect, it } from "vitest";
import { sharedEndpoint, sharedPages } from "../support/shared-endpoint.ts";
import { violationsOf } from "./accessible.ts";
import { browsing } from "./browsing.ts";
import { visitAdmin } from "./admin-page.ts";

const site = browsing(visitAdmin, sharedPages, true);
const { come } = site;

const service = () => site.endpoint.token("operator", { role: "service" });

describe("the door", () => {
  it("is shut where ADMIN is not 1", async () => {
    const plain = await sharedEndpoint();
    for (const path of ["/admin", "/admin/", "/admin/admin.js", "/admin/index.html"]) {
      const answer = await fetch(plain.url + path);
      expect([path, answer.status]).toEqual([path, 404]);
      expect(answer.headers.get("x-dormouse-error")).toBe("not_found");
    }
  });

  it("lets no other script, style, frame or server in", async () => {
    const answer = await fetch(`${site.endpoint.url}/admin`);
    expect(answer.url).toBe(`${site.endpoint.url}/admin/`);
    const policy = answer.headers.get("content-security-policy");
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
    expect(await answer.text()).not.toMatch(/<script>|\son\w+=|style=/);
  });

  it("says why a token is refused, and keeps a good one in memory alone", async () => {
    const { page, signIn } = await come();
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("Paste a token first.").waitFor();
    await page.getByLabel("Token").fill("Bearer tökén");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("This is no token").waitFor();
    await page.getByLabel("Token").fill(await site.endpoint.token("alice"));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page
      .getByRole("alert")
      .getByText("This is for services: the token lacks the role service.")
      .waitFor();
    await signIn(await service());
    const kept = "JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie])";
    expect(await page.evaluate(kept)).toBe('[{},{},""]');
    await page.reload();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });

  it("keeps the token in the tab's session storage where that is wished, until sign-out", async () => {
    const { page, signIn } = await come();
    await page.getByLabel("Keep it until this tab is closed").check();
    const token = await service();
    await signIn(token);
    await page.reload();
    await page.getByRole("heading", { name: "All hubs" }).waitFor();
    expect(await page.evaluate("Object.values(sessionStorage)")).toEqual([token]);
    expect(await page.evaluate("localStorage.length")).toBe(0);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
  });

  it("says why it is shut again where the token has ended", async () => {
    const { page, signIn } = await come();
    await signIn(await site.endpoint.token("gone-operator", { role: "service" }));
    const revoked = await fetch(`${site.endpoint.url}/api/hubs/chat/users/gone-operator/:revoke`, {
      method: "POST",
      headers: { authorization: `Bearer ${await service()}` },
    });
    expect(revoked.status).toBe(200);
    await page.getByRole("link", { name: "chat", exact: true }).click();
    await page.getByRole("alert").getByText("The token has ended, or was taken back.").waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await page.locator("#door-error").textContent()).toBe("");
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
  });
});

const overflow = "document.documentElement.scrollWidth - innerWidth";

describe.each(["light", "dark"] as const)("in the %s", (colorScheme) => {
  it.each([360, 800, 1280])("fits %i pixels, with contrast and names for all", async (width) => {
    const visit = await come({ colorScheme, viewport: { width, height: 740 } });
    const { page, signIn, open, panel, complaints } = visit;
    expect(await violationsOf(page)).toEqual([]);
    expect(await page.evaluate(overflow)).toBe(0);
    await signIn(await service());
    await panel("Hubs").getByRole("row").nth(3).waitFor();
    const views = [[], ["chat"], ["chat", `group:${"a-long-name-".repeat(8)}`]];
    for (const parts of views) {
      if (parts.length > 0) await open(...parts);
      expect([parts, await violationsOf(page)]).toEqual([parts, []]);
      expect([parts, await page.evaluate(overflow)]).toEqual([parts, 0]);
    }
    await page.getByRole("button", { name: "Erase room" }).click();
    expect(await violationsOf(page)).toEqual([]);
    expect(await page.evaluate(overflow)).toBe(0);
    expect(complaints).toEqual([]);
  });
});

describe("by keyboard alone", () => {
  it("signs in, opens a hub and a room, and answers a question", async () => {
    const { page } = await come();
    const focused = () =>
      page.evaluate<string>("document.activeElement.id || document.activeElement.textContent");
    const tabTo = async (name: string) => {
      for (let stops = 0; stops < 60; stops++) {
        if ((await focused()).trim() === name) return;
        await page.keyboard.press("Tab");
        const outline = "getComputedStyle(document.activeElement).outlineStyle";
        const isHidden = (await page.evaluate(outline)) === "none";
        if (isHidden && (await page.evaluate("document.activeElement !== document.body")))
          throw new Error(`The focus on ${await focused()} cannot be seen.`);
      }
      throw new Error(`Tab does not lead to ${name}.`);
    };
    expect(await focused()).toBe("token");
    await page.keyboard.insertText(await service());
    await tabTo("enter");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "chat", exact: true }).waitFor();
    expect(await focused()).toBe("heading");
    await tabTo("chat");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "chat" }).waitFor();
    await tabTo("open");
    await page.keyboard.type("group:keys");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "group:keys" }).waitFor();
    await tabTo("Erase room");
    await page.keyboard.press("Enter");
    await tabTo("typed");
    await page.keyboard.type("group:keys");
    await page.keyboard.press("Enter");
    await page.getByText("Done: erase room.").waitFor();
    expect(await focused()).toBe("Erase room");
    await page.goBack();
    await page.getByRole("heading", { name: "chat" }).waitFor();
  });
});
