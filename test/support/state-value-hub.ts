// A hub with state whose actions take a value of each type of .NET and give it back, and whose clients are remembered.

import * as z from "zod";
import { action, anyone, hub, HubError, method } from "../../src/hub.ts";

const Notes = z.object({ notes: z.record(z.string(), z.string()) });

interface StateValueClient {
  noted(key: string): void;
  price(): Promise<number>;
}

/** An action with one argument. */
const echo = (schema: z.ZodType) =>
  action([schema], (_context: unknown, value: unknown) => value) as never;

const stateValueHub = (hubName: string, detailedErrors = false) =>
  hub<StateValueClient>(hubName, {
    rememberGroups: 60,
    detailedErrors,
    rooms: { group: { enter: anyone } },
    answers: { price: z.number() },
  })
    .use({ invoke: (_call, next) => next() })
    .state("group", { schema: Notes, initial: { notes: {} } })
    .actions({
      dateTime: echo(z.date()),
      decimal: echo(z.number()),
      int64: action([z.bigint()], (_context, value) => value),
      bytes: echo(z.instanceof(Uint8Array)),
      byNumber: echo(z.map(z.int(), z.string())),
      anything: echo(z.unknown()),
      note: action([z.string(), z.string()], ({ state, clients }, key, text) => {
        state.notes[key] = text;
        clients.room.noted(key);
      }),
      refuse: action([], () => {
        throw new HubError("invalid_arguments", "Not these.");
      }),
    })
    .methods({
      join: method([z.string()], ({ group }, name) => group(name).join()),
      ask: method([], ({ clients }) => clients.caller.price()),
      run: method([z.string(), z.bigint()], ({ group }, name, value) =>
        group(name).run.int64(value),
      ),
    });

export const stateValueHubs = [
  stateValueHub("state-values"),
  stateValueHub("state-values-detailed", true),
];
