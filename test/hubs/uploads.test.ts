// UploadHub: a client stream is summarised as it arrives.

import { describe, expect, it } from "vitest";
import { calling } from "../../src/dispatch/testing/testing.ts";
import { UploadHub } from "../../src/hubs/uploads.ts";

const timestamp = "2026-10-01T12:00:00Z";

async function* readings(...values: [sensor: string, value: number][]) {
  for (const [sensor, value] of values) yield { sensor, value, timestamp };
}

async function* raw(...items: unknown[]) {
  yield* items as { sensor: string; value: number; timestamp: string }[];
}

describe("uploads.uploadData", () => {
  it("sums up what was uploaded", async () => {
    const upload = readings(["door", 1], ["roof", 4], ["door", -2]);
    expect(await calling(UploadHub).invoke.uploadData(upload)).toEqual({
      count: 3,
      sensors: ["door", "roof"],
      min: -2,
      max: 4,
      mean: 1,
    });
  });

  it("takes an empty stream", async () => {
    expect(await calling(UploadHub).invoke.uploadData(readings())).toEqual({
      count: 0,
      sensors: [],
      min: null,
      max: null,
      mean: null,
    });
  });

  it.each([timestamp, "2026-10-01T12:00:00.5+02:00", 1_790_000_000_000])(
    "takes the timestamp %s",
    async (at) => {
      const upload = raw({ sensor: "door", value: 1, timestamp: at });
      const summary = await calling(UploadHub).invoke.uploadData(upload);
      expect(summary.count).toBe(1);
    },
  );

  it.each([
    ["a value that is a text", { sensor: "door", value: "1", timestamp }],
    ["a value that is no number", { sensor: "door", value: NaN, timestamp }],
    ["a sensor without a name", { sensor: "", value: 1, timestamp }],
    ["a reading without a time", { sensor: "door", value: 1 }],
    ["a time that is none", { sensor: "door", value: 1, timestamp: "noon" }],
    ["nothing", null],
  ])("refuses %s, wherever in the stream", async (_, reading) => {
    const upload = raw({ sensor: "door", value: 1, timestamp }, reading);
    await expect(calling(UploadHub).invoke.uploadData(upload)).rejects.toMatchObject({
      code: "invalid_item",
    });
  });

  it("refuses more than 1,000 sensors, for it has to remember them", async () => {
    const upload = readings(
      ...Array.from({ length: 1_001 }, (_, n): [string, number] => [`${n}`, n]),
    );
    await expect(calling(UploadHub).invoke.uploadData(upload)).rejects.toMatchObject({
      code: "too_large",
    });
  });

  it("refuses a value in place of a stream", async () => {
    const { invoke } = calling(UploadHub);
    const upload = [] as unknown as AsyncIterable<never>;
    await expect(invoke.uploadData(upload)).rejects.toMatchObject({ code: "invalid_arguments" });
  });

  it("refuses nobody", async () => {
    const { invoke } = calling(UploadHub, { user: null });
    await expect(invoke.uploadData(readings())).rejects.toMatchObject({ code: "forbidden" });
  });
});
