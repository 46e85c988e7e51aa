// Prices in JavaScript: a stream of a hub, until it is disposed of.

import type { HubConnection } from "@microsoft/signalr";
import type { Snippet } from "./snippet.ts";

export const prices = (connection: HubConnection, { seen }: Snippet) =>
  connection.stream("StreamPrices", "AAPL").subscribe({
    next: (price) => seen("price", price.symbol, price.price),
    error: (error) => seen("error", error),
    complete: () => seen("complete"),
  });
