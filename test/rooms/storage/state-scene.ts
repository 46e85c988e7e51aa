// What happens in rooms with state before their storage is recorded: something in each of their tables.

import { formatPosition, type Position } from "../../../src/model/topic.ts";
import { objectName } from "../../../src/rooms/rpc/object-names.ts";
import type { RunResult, Scheduled } from "../../../src/rooms/rpc/state-rpc.ts";
import { release, steering } from "../../support/steered-hub.ts";
import { roomAt } from "../client.ts";
import { replace } from "../replaced.ts";
import type { ObjectAddress, ObjectDump } from "./fixture.ts";

export const KEPT = "steered/group:kept";
/** Gets what `KEPT` had not delivered when it was recorded. */
export const OTHER = "steered/group:other";
/** Erased, while its save elsewhere has not succeeded. */
export const ERASED = "steered/group:erased";

export interface StateFixture {
  readonly version: number;
  readonly recordedAt: number;
  readonly facts: StateFacts;
  readonly objects: readonly ObjectDump[];
}

export interface StateFacts {
  readonly state: unknown;
  readonly position: string;
  /** Runs whose answers are in a row of their own, and in the log. */
  readonly runs: readonly { readonly key: string; readonly ran: RunResult }[];
  readonly schedule: readonly Scheduled[];
  readonly marks: number;
}

const user = { id: "ann", tenant: "default", roles: [], claims: {}, caps: [], channels: [] };

/** Throws where the action is refused. */
export async function act(name: string, action: string, args: unknown[], key?: string) {
  const by = { ...user, expiresAt: Infinity };
  const run = { action, args: JSON.stringify(args), user: by, ...(key !== undefined && { key }) };
  const ran = await roomAt(name).runAction(run);
  if ("fault" in ran) throw new Error(`${ran.fault.code}: ${ran.fault.message}`);
  return ran;
}

const addressOf = (name: string): ObjectAddress => {
  const [hub = "", topic = ""] = name.split("/");
  const group = { kind: "group", name: topic.split(":")[1]! } as const;
  return { kind: "room", name: objectName({ tenant: "default", hub, topic: group }) };
};

/** Rows of the log after which the state is written. */
const ROWS = 70;

export async function playStates(): Promise<{ facts: StateFacts; objects: ObjectAddress[] }> {
  await act(KEPT, "mark", []);
  const early = await act(KEPT, "add", [1], "early");
  for (let n = 0; n < ROWS; n++) await act(KEPT, "add", [1]);
  const late = await act(KEPT, "add", [1], "late");
  await act(KEPT, "later", [3_600]);
  await replace(OTHER, "publishAll", () => () => Promise.reject(new Error("It does not answer.")));
  await act(KEPT, "tell", ["other"]);
  steering.save = () => Promise.reject(new Error("The database is down."));
  await act(ERASED, "add", [5]);
  await roomAt(ERASED).erase();
  release();
  const { text, position } = (await roomAt(KEPT).wholeState()) as {
    readonly text: string;
    readonly position: Position;
  };
  return {
    facts: {
      state: JSON.parse(text) as unknown,
      position: formatPosition(position),
      runs: [
        { key: "early", ran: early },
        { key: "late", ran: late },
      ],
      schedule: (await roomAt(KEPT).schedule()) as unknown as readonly Scheduled[],
      marks: 1,
    },
    objects: [addressOf(KEPT), addressOf(ERASED)],
  };
}
