// The query of an operation, as text: which value of a repeated parameter counts, and how often the query is searched.

import { expect, it, vi } from "vitest";
import { queryParameters } from "../../../src/edge/rest/operation-input.ts";

it("the first value of a name counts; excluded is a list", () => {
  const params = new URLSearchParams("a=1&excluded=x&b=&a=2&excluded=y&toString=z");
  expect(queryParameters(params)).toEqual({ a: "1", b: "", excluded: ["x", "y"], toString: "z" });
});

it("is not searched once more for each of its parameters", () => {
  const query = Array.from({ length: 1_000 }, (_, at) => `a${at}=1`).join("&");
  const spies = (["get", "getAll", "has"] as const).map((name) =>
    vi.spyOn(URLSearchParams.prototype, name),
  );
  expect(Object.keys(queryParameters(new URLSearchParams(query)))).toHaveLength(1_000);
  expect(spies.reduce((sum, { mock }) => sum + mock.calls.length, 0)).toBeLessThan(10);
  for (const spy of spies) spy.mockRestore();
});
