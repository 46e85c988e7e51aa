// A hub that declares all that a hub can as data, with schemas of three libraries: documents, checks in development,
// and types for other languages are tested with it.

import { toStandardJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import * as z from "zod";
import * as mini from "zod/mini";
import {
  action,
  clientMethods,
  hub,
  method,
  named,
  returns,
  signedIn,
  streamOf,
} from "../../src/hub.ts";

const Note = z.object({
  text: z.string(),
  /** Not every note has one. */
  rating: z.number().optional(),
  tags: z.array(z.string()),
});
const Reading = mini.object({ sensor: mini.string(), value: mini.number() });
const Level = toStandardJsonSchema(v.picklist(["low", "high"]));

/** A method that no client has. */
interface Shouts {
  shouted(text: string): Promise<void>;
}

export const DeclaredClient = clientMethods({
  noted: [named("user", z.string()), named("note", Note)],
  marked: [named("level", Level), mini.optional(mini.int())],
  confirm: { args: [named("question", z.string())], returns: z.boolean() },
});

export const DeclaredHub = hub("declared", {
  client: DeclaredClient,
  authorize: signedIn,
  rooms: { group: { enter: signedIn } },
})
  .presenceState(z.object({ typing: z.boolean() }))
  .methods({
    note: returns(Note).method([named("note", Note)], async ({ clients, user }, note) => {
      await clients.caller.noted(user.id, note);
      return { ...note, rating: (note.rating ?? 0) + 1 };
    }),
    mark: method([named("level", Level)], ({ clients }, level) =>
      // .NET's handlers take all arguments that they declare.
      clients.caller.marked(level, undefined),
    ),
    ask: returns(z.boolean()).method([named("question", z.string())], ({ clients }, question) =>
      clients.caller.confirm(question),
    ),
    upload: returns(mini.number()).method([streamOf(Reading)], async (_context, readings) => {
      let sum = 0;
      for await (const { value } of readings) sum += value;
      return sum;
    }),
    count: returns(Reading).stream([named("to", z.int())], async function* (_context, to) {
      for (let value = 1; value <= to; value++) yield { sensor: "s", value };
    }),
    /** Sends what is not declared, and does not wait for it. */
    noteWrongly: method([], ({ clients }) => {
      void clients.all.noted(1 as never, { text: "x", tags: [] });
    }),
    shoutWrongly: method([], ({ clients }) => (clients.caller as unknown as Shouts).shouted("x")),
    addWrongly: returns(z.number()).method([], () => "one" as unknown as number),
    numberWrongly: returns(z.number()).stream([], async function* () {
      yield 1;
      yield "two" as unknown as number;
    }),
  });

/** Rooms with a state, for the same clients. */
export const DeclaredRooms = hub("declared-rooms", {
  client: DeclaredClient,
  authorize: signedIn,
  rooms: { group: { enter: signedIn } },
})
  .state("group", {
    schema: z.object({ notes: z.record(z.string(), Note), count: z.int() }),
    initial: { notes: {}, count: 0 },
  })
  .actions({
    /** Answers how many there are. */
    pin: returns(z.int()).action(
      [named("id", z.string()), named("note", Note)],
      ({ state, clients, user }, id, note) => {
        state.notes[id] = note;
        clients.room.noted(user.id, note);
        return ++state.count;
      },
    ),
    pinWrongly: action([], ({ clients }) => clients.room.noted("alice", {} as never)),
    countWrongly: returns(z.int()).action([], () => "one" as unknown as number),
  })
  .methods({
    join: method([named("room", z.string())], ({ group }, room) => group(room).join()),
  });
