// CalculatorHub: sums and quotients, and the error that callers see.

import { expect, it } from "vitest";
import { calling } from "../../src/dispatch/testing/testing.ts";
import { CalculatorHub } from "../../src/hubs/calculator.ts";

it("calculator adds and divides", async () => {
  const { invoke } = calling(CalculatorHub);
  expect([await invoke.add(2, 3), await invoke.divideAsync(6, 3)]).toEqual([5, 2]);
});

it("calculator.divideAsync refuses zero", async () => {
  const { invoke } = calling(CalculatorHub);
  await expect(invoke.divideAsync(1, 0)).rejects.toMatchObject({
    code: "division_by_zero",
    message: "Cannot divide by zero.",
  });
});
