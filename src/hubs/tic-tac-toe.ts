// GameHub: tic-tac-toe with a clock. A player who does not move within ten seconds loses.

import * as z from "zod/mini";
import { action, hub, HubError, internal, signedIn } from "../hub.ts";

const Mark = z.enum(["X", "O"]);
type Mark = z.output<typeof Mark>;

const Game = z.object({
  // Inside of an array null is a value like any other.
  cells: z.array(z.nullable(Mark)).check(z.length(9)),
  /** User ids. */
  players: z.partialRecord(Mark, z.string()),
  turn: Mark,
  /** Milliseconds since 1970. */
  turnEndsAt: z.optional(z.number()),
  winner: z.optional(z.enum(["X", "O", "nobody"])),
});
type Game = z.output<typeof Game>;

const LINES = [
  [0, 1, 2],
  [3, 4, 5],
  [6, 7, 8],
  [0, 3, 6],
  [1, 4, 7],
  [2, 5, 8],
  [0, 4, 8],
  [2, 4, 6],
] as const;
const SECONDS_TO_MOVE = 10;

const other = (mark: Mark): Mark => (mark === "X" ? "O" : "X");

const emptyGame = (): Game => ({
  cells: Array.from({ length: 9 }, () => null),
  players: {},
  turn: "X",
});

function winnerOf({ cells, turn }: Game): Game["winner"] {
  if (LINES.some((line) => line.every((at) => cells[at] === turn))) return turn;
  return cells.includes(null) ? undefined : "nobody";
}

export const GameHub = hub("games", { rooms: { group: { enter: signedIn } } })
  .state("group", { schema: Game, initial: emptyGame })
  .internal({
    timeUp: internal([], ({ state }) => {
      state.winner ??= other(state.turn);
    }),
  })
  .actions({
    /** Takes a free seat, and returns its mark. Throws `full`. */
    sit: action([], ({ state, user }) => {
      const free = Mark.options.find((mark) => state.players[mark] === undefined);
      if (!free) throw new HubError("full", "Two players are in this game.");
      state.players[free] = user.id;
      return free;
    }),
    /** Throws `over`, `not_your_turn` and `taken`. */
    move: action(
      [z.int().check(z.minimum(0), z.maximum(8))],
      ({ state, user, schedule, now }, cell) => {
        if (state.winner) throw new HubError("over", "The game is over.");
        if (state.players[state.turn] !== user.id)
          throw new HubError("not_your_turn", "It is the turn of the other player.");
        if (state.cells[cell] !== null) throw new HubError("taken", "This cell is taken.");
        state.cells[cell] = state.turn;
        state.winner = winnerOf(state);
        state.turn = other(state.turn);
        state.turnEndsAt = state.winner ? undefined : now + SECONDS_TO_MOVE * 1000;
        if (state.winner) schedule.cancel("timeUp");
        else schedule.in(SECONDS_TO_MOVE).timeUp();
      },
    ),
    /** Clears the board and the seats. Throws `playing` until the game is over. */
    again: action([], (context) => {
      if (!context.state.winner) throw new HubError("playing", "The game is not over.");
      context.state = emptyGame();
    }),
  });

export type GameHub = typeof GameHub;
