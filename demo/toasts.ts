// Short notices in a corner of the page, announced by screen readers. They stay as long as the pointer or focus is on
// them.

import { byId, element } from "./dom.ts";

interface Toast {
  readonly title: string;
  readonly text: string;
  readonly tone?: "good" | "bad" | "plain";
}

const VISIBLE_MS = 8_000;
const MAX_TOASTS = 4;

export function toast({ title, text, tone = "plain" }: Toast): void {
  const tray = byId("toasts");
  const close = element("button", "", "×");
  close.type = "button";
  close.ariaLabel = "Dismiss";
  const notice = element("div", "toast", element("div", "", element("b", "", title), text), close);
  notice.dataset["tone"] = tone;
  close.addEventListener("click", () => notice.remove());
  const dismiss = () => {
    if (notice.matches(":hover, :focus-within")) setTimeout(dismiss, VISIBLE_MS / 4);
    else notice.remove();
  };
  setTimeout(dismiss, VISIBLE_MS);
  tray.append(notice);
  while (tray.childElementCount > MAX_TOASTS) tray.firstElementChild?.remove();
}
