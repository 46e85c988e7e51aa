// The order panel: shows the status of an order, as it is pushed, and changes it. The hub allows changes to managers
// only; the page shows the buttons to everyone.

import type { RoomConnection } from "./app.ts";
import { attempt, byId, element } from "./dom.ts";

export const ORDER = "42";
const NO_STATUS = "no status yet";
const STEPS = ["placed", "packed", "sent", "delivered"];

export function orderPanel(orders: RoomConnection): void {
  const error = byId("order-error");
  const buttons = STEPS.map((step) => {
    const button = element("button", "", step);
    button.type = "button";
    button.ariaPressed = "false";
    const change = () => orders.invoke.updateOrderStatus(ORDER, step).catch(explain);
    button.addEventListener("click", () => void attempt(error, change));
    return button;
  });
  byId("steps").replaceChildren(...buttons);

  const show = (status: string): void => {
    const current = STEPS.indexOf(status);
    for (const [index, button] of buttons.entries()) {
      button.ariaPressed = String(index === current);
      button.className = index <= current ? "done" : "";
    }
    byId("order-status").textContent = status;
  };
  let pushCount = 0;
  // #region page
  orders.on("orderStatusChanged", (_orderId, status) => {
    pushCount++;
    show(status);
  });
  // #endregion
  const load = async (): Promise<void> => {
    const countBefore = pushCount;
    const { messages } = await orders.history({ limit: 20, reverse: true });
    const last = messages.find(({ method }) => method === "orderStatusChanged");
    // A status pushed while the history was loading is newer than the history.
    if (pushCount === countBefore) show(last ? String(last.params[1]) : NO_STATUS);
  };
  void attempt(error, load);
  orders.onReload(() => void attempt(error, load));
}

function explain(error: Error & { readonly code?: string }): never {
  throw error.code === "forbidden" ? new Error("Only a manager may change an order.") : error;
}
