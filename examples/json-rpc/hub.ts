// A calculator in JSON-RPC 2.0, at a path of its own (worker.ts): calls, named arguments, batches, notifications.

import { hub, HubError, method, named, signedIn } from "dormouse-hubs/hub";
import * as z from "zod";

const Operands = [named("a", z.number()), named("b", z.number())] as const;

export const CalculatorHub = hub("json-rpc", { authorize: signedIn }).methods({
  add: method([...Operands], (_, a, b) => a + b),
  divide: method([...Operands], (_, a, b) => {
    if (b === 0) throw new HubError("division_by_zero", "Nothing is divided by zero.");
    return a / b;
  }),
});
export type CalculatorHub = typeof CalculatorHub;
