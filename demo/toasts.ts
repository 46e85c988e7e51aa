// Short notices in the corner, said aloud by screen readers. They stay while somebody reads them.

import { byId, element } from "./dom.ts";

export interface Toast {
  readonly title: string;
  readonly text: string;
  readonly tone?: "good" | "bad" | "plain";
}

const SHOWN_MS = 8_000;
const AT_MOST = 4;

export function toast({ title, text, tone = "plain" }: Toast): void {
  const tray = byId("toasts");
  const close = element("button", "", "×");
  close.type = "button";
  close.ariaLabel = "Dismiss";
  const shown = element("div", "toast", element("div", "", element("b", "", title), text), close);
  shown.dataset["tone"] = tone;
  close.addEventListener("click", () => shown.remove());
  const leave = () => {
    if (shown.matches(":hover, :focus-within")) setTimeout(leave, SHOWN_MS / 4);
    else shown.remove();
  };
  setTimeout(leave, SHOWN_MS);
  tray.append(shown);
  while (tray.childElementCount > AT_MOST) tray.firstElementChild?.remove();
}
