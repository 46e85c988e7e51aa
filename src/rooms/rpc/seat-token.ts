// The parts of a seat's connection token (relay/seats.ts). Only the relay can verify that it has issued the token.

interface SeatTokenParts {
  readonly random: string;
  /** When it lapses unless it has begun a connection; milliseconds since 1970, in base 36. */
  readonly at: string;
  readonly proof: string;
  readonly marks: string;
  /** The relay's name, not verified. */
  readonly relay: string;
}

const TOKEN =
  /^(?<random>[\w-]{22})_(?<at>[0-9a-z]{6,10})_(?<proof>[\w-]{22})(?<marks>0?s?p?)@relay:(?<relay>[^/]{1,200})$/s;

/** Undefined for any other text. */
export const seatTokenParts = (token: string): SeatTokenParts | undefined =>
  TOKEN.exec(token)?.groups as SeatTokenParts | undefined;

/** Milliseconds since 1970; 0 for any other text. */
export const seatEndsAt = (token: string): number =>
  Number.parseInt(seatTokenParts(token)?.at ?? "0", 36);
