import { jsonRpc, serve } from "dormouse-hubs/server";
import { CalculatorHub } from "./hub.ts";

export const { Room, Relay, Account, endpoint } = serve([CalculatorHub], {
  paths: [jsonRpc("/jsonrpc", CalculatorHub)],
});
export default endpoint;
