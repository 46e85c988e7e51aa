// stock.ts: an object for each article. The worker exports its class, in addition to Room, Relay and Account.
import { DurableObject } from "cloudflare:workers";

const DELIVERED = 10;

export class Stock extends DurableObject {
  /** The number that is left after the order; undefined if there is not enough. May be repeated. */
  take(order: string, count: number): number | undefined {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, count INTEGER)");
    const { taken } = sql
      .exec<{ taken: number }>("SELECT total(count) AS taken FROM orders WHERE id <> ?", order)
      .one();
    if (taken + count > DELIVERED) return undefined;
    sql.exec("INSERT OR REPLACE INTO orders VALUES (?, ?)", order, count);
    return DELIVERED - taken - count;
  }
}
