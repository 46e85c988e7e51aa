// Runs the bundle of a worker only for its definitions, in a process of its own: `serve` reports its hubs
// (server.ts#announce), and nothing else is called. The answer is one message of type `ModuleRun`.

import { pathToFileURL } from "node:url";

/** OpenRPC documents by hub; or the error of the module, and whether Dormouse's own checks threw it. */
export type ModuleRun =
  | { readonly documents: Readonly<Record<string, object>> }
  | { readonly error: string; readonly isDefinition: boolean };

const documents: Record<string, object> = {};
Object.assign(globalThis, {
  [Symbol.for("dormouse-hubs.served")]: (served: Readonly<Record<string, object>>) =>
    Object.assign(documents, served),
});

/** Stack frames of `hub`, and of the checks of `serve`'s options `place` and `paths`. */
const DEFINITIONS =
  /\/dispatch\/define\/|\/edge\/routes\/hub-path-routes\.|\/rooms\/rpc\/place(?:-values)?\./;

/** Stack frames that may be between one of them and the worker's own code. */
const ON_THE_WAY = /\/server\.[jt]s:|\/edge\/app\.[jt]s:|\(<anonymous>\)/;

function failed(error: unknown): ModuleRun {
  const { message = String(error), stack = "" } = error as Partial<Error>;
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  const isDefinition = DEFINITIONS.test(frames[0] ?? "");
  const caller = frames.find((frame) => !DEFINITIONS.test(frame) && !ON_THE_WAY.test(frame));
  const place = placeOf(caller ?? "");
  const where = isDefinition && place !== undefined ? `${place}: ` : "";
  return { error: `${where}${message}`, isDefinition };
}

/** The place of a stack frame, as `file:line`. Names of folders may have spaces and parentheses. */
function placeOf(frame: string): string | undefined {
  const called = /^\s+at [^(/]+ \((.*)\)$/.exec(frame)?.[1];
  const at = called ?? frame.replace(/^\s+at (?:async )?/, "");
  return /^(?:file:\/\/)?(.+:\d+):\d+$/.exec(at)?.[1];
}

const ran: ModuleRun = await import(pathToFileURL(process.argv[2]!).href).then(
  () => ({ documents }),
  failed,
);
// User code may have left timers behind.
process.send!(ran, () => process.exit(0));
