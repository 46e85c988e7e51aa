// Allows one `dormouse dev` for each folder of state. Two would open the same SQLite files, each with its own objects:
// rooms would silently diverge, and lose the other's writes.
//
// The lock is a file that names the process which holds it. It is stale if that process has ended, for any reason.

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Holder {
  readonly pid: number;
  /** When the process began, in the system's units, in case its id is used again. Empty if unknown. */
  readonly began: string;
}

/** The most attempts, each after the removal of a stale lock: another process may be faster. */
const TRIES = 10;

/** Returns the function that releases the lock. Throws an error with a sentence if another process holds it. */
export function lockState(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "dormouse.lock");
  const own = JSON.stringify({ pid: process.pid, began: beganAt(process.pid) } satisfies Holder);
  for (let tries = 0; tries < TRIES; tries++) {
    if (create(path, own)) return () => release(path, own);
    const text = read(path);
    if (text !== undefined && isHeld(text)) throw new Error(heldBy(text, folder));
    if (text !== undefined) remove(path, text);
  }
  throw new Error(`${path} cannot be made. Delete it, if nothing runs here.`);
}

/** Creates the file atomically: another process never reads a part of it. */
function create(path: string, text: string): boolean {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, text);
  try {
    return isNew(() => linkSync(draft, path));
  } catch {
    // The disk has no hard links: exFAT, shared folders of some virtual machines.
    return isNew(() => writeFileSync(path, text, { flag: "wx" }));
  } finally {
    rmSync(draft);
  }
}

/** False if the file exists. */
function isNew(make: () => void): boolean {
  try {
    make();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // Its process has just let go of it.
  }
}

/** Removes the lock with this text, but not one that another process has created meanwhile. */
function remove(path: string, text: string): void {
  const aside = `${path}.old.${process.pid}`;
  try {
    renameSync(path, aside);
    const found = read(aside);
    if (found !== undefined && found !== text) create(path, found);
  } catch {
    // Another process was faster.
  }
  rmSync(aside, { force: true });
}

function release(path: string, own: string): void {
  if (read(path) === own) rmSync(path, { force: true });
}

function isHeld(text: string): boolean {
  const { pid, began } = parse(text) ?? {};
  if (typeof pid !== "number" || !isAlive(pid)) return false;
  return began === "" || began === beganAt(pid);
}

function parse(text: string): Partial<Holder> | undefined {
  try {
    return JSON.parse(text) as Partial<Holder>;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Only known on Linux. The name in the second column may have spaces. */
function beganAt(pid: number): string {
  const stat = read(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

const heldBy = (text: string, folder: string): string =>
  `This worker is already running, as process ${parse(text)?.pid}: a second one would fork its rooms, in ${folder}.
End it, or give this one a state of its own: --persist-to <folder>.`;
