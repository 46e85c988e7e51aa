// shop.ts: the hub that calls it.
import * as z from "zod";
import { hub, HubError, method, signedIn } from "dormouse-hubs/hub";

export interface ShopClient {
  left(article: string, count: number): void;
}

export const ShopHub = hub<ShopClient>("shop", { rooms: { group: { enter: signedIn } } }).methods({
  take: method(
    [z.string().max(64), z.uuid(), z.int().min(1).max(10)],
    async ({ clients, env }, article, order, count) => {
      const left = await env.STOCK.getByName(article).take(order, count);
      if (left === undefined)
        throw new HubError("sold_out", `${count} of ${article} are not left.`);
      await clients.group(article).left(article, left);
      return left;
    },
  ),
});
