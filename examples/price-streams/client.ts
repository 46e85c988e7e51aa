// node client.ts <url> <token>: three prices.

import { connect } from "dormouse-hubs/client";
import type { PriceHub } from "./hub.ts";

const [, , url = "http://127.0.0.1:8787", token = ""] = process.argv;
const hub = connect<PriceHub>(`${url}/hubs/price-streams`, { token });
const prices: number[] = [];
for await (const { cents } of hub.stream.prices("ACME", 20)) if (prices.push(cents) === 3) break;
hub.close();
console.log(prices.length, prices[0]);
