// CalculatorHub: request and response, for any JSON-RPC client at /jsonrpc, and for all others at /hubs/calculator.

import * as z from "zod/mini";
import { hub, HubError, jsonRpc, named, returns, signedIn } from "../hub.ts";

/** Named, for clients that send `{ "a": 2, "b": 3 }`; all others send `[2, 3]`. */
const Operands = [named("a", z.number()), named("b", z.number())] as const;

const { method } = returns(z.number());

export const CalculatorHub = hub("calculator", { authorize: signedIn }).methods({
  add: method(Operands, (_context, a, b) => a + b),

  /** Throws `division_by_zero`. */
  divideAsync: method(Operands, async (_context, a, b) => {
    if (b === 0) throw new HubError("division_by_zero", "Cannot divide by zero.");
    return a / b;
  }),
});

export type CalculatorHub = typeof CalculatorHub;

export const calculatorPath = jsonRpc("/jsonrpc", CalculatorHub);
