// What a service may do to connections: which are meant, and what happens to them. Both travel as they stand here to
// every object that may hold one.

import { HubError } from "../../model/errors.ts";
import { matches } from "../../model/filter.ts";
import { factsOf, isRevoked } from "../../model/token-rules.ts";
import { formatTopic, parseTopic, type Topic } from "../../model/topic.ts";
import { save, type Connection } from "../connection/connection.ts";
import type { ObjectHost } from "./object-host.ts";
import type { Parts } from "./object-parts.ts";
import type { Command, CommandOutcome, Selection } from "../rpc/command.ts";

/** Where the connections are. */
export interface CommandTarget {
  readonly parts: Parts;
  readonly host: ObjectHost;
}

/** Done when all of it is. Throws what a connection's own call would, `too_many_groups` say, when all were tried. */
export async function runCommands(
  where: CommandTarget,
  selection: Selection,
  commands: readonly Command[],
): Promise<CommandOutcome> {
  const selected = select(where, selection);
  const outcomes = await Promise.allSettled(
    selected.map((connection) => one(where, connection, commands)),
  );
  const failed = outcomes.find(({ status }) => status === "rejected") as PromiseRejectedResult;
  if (failed) throw failed.reason;
  return { matched: selected.length, present: countOf(where, selection.user) };
}

function countOf({ parts }: CommandTarget, user: string | undefined): number {
  if (user === undefined) return 0;
  return [...parts.connections.all].filter((connection) => connection.user.id === user).length;
}

function select({ parts }: CommandTarget, selection: Selection): Connection[] {
  const { user, except, filter, tokens } = selection;
  return [...candidates(parts, selection)].filter(
    (connection) =>
      (user === undefined || connection.user.id === user) &&
      !except?.includes(connection.id) &&
      (!tokens || isRevoked(factsOf(connection.user), tokens)) &&
      (!filter || matches(filter, about(parts, connection))),
  );
}

function candidates(parts: Parts, { connection: id, room }: Selection): Iterable<Connection> {
  if (id !== undefined) {
    const connection = parts.connections.get(id);
    return connection ? [connection] : [];
  }
  return room === undefined ? parts.connections.all : parts.membersOf(room);
}

const about = (parts: Parts, connection: Connection) => ({
  userId: connection.user.id,
  connectionId: connection.id,
  groups: parts.topicsOf(connection).flatMap(({ kind, name }) => (kind === "group" ? name : [])),
});

async function one(
  where: CommandTarget,
  connection: Connection,
  commands: readonly Command[],
): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one after another, as they were said
  for (const command of commands) await apply(where, connection, command);
}

async function apply(
  where: CommandTarget,
  connection: Connection,
  command: Command,
): Promise<void> {
  const { host } = where;
  switch (command.type) {
    case "send": {
      const { target, params, bytes } = command;
      const message = { type: "invocation", target, params } as const;
      return host.send(connection, bytes ? { ...message, bytes } : message);
    }
    case "join":
      return host.join(connection, parseTopic(command.room), command.given ? "token" : "hub");
    case "leave":
      return leave(where, connection, command.room);
    case "leaveGroups":
      return leaveGroups(where, connection);
    case "item":
      return host.send(connection, { type: "item", id: command.stream, item: command.item });
    case "end":
      return host.send(connection, endOf(command));
    case "close":
      return host.close(connection, command.why, command.reason);
    default:
      command satisfies never;
  }
}

/** One that is not greeted yet would come into what was named when it came; a refresh under way would put it back. */
function unname(connection: Connection, isLeft: (room: string) => boolean): void {
  const { user } = connection;
  const channels = user.channels.filter((room) => !isLeft(room));
  if (channels.length < user.channels.length) save(connection, { user: { ...user, channels } });
}

/** Who came for a room and nothing else stays in it: what else was commanded is done all the same. */
async function leave({ host }: CommandTarget, connection: Connection, room: string): Promise<void> {
  unname(connection, (name) => name === room);
  if (formatTopic(host.roomOf(connection)) !== room) await host.leave(connection, parseTopic(room));
}

/** The room that a connection came for is none it has joined. */
async function leaveGroups({ parts, host }: CommandTarget, connection: Connection): Promise<void> {
  unname(connection, (room) => parseTopic(room).kind === "group");
  const own = formatTopic(host.roomOf(connection));
  const left = parts
    .topicsOf(connection)
    .filter((topic: Topic) => topic.kind === "group" && formatTopic(topic) !== own);
  await Promise.all(left.map((topic) => host.leave(connection, topic)));
}

const endOf = ({ stream, error }: Extract<Command, { type: "end" }>) =>
  error === undefined
    ? ({ type: "completion", id: stream, result: undefined } as const)
    : ({ type: "failure", id: stream, error: new HubError("ended", error) } as const);
