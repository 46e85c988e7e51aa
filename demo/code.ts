// The code behind each panel, as it runs: the hub's on the server, and the page's own.

import hub from "source:../src/hubs/demo.ts";
import auction from "source:./auction.ts";
import chat from "source:./chat.ts";
import notify from "source:./notify.ts";
import order from "source:./order.ts";
import price from "source:./prices.ts";
import readers from "source:./readers.ts";
import { element, within } from "./dom.ts";
import { regionOf } from "./regions.ts";

/** By the panel's class, which is the name of the hub's region, too. */
const PAGE_CODE = { chat, order, auction, price, notify, readers };

/** Adds a button to the head of each panel, and below the panel what it shows. */
export function codePanels(): void {
  for (const [name, page] of Object.entries(PAGE_CODE)) {
    const panel = within(document, `.card.${name}`);
    const title = within(panel, "h2").textContent;
    const code = element(
      "div",
      "source",
      listing(`${title}: src/hubs/demo.ts`, regionOf(hub, name)),
      listing(`${title}: the page`, regionOf(page, "page")),
    );
    code.hidden = true;
    panel.append(code);
    within(panel, "header").append(toggleOf(code, title));
  }
}

function toggleOf(code: HTMLElement, title: string): HTMLButtonElement {
  const toggle = element("button", "plain code", "Code");
  toggle.type = "button";
  toggle.ariaLabel = `Code of ${title}`;
  toggle.ariaExpanded = "false";
  toggle.addEventListener("click", () => {
    code.hidden = !code.hidden;
    toggle.ariaExpanded = String(!code.hidden);
  });
  return toggle;
}

function listing(label: string, text: string): HTMLElement {
  const pre = element("pre", "", element("code", "", text));
  Object.assign(pre, { tabIndex: 0, role: "region", ariaLabel: label });
  return element("div", "", element("p", "count", label), pre);
}
