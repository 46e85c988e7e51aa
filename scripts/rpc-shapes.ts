// The shapes of what versions of the code exchange while a deploy goes on, as text: methods of the Durable Objects with
// their types, arrivals, and attachments of sockets. test/node/rpc-shapes.test.ts compares it with the committed text.
//
//   npm run shapes               prints the difference
//   npm run shapes -- --update   accepts it: docs/design/objects.md#calls-between-versions has the rules

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "@tsd/typescript";
import { TypePrinter } from "./type-printer.ts";

const PROJECT = join(import.meta.dirname, "..");
const FIXTURE = join(PROJECT, "test/fixtures/rpc-shapes.txt");

/** Of each file the classes whose methods are called, and the types that are sent or stored as JSON. */
const OBJECTS = {
  "rooms/room/room-object.ts": "RoomObject",
  "rooms/relay/relay-object.ts": "RelayObject",
  "rooms/account/account-object.ts": "AccountObject",
};
const VALUES = {
  "rooms/rpc/arrival.ts": [
    "RoomArrival",
    "OverflowArrival",
    "SignalRArrival",
    "JsonRpcArrival",
    "HttpCallArrival",
  ],
  "rooms/connection/attachment.ts": ["Attached"],
  // Its member `counts`.
  "rooms/rpc/activity-report.ts": ["KeptCounts"],
};

/** The shapes of the sources as they are. */
export function shapesNow(): string {
  const { config } = ts.readConfigFile(join(PROJECT, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, PROJECT);
  const files = [...Object.keys(OBJECTS), ...Object.keys(VALUES)];
  const paths = files.map((file) => join(PROJECT, "src", file));
  const program = ts.createProgram(paths, { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const printer = new TypePrinter(checker, join(PROJECT, "src"));
  const named = (file: string, name: string): ts.Type => {
    const source = checker.getSymbolAtLocation(program.getSourceFile(join(PROJECT, "src", file))!)!;
    return checker.getDeclaredTypeOfSymbol(source.exports!.get(ts.escapeLeadingUnderscores(name))!);
  };
  const objects = Object.entries(OBJECTS).map(
    ([file, name]) => `object ${name}\n${printer.methods(named(file, name))}`,
  );
  for (const [file, names] of Object.entries(VALUES))
    for (const name of names) printer.text(named(file, name));
  return `${[...objects, ...printer.definitions()].join("\n\n")}\n`;
}

/** Lines that are gone (`-`) and new ones (`+`), each with the block that it is in. */
export function changesOf(before: string, after: string): string[] {
  const [old, now] = [linesOf(before), linesOf(after)];
  return [
    ...[...old].filter((line) => !now.has(line)).map((line) => `- ${line}`),
    ...[...now].filter((line) => !old.has(line)).map((line) => `+ ${line}`),
  ];
}

const linesOf = (text: string): Set<string> =>
  new Set(
    text.split("\n\n").flatMap((block) => {
      const [head, ...lines] = block.trim().split("\n");
      return lines.map((line) => `${head}: ${line.trim()}`);
    }),
  );

export const accepted = (): string => readFileSync(FIXTURE, "utf8");

if (import.meta.main) {
  const shapes = shapesNow();
  if (process.argv.includes("--update")) writeFileSync(FIXTURE, shapes);
  else for (const change of changesOf(accepted(), shapes)) console.log(change);
}
