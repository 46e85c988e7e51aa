// The notification panel: sends to one user, on all connections of that user, and lists the notifications received.

import type { HubConnection } from "../src/client/index.ts";
import type { DemoHub } from "../src/hubs/demo.ts";
import { byId, element, onSubmit, timeOf } from "./dom.ts";
import { toast } from "./toasts.ts";

const MAX_ITEMS = 3;

export function notifyPanel(demo: HubConnection<DemoHub>, userId: string): void {
  const to = byId("to", HTMLInputElement);
  const body = byId("body", HTMLInputElement);
  to.value = userId;
  onSubmit(byId("notify-form", HTMLFormElement), byId("notify-error"), async () => {
    await demo.invoke.notify(to.value.trim(), body.value.trim());
    body.value = "";
  });
  const inbox = byId("inbox");
  // #region page
  demo.on("receiveNotification", (from, text) => {
    const title = `From ${from}`;
    toast({ title, text });
    const content = element("span", "", element("b", "", title), ` ${text}`);
    inbox.prepend(element("li", "", content, timeOf(Date.now())));
    while (inbox.childElementCount > MAX_ITEMS) inbox.lastElementChild?.remove();
  });
  // #endregion
}
