// Rooms as other objects call them, and the database in which a test keeps the states of the steered hub's.

import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, vi } from "vitest";
import { release, steering } from "../../support/steered-hub.ts";
import { roomAt } from "../client.ts";

/** Each test of the file moves the clock itself, steers the hub alone, and says nothing. */
export function steeredByClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
    for (const level of ["info", "warn", "error"] as const)
      vi.spyOn(console, level).mockImplementation(() => {});
  });
  afterEach(() => {
    release();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}

export const newRoom = (hub = "steered") => `${hub}/group:${crypto.randomUUID()}`;

/** The service `svc`. */
export const user = {
  ...{ id: "svc", tenant: "default", roles: [], claims: {}, caps: [], channels: [] },
  expiresAt: Infinity,
};

/** What the run gives, or the code of its error; by `user`. */
export async function ran(name: string, run: { action: string; args: unknown[]; key?: string }) {
  const given = await roomAt(name).runAction({ ...run, args: JSON.stringify(run.args), user });
  if ("fault" in given) return given.fault.code;
  return { result: JSON.parse(given.result) as unknown, repeated: given.repeated };
}

/** The run's result, or the code of its error. */
export async function act(name: string, action: string, ...args: unknown[]): Promise<unknown> {
  const given = await ran(name, { action, args });
  return typeof given === "string" ? given : given.result;
}

/** The state, or the code of the error. */
export async function wholeOf(name: string): Promise<unknown> {
  const whole = await roomAt(name).wholeState();
  return "fault" in whole ? whole.fault.code : JSON.parse(whole.text);
}

/** Rings the alarm as the platform would, again and again; the clock is the test's. */
export async function pass(name: string, seconds: number, step = 1): Promise<void> {
  for (let second = 0; second < seconds; second += step) {
    vi.setSystemTime(Date.now() + step * 1_000);
    await runDurableObjectAlarm(roomAt(name));
  }
}

/** One row: what was saved last. Saves fail while it is down. */
export interface Database {
  row: unknown;
  isDown: boolean;
  /** What was saved, in order. */
  readonly saved: unknown[];
}

/** Steers the room to it. Other rooms, of tests before, save nowhere. */
export function database(name: string, row?: unknown): Database {
  const made: Database = { row, isDown: false, saved: [] };
  steering.load = () => made.row;
  steering.save = ({ room, state }) => {
    if (!name.endsWith(`:${room.name}`)) return;
    if (made.isDown) throw new Error("The database is down.");
    made.row = state;
    made.saved.push(state);
  };
  return made;
}
