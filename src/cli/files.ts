// Reads and writes files for the commands, with sentences for the system's errors.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Like `readFileSync`, but the error for a folder names its path. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw Object.assign(error as NodeJS.ErrnoException, { path });
  }
}

/** Writes a file, and creates its folder if necessary. */
export function writeText(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const FOLDER_NEEDED = "a file is where a folder is needed";
const NOT_ALLOWED = "this user may not read or write it";

/** The reasons in words, by the system's error code. */
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

/** A path in a sentence; an empty one, as from an unset variable of a shell, is shown as quotes. */
export const pathText = (path: string): string => path || '""';

/** A sentence that names the file or folder; undefined if the error is not about one. */
export function fileFault(error: unknown): string | undefined {
  const { code = "", path, dest, message = "", cause } = error as SystemError;
  const reason = REASONS.get(code);
  if (reason && path !== undefined) return `${pathText(dest ?? path)}: ${reason}.`;
  // wrangler's message names the file; the reason is in the cause.
  const why = message.endsWith(":") && REASONS.get((cause as SystemError | undefined)?.code ?? "");
  return why ? `${message} ${why}.` : undefined;
}

interface SystemError extends NodeJS.ErrnoException {
  /** The destination of a copy. */
  readonly dest?: string;
}
