// A hub that takes a value of each type of .NET and gives it back twice: to the caller as a call of `shown`, and as the
// result. Reference/Values.cs is the same hub in C#; the schemas are what an author would write for its types.

import * as z from "zod";
import { hub, method, signedIn, type HubContext } from "../../src/hub.ts";

interface ValueClient {
  shown(value: unknown): void;
}

/** A method with one argument. */
const echo = <T>(schema: z.ZodType<T>, sent: (value: T) => unknown = (value) => value) =>
  method<ValueClient, [z.ZodType<T>], EchoHandler>([schema], async ({ clients }, value: T) => {
    const given = sent(value);
    await clients.caller.shown(given);
    return given;
  });

// oxlint-disable-next-line typescript/no-explicit-any -- the type is that of the schema
type EchoHandler = (context: HubContext<ValueClient>, value: any) => Promise<unknown>;

/** What hub code calls a dictionary is a `Map`: its keys are data. */
const dictionary = (value: Record<string, unknown>) => new Map(Object.entries(value));

const AnyNumber = z.custom<number>((value) => typeof value === "number");

const Sample = z.object({
  title: z.string(),
  count: z.int(),
  at: z.date(),
  inner: z.object({
    tags: z.array(z.string()),
    isOpen: z.boolean(),
    note: z.string().nullable().default(null),
  }),
});

export const ValueHub = hub<ValueClient>("values", { authorize: signedIn }).methods({
  anything: echo(z.unknown()),
  text: echo(z.string().nullable()),
  dateTime: echo(z.date()),
  // JSON has a text with the offset, MessagePack the time in UTC and the offset's minutes.
  dateTimeOffset: echo(z.union([z.iso.datetime({ offset: true }), z.tuple([z.date(), z.int()])])),
  dateOnly: echo(z.union([z.iso.date(), z.int()])),
  timeSpan: echo(z.union([z.string(), z.bigint(), z.int()])),
  guid: echo(z.guid()),
  decimal: echo(z.number()),
  int64: echo(z.bigint()),
  uint64: echo(z.bigint()),
  int32: echo(z.int32()),
  double: echo(AnyNumber),
  boolean: echo(z.boolean()),
  colour: echo(z.union([z.int(), z.string()])),
  bytes: echo(z.instanceof(Uint8Array)),
  texts: echo(z.array(z.string())),
  byText: echo(z.record(z.string(), z.int()), dictionary),
  byNumber: echo(z.map(z.int(), z.string())),
  pair: echo(z.tuple([z.int(), z.string()])),
  sample: echo(Sample),
  optional: method(
    [z.string(), z.string().optional()],
    (_context, name, greeting = "hello") => `${greeting} ${name}`,
  ),
});
