// Notifications: to one user, wherever that user is connected.

import type { Connection } from "../src/client/index.ts";
import type { NotificationHub } from "../src/hubs/notifications.ts";
import { byId, element, onSubmit, timeOf } from "./dom.ts";
import { toast } from "./toasts.ts";

const KEPT = 3;

export function notifyPanel(notifications: Connection<NotificationHub>, me: string): void {
  const [to, body] = [byId("to", HTMLInputElement), byId("body", HTMLInputElement)];
  to.value = me;
  onSubmit(byId("notify-form", HTMLFormElement), byId("notify-error"), async () => {
    const message = { title: `From ${me}`, body: body.value.trim() };
    await notifications.invoke.sendToUser(to.value.trim(), message);
    body.value = "";
  });
  const inbox = byId("inbox");
  notifications.on("receiveNotification", ({ title, body: text, timestamp }) => {
    toast({ title, text });
    const said = element("span", "", element("b", "", title), ` ${text}`);
    inbox.prepend(element("li", "", said, timeOf(Date.parse(timestamp))));
    while (inbox.childElementCount > KEPT) inbox.lastElementChild?.remove();
  });
}
