// BoardHub: a board on which many draw at once. Every client sees all cursors thirty times a second, and the order of
// the movements in between matters to nobody.

import * as z from "zod/mini";
import { action, hub, signedIn } from "../hub.ts";

const Point = z.object({ x: z.number(), y: z.number() });
const Shape = z.extend(Point, { color: z.string().check(z.maxLength(20)) });
const ShapeId = z.string().check(z.minLength(1), z.maxLength(40));

// By id, and not in arrays: a merge patch replaces an array as a whole.
const Board = z.object({
  cursors: z.record(z.string(), Point),
  shapes: z.record(z.string(), Shape),
});

export const BoardHub = hub("boards", {
  rooms: { group: { enter: signedIn } },
  // A crash may lose the last second of a drawing.
  durability: "behind",
  limits: { callsPerSecond: 100 },
})
  .state("group", {
    schema: Board,
    initial: { cursors: {}, shapes: {} },
    updatesPerSecond: 30,
  })
  .actions({
    point: action([Point], ({ state, user }, to) => {
      state.cursors[user.id] = to;
    }),
    draw: action([ShapeId, Shape], ({ state }, id, shape) => {
      state.shapes[id] = shape;
    }),
    wipe: action([ShapeId], ({ state }, id) => {
      delete state.shapes[id];
    }),
    /** Removes the cursors of users who have left. */
    tidy: action([], ({ state, was, present }) => {
      const here = new Set(present.map(({ userId }) => userId));
      for (const id of Object.keys(was.cursors)) if (!here.has(id)) delete state.cursors[id];
    }),
  });

export type BoardHub = typeof BoardHub;
