// Example of an application's own service beside the hubs: stores the status of orders, and publishes every change. It
// runs in Node or in a Worker and is not part of the page. Explained in docs/services.md.

import type { Backend } from "../src/client/backend/index.ts";
import type { OrderHub } from "../src/hubs/orders.ts";

/** The application's own database. */
export interface Orders {
  /**
   * Rejects for an unknown order. `change` identifies the change: storing the same change again returns the same id.
   */
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
   * Stores the status, then publishes it in the order's room and to the buyer, who may have another page open. After an
   * error it may be called again: the id of the change is the idempotency key, so no room publishes it twice.
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
