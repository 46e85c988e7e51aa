// Runs a service's commands on this object's connections: in parallel for all of them, in the order of the commands for
// each. Commands may be repeated after a failure: joins, leaves and closes then change nothing, sends are sent again.

import { serverError } from "../../model/errors.ts";
import { matches } from "../../model/filter.ts";
import { isRevoked } from "../../model/token-rules.ts";
import { formatTopic, parseTopic, writtenTopic } from "../../model/topic.ts";
import { factsOf, isNamed } from "../../model/user.ts";
import { save, type Connection } from "../connection/connection.ts";
import { belong } from "../links/state-joins.ts";
import type { Command, CommandOutcome, Selection } from "../rpc/command.ts";
import { reachesUsers, type ObjectParts } from "./object-parts.ts";
import type { StartedObject } from "./object-start.ts";

/** The object on whose connections the commands run. */
type CommandTarget = Pick<StartedObject<ObjectParts>, "parts" | "host">;

/**
 * Runs the commands on each selected connection, in their order. Throws the first failure, for example
 * `too_many_groups`, once all connections were tried.
 */
export async function runCommands(
  target: CommandTarget,
  selection: Selection,
  commands: readonly Command[],
): Promise<CommandOutcome> {
  const connections = select(target, selection);
  const { user } = selection;
  const { connections: all, remembered } = target.parts;
  const forgetAway = () => user !== undefined && remembered?.forgetUser(user, commands);
  // Before, for clients that return meanwhile; again below, for clients whose connections end meanwhile.
  forgetAway();
  const outcomes = await Promise.allSettled(
    connections.map((connection) => run(target, connection, commands)),
  );
  const failure = outcomes.find(({ status }) => status === "rejected") as PromiseRejectedResult;
  if (failure) throw failure.reason;
  forgetAway();
  const matched = connections.length;
  if (user === undefined) return { matched, present: 0 };
  return { matched, present: all.byUser.named(user).size + Number(remembered?.hasUser(user) ?? 0) };
}

/** All conditions of the selection must hold. */
function select({ parts }: CommandTarget, selection: Selection): Connection[] {
  const { user, except, filter, tokens } = selection;
  return [...candidates(parts, selection)].filter(
    (connection) =>
      (user === undefined || isNamed(connection.user, user)) &&
      !except?.includes(connection.id) &&
      (!tokens || isRevoked(factsOf(connection.user), tokens)) &&
      (!filter || matches(filter, filterFacts(parts, connection))),
  );
}

/** The connections that a selection may match: by id, room or user if it names one, without a search of all. */
function candidates(parts: ObjectParts, selection: Selection): Iterable<Connection> {
  const { connection: id, room, user } = selection;
  const { connections } = parts;
  if (id !== undefined) return [connections.get(id) ?? []].flat();
  if (room !== undefined) return parts.membersOf(room);
  return user === undefined ? connections.all : connections.byUser.named(user);
}

function filterFacts(parts: ObjectParts, connection: Connection) {
  const topics = parts.topicsOf(connection);
  return {
    userId: connection.user.id,
    connectionId: connection.id,
    groups: topics.flatMap(({ kind, name }) => (kind === "group" ? name : [])),
    rooms: topics.filter(({ kind }) => kind !== "group").map(formatTopic),
  };
}

async function run(
  target: CommandTarget,
  connection: Connection,
  commands: readonly Command[],
): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one after another, in their order
  for (const command of commands) await apply(target, connection, command);
}

async function apply(
  target: CommandTarget,
  connection: Connection,
  command: Command,
): Promise<void> {
  const { host } = target;
  switch (command.type) {
    case "send": {
      const { target: method, params, bytes } = command;
      const message = { type: "invocation", target: method, params } as const;
      return host.replies.send(connection, bytes ? { ...message, bytes } : message);
    }
    case "join":
      return host.rooms.join(connection, parseTopic(command.room), command.given ? "token" : "hub");
    case "ownRoom":
      return joinOwnRoom(target, connection);
    case "leave":
      return leave(target, connection, command.room);
    case "leaveGroups":
      return leaveGroups(target, connection);
    case "item":
      return host.replies.send(connection, {
        type: "item",
        id: command.stream,
        item: command.item,
      });
    case "end":
      return host.replies.send(connection, endOf(command));
    case "close":
      return host.connections.close(connection, command.why, command.reason);
    default:
      command satisfies never;
  }
}

/** Not before the handshake, after which the account is called anyway, and not for a request over HTTP. */
async function joinOwnRoom({ parts, host }: CommandTarget, connection: Connection): Promise<void> {
  const topic = { kind: "user", name: connection.user.id } as const;
  const isIn = connection.stage.name !== "handshaking" && !connection.httpCaller;
  if (isIn && reachesUsers(parts) && formatTopic(host.room) !== formatTopic(topic))
    await belong(parts, connection, { topic, cause: "token" });
}

/**
 * Removes rooms from those that the connection's token names, and that it is to join: otherwise a connection that is
 * not open yet would still join them, and a refresh under way would join them again.
 */
function removeFromToken(connection: Connection, isRemoved: (room: string) => boolean): void {
  const { pending, user } = connection;
  for (const room of pending?.keys() ?? []) if (isRemoved(room)) pending!.delete(room);
  const channels = user.channels.filter((room) => !isRemoved(room));
  if (channels.length < user.channels.length) save(connection, { user: { ...user, channels } });
}

/** Does nothing for the room that the connection is attached to, so that the other commands still run. */
async function leave({ host }: CommandTarget, connection: Connection, room: string): Promise<void> {
  removeFromToken(connection, (name) => name === room);
  if (formatTopic(host.roomOf(connection)) !== room)
    await host.rooms.leave(connection, writtenTopic(room));
}

/** Leaves all groups except the room that the connection is attached to; also those whose join is under way. */
async function leaveGroups({ parts, host }: CommandTarget, connection: Connection): Promise<void> {
  const pending = [...(connection.pending?.keys() ?? [])].map(writtenTopic);
  removeFromToken(connection, (room) => writtenTopic(room).kind === "group");
  const own = formatTopic(host.roomOf(connection));
  const left = [...parts.topicsOf(connection), ...pending].filter(
    (topic) => topic.kind === "group" && formatTopic(topic) !== own,
  );
  await Promise.all(left.map((topic) => host.rooms.leave(connection, topic)));
}

const endOf = ({ stream, error }: Extract<Command, { type: "end" }>) =>
  error === undefined
    ? ({ type: "completion", id: stream, result: undefined } as const)
    : ({ type: "failure", id: stream, error: serverError("ended", error) } as const);
