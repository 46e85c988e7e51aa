// UploadHub: readings arrive as a client stream and are summarised one by one; none is stored.

import { z } from "zod";
import { hub, HubError, method, signedIn, streamOf } from "../hub.ts";

const Reading = z.object({
  sensor: z.string().min(1).max(128),
  value: z.number(),
  /** ISO 8601, or milliseconds since 1970. */
  timestamp: z.union([z.iso.datetime({ offset: true }), z.number()]),
});

interface Summary {
  readonly count: number;
  /** Names of the sensors, each once, in order of appearance. */
  readonly sensors: readonly string[];
  /** Null for an empty upload, as are `max` and `mean`. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
}

/** Most sensors of one upload. Streams have no known end, so what is remembered of them needs a bound. */
const MAX_SENSORS = 1_000;

export const UploadHub = hub("uploads", {
  authorize: signedIn,
  rooms: { group: { enter: signedIn }, order: { enter: signedIn } },
}).methods({
  /**
   * Reads the stream to its end and returns its summary. Throws `too_large` for too many sensors; `invalid_item` for an
   * item that is no reading.
   */
  uploadData: method([streamOf(Reading)], async (_context, readings): Promise<Summary> => {
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
