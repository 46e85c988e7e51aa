// What a page must hold for every user: contrast, names, roles and order, as axe-core judges them (WCAG 2.2 AA).

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** A line for each violation. Nothing else is described, which halves the time. */
export async function violationsOf(
  page: Page,
  tags = [...WCAG, "best-practice"],
): Promise<string[]> {
  await page.evaluate(AXE);
  const options = JSON.stringify({ runOnly: tags, resultTypes: ["violations"] });
  return page.evaluate(`axe.run(document, ${options}).then(({ violations }) => violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => id + ": " + html.slice(0, 200) + " " + failureSummary)))`);
}
