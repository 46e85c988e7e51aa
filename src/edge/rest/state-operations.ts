// Operations on the state of rooms: read it, run actions, the schedule, and a room as a document.

import * as z from "zod/mini";
import { HubError } from "../../model/errors.ts";
import { formatPosition, parsePosition } from "../../model/topic.ts";
import { IdempotencyKey, Kept } from "../../dispatch/protocol-methods/room-methods.ts";
import { parseOwnJson } from "../../protocols/exact-json.ts";
import { unlessRefused } from "../../rooms/rpc/fault.ts";
import { EXPORT_BYTES, type Scheduled } from "../../rooms/rpc/state-rpc.ts";
import { headerKey, oneKey } from "./idempotency-key.ts";
import { operation } from "./operation.ts";
import { Arguments, Position } from "./operation-schemas.ts";
import { runByService } from "./service-runs.ts";

// 304 if the room has not changed since `If-None-Match`. With `whole=true`, also the parts that clients do not see.
const state = operation({
  id: "roomState",
  method: "GET",
  path: "/rooms/{room}/state",
  summary: "The room's state as its clients see it, or all of it, and its position.",
  query: { whole: z.optional(z.enum(["true", "false"])) },
  condition: "If-None-Match",
  answer: z.extend(Position, { state: z.unknown() }),
  handle: async (hub, { query: { whole } }) => {
    const room = hub.room(hub.topic);
    const read = whole === "true" ? room.wholeState() : room.viewedState();
    const { text, position } = unlessRefused(await read);
    const headers = { etag: `"${formatPosition(position)}"` };
    const known = hub.request.headers.get("if-none-match")?.split(",") ?? [];
    if (known.some((tag) => ["*", headers.etag].includes(tag.trim().replace(/^W\//, ""))))
      return { status: 304, headers };
    return { body: { state: JSON.parse(text) as unknown, ...position }, headers };
  },
});

// All effects of the action are at or before the answer's position. `repeated`: the answer is that of an earlier run
// with the same key.
const run = operation({
  id: "runAction",
  method: "POST",
  path: "/rooms/{room}/:run/{action}",
  summary:
    "Runs an action of the room: answers when it is durable. With `If-Match`, only if the room is still at that position (412). A code of the hub's own is 422.",
  body: z.strictObject({
    arguments: Arguments,
    idempotency_key: z.optional(IdempotencyKey),
  }),
  isKeyed: true,
  condition: "If-Match",
  finds: true,
  answer: z.extend(Position, { result: z.unknown(), repeated: z.boolean() }),
  handle: async (hub, { body }) => {
    const key = oneKey(headerKey(hub.request), body.idempotency_key);
    const action = hub.parameter("action");
    const ran = await runByService(hub, { action, args: body.arguments ?? [], key });
    const { result, position, repeated } = ran;
    return { body: { result: parseOwnJson(result), ...position, repeated } };
  },
});

const ScheduledAction = z.object({
  id: z.string(),
  action: z.string(),
  arguments: z.array(z.unknown()),
  /** Milliseconds since 1970. */
  at: z.number(),
  every: z.optional(z.union([z.number(), z.string()])),
  failures: z.int(),
});

const shownSchedule = ({ args, planned: _, ...one }: Scheduled) => ({ ...one, arguments: args });

const schedule = operation({
  id: "roomSchedule",
  method: "GET",
  path: "/rooms/{room}/schedule",
  summary:
    "The room's scheduled actions, in order; after five failures an action stays, and is not run again.",
  answer: z.object({ schedule: z.array(ScheduledAction) }),
  handle: async (hub) => {
    const all = unlessRefused(await hub.room(hub.topic).schedule());
    return { body: { schedule: all.map(shownSchedule) } };
  },
});

const cancel = operation({
  id: "cancelScheduled",
  method: "DELETE",
  path: "/rooms/{room}/schedule/{schedule}",
  summary: "Removes an action from the room's schedule, by its id.",
  status: 204,
  finds: true,
  handle: async (hub) => {
    const found = await hub.room(hub.topic).cancelScheduled(hub.parameter("schedule"));
    if (!unlessRefused(found))
      throw new HubError("not_found", "No action is scheduled under this id.");
  },
});

const reload = operation({
  id: "reloadState",
  method: "POST",
  path: "/rooms/{room}/:reload",
  summary: "Loads the room's state again, by the hub's `load`; clients get the difference.",
  answer: Position,
  handle: async (hub) => ({ body: unlessRefused(await hub.room(hub.topic).reloadState()) }),
});

const Value = z.union([z.string(), z.number(), z.null(), z.strictObject({ base64: z.string() })]);

const ExportedRun = z.strictObject({
  id: z.string().check(z.minLength(1), z.maxLength(128)),
  action: z.string(),
  args: z.array(Kept),
  at: z.number(),
  every: z.optional(z.union([z.number(), z.string()])),
  failures: z.int().check(z.minimum(0)),
});

const MOST_SCHEDULED = z.maxLength(1_000);

/** The document that `:export` answers with. */
const Exported = z.strictObject({
  /** The version of the hub's state: one more than the number of its migrations. */
  version: z.int().check(z.minimum(1)),
  position: z.string(),
  state: Kept,
  schedule: z.array(ExportedRun).check(MOST_SCHEDULED),
  tables: z.record(z.string(), z.array(z.record(z.string(), Value))),
});

/** The member is in documents of versions before this one. */
const Imported = z.extend(Exported, {
  schedule: z
    .array(z.extend(ExportedRun, { planned: z.optional(z.number()) }))
    .check(MOST_SCHEDULED),
});

// The schedule and the rows of tables are always the present ones.
const exporting = operation({
  id: "exportRoom",
  method: "GET",
  path: "/rooms/{room}/:export",
  summary: "The room's state, schedule and tables as one document, 16 MiB at most.",
  answer: Exported,
  handle: async (hub) => ({ body: unlessRefused(await hub.room(hub.topic).exportState()) }),
});

const importing = operation({
  id: "importRoom",
  method: "POST",
  path: "/rooms/{room}/:import",
  summary:
    "Writes a document of `:export` into an empty room, else 409; older versions are migrated.",
  body: Imported,
  bodyBytes: EXPORT_BYTES,
  answer: Position,
  handle: async (hub, { body }) => {
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    return { body: unlessRefused(await hub.room(hub.topic).importState(bytes)) };
  },
});

// A copy at an earlier position has only the state: the schedule of that time is not known.
const fork = operation({
  id: "forkRoom",
  method: "POST",
  path: "/rooms/{room}/:fork",
  summary:
    "Copies another room into this empty one: its present state, or that `at` a position that its log still has (else 410).",
  body: z.strictObject({ from: z.string(), at: z.optional(z.string()) }),
  answer: Position,
  handle: async (hub, { body: { from, at } }) => {
    const source = hub.room(hub.roomNamed(from));
    const position = at === undefined ? undefined : parsePosition(at);
    const exported = unlessRefused(await source.exportState(position));
    return { body: unlessRefused(await hub.room(hub.topic).importState(exported)) };
  },
});

export const states = [state, run, schedule, cancel, reload, exporting, importing, fork];
