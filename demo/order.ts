// An order's status, pushed to whoever looks at it. Only managers may change it: the hub says so, not the page.

import type { Connection } from "../src/client/index.ts";
import type { OrderHub } from "../src/hubs/orders.ts";
import { attempt, byId, element } from "./dom.ts";

export const ORDER = "42";
const NONE = "no status yet";
const STEPS = ["placed", "packed", "sent", "delivered"];

export function orderPanel(orders: Connection<OrderHub>): void {
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
    const reached = STEPS.indexOf(status);
    for (const [index, button] of buttons.entries()) {
      button.ariaPressed = String(index === reached);
      button.className = index <= reached ? "done" : "";
    }
    byId("order-status").textContent = status;
  };
  let changes = 0;
  orders.on("orderStatusChanged", (_orderId, status) => {
    changes++;
    show(status);
  });
  const load = async (): Promise<void> => {
    const before = changes;
    const { messages } = await orders.history({ limit: 20, reverse: true });
    const last = messages.find(({ method }) => method === "orderStatusChanged");
    // What was pushed meanwhile is newer than what was asked for before it.
    if (changes === before) show(last ? String(last.params[1]) : NONE);
  };
  void attempt(error, load);
  orders.onReload(() => void attempt(error, load));
}

function explain(error: Error & { readonly code?: string }): never {
  throw error.code === "forbidden" ? new Error("Only a manager may change an order.") : error;
}
