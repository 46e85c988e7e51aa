// UploadHub: readings arrive as a client stream and are summarised one by one; none is stored.

import * as z from "zod/mini";
import { hub, HubError, returns, signedIn, streamOf } from "../hub.ts";

const Reading = z.object({
  sensor: z.string().check(z.minLength(1), z.maxLength(128)),
  value: z.number(),
  /** ISO 8601, or milliseconds since 1970. */
  timestamp: z.union([z.iso.datetime({ offset: true }), z.number()]),
});

const Summary = z.object({
  count: z.int(),
  /** Names of the sensors, each once, in order of appearance. */
  sensors: z.array(z.string()),
  /** Null for an empty upload, as are `max` and `mean`. */
  min: z.nullable(z.number()),
  max: z.nullable(z.number()),
  mean: z.nullable(z.number()),
});

/** The most sensors of one upload. A stream may never end, so that the memory for it needs a bound. */
const MAX_SENSORS = 1_000;

export const UploadHub = hub("uploads", {
  authorize: signedIn,
  rooms: { group: { enter: signedIn }, order: { enter: signedIn } },
}).methods({
  /**
   * Reads the stream to its end and returns its summary. Throws `too_large` for too many sensors; `invalid_item` for an
   * item that is no reading.
   */
  uploadData: returns(Summary).method([streamOf(Reading)], async (_context, readings) => {
    const sensors = new Set<string>();
    let [count, min, max, mean] = [0, Infinity, -Infinity, 0];
    for await (const { sensor, value } of readings) {
      if (sensors.add(sensor).size > MAX_SENSORS) throw tooManySensors();
      count += 1;
      min = Math.min(min, value);
      max = Math.max(max, value);
      mean += (value - mean) / count;
    }
    return count > 0
      ? { count, sensors: [...sensors], min, max, mean }
      : { count, sensors: [], min: null, max: null, mean: null };
  }),
});

export type UploadHub = typeof UploadHub;

const tooManySensors = () =>
  new HubError("too_large", `More than ${MAX_SENSORS} sensors in one upload.`);
