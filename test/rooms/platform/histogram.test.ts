// Durations by buckets.

import { expect, it } from "vitest";
import { Histogram } from "../../../src/rooms/platform/histogram.ts";

it("counts a duration in the first bucket that it does not exceed, and sums all", () => {
  const histogram = new Histogram();
  for (const ms of [0, 5, 5.1, 250, 10_000, 10_001, 90_000]) histogram.observe(ms);
  expect(histogram.counts).toEqual({
    ...{ "5": 2, "10": 1, "250": 1, "10000": 1, inf: 2 },
    sum: 110_261.1,
  });
});

it("takes what ended before it began, by another clock, as no time", () => {
  const histogram = new Histogram();
  histogram.observe(-40);
  expect(histogram.counts).toEqual({ "5": 1, sum: 0 });
});

it("is empty before the first", () => {
  expect(new Histogram().counts).toEqual({});
});
