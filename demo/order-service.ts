// An application's own service beside the hubs: it keeps the orders, and tells who wants to know. It runs in Node or in a
// Worker, and is no part of the page; docs/services.md shows it.

import type { Backend } from "../src/client/backend/index.ts";
import type { OrderHub } from "../src/hubs/orders.ts";

/** The application's own database. */
export interface Orders {
  /** Throws where there is no such order. `change` is the same when the same change is stored again. */
  setStatus(
    orderId: string,
    status: string,
  ): Promise<{ readonly buyer: string; readonly change: string }>;
}

export class OrderService {
  readonly #orders: Orders;
  readonly #hub: Backend<OrderHub>;

  constructor(orders: Orders, hub: Backend<OrderHub>) {
    this.#orders = orders;
    this.#hub = hub;
  }

  /**
   * Stores the status, then tells whoever follows the order, and the buyer, who may be looking at something else. After an
   * error it may be called again: what was said already is not said twice.
   */
  async updateOrderStatus(orderId: string, status: string): Promise<void> {
    const { buyer, change } = await this.#orders.setStatus(orderId, status);
    const { clients } = this.#hub.with({ idempotencyKey: change });
    await Promise.all([
      clients.order(orderId).orderStatusChanged(orderId, status),
      clients.user(buyer).orderStatusChanged(orderId, status),
    ]);
  }
}
