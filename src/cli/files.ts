// Files as the commands read and write them, and in words what the system says of one that it does not open.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** As `readFileSync`, whose error of a folder does not name it. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw Object.assign(error as NodeJS.ErrnoException, { path });
  }
}

/** Makes the folder of the file as well. */
export function writeText(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const FOLDER_NEEDED = "a file is where a folder is needed";
const NOT_ALLOWED = "this user may not read or write it";

/** By the system's code. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ["EACCES", NOT_ALLOWED],
  ["EEXIST", FOLDER_NEEDED],
  ["EISDIR", "a folder is where a file is needed"],
  ["ELOOP", "its symbolic links lead in a circle"],
  ["ENAMETOOLONG", "the name is too long"],
  ["ENOENT", "there is no such file or folder"],
  ["ENOSPC", "the disk is full"],
  ["ENOTDIR", FOLDER_NEEDED],
  ["EPERM", NOT_ALLOWED],
  ["EROFS", "the disk is read-only"],
]);

/** A path in a sentence: an empty one, as of a shell's variable that is not set, is seen. */
export const pathText = (path: string): string => path || '""';

/** A sentence that names the file or folder; undefined where the error is of something else. */
export function fileFault(error: unknown): string | undefined {
  const { code = "", path, dest, message = "", cause } = error as SystemError;
  const reason = REASONS.get(code);
  if (reason && path !== undefined) return `${pathText(dest ?? path)}: ${reason}.`;
  // wrangler names the file, and leaves the reason to the cause.
  const why = message.endsWith(":") && REASONS.get((cause as SystemError | undefined)?.code ?? "");
  return why ? `${message} ${why}.` : undefined;
}

interface SystemError extends NodeJS.ErrnoException {
  /** Of a copy: where to. */
  readonly dest?: string;
}
