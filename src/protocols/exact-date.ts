// Points in time finer than a millisecond, as .NET writes them (100 ns). A `Date` has only milliseconds; an `ExactDate`
// also has the rest, so that hub code passes on exactly the time that it has received.

const NS_PER_MS = 1_000_000;

/** A `Date` with the nanoseconds below its millisecond. They are lost once the date is changed by a setter. */
export class ExactDate extends Date {
  /** The nanoseconds below the millisecond: 0–999,999. */
  readonly #rest: number;
  readonly #milliseconds: number;

  constructor(milliseconds: number, rest: number) {
    super(milliseconds);
    this.#milliseconds = milliseconds;
    this.#rest = rest;
  }

  get nanoseconds(): number {
    return this.getTime() === this.#milliseconds ? this.#rest : 0;
  }

  /** ISO 8601 with as many digits as necessary: `9999-12-31T23:59:59.9999999Z`. */
  override toISOString(): string {
    const text = super.toISOString();
    if (this.nanoseconds === 0) return text;
    const digits = String(this.nanoseconds).padStart(6, "0").replace(/0+$/, "");
    return `${text.slice(0, -1)}${digits}Z`;
  }
}

/** Seconds since 1970, rounded down, and the nanoseconds after them: the form of MessagePack's timestamps. */
export interface TimeSpec {
  readonly sec: number;
  readonly nsec: number;
}

/** Throws a RangeError for a time beyond the range of `Date`. */
export function dateOf({ sec, nsec }: TimeSpec): Date {
  const ms = Math.floor(nsec / NS_PER_MS);
  const date = exactDate(sec * 1000 + ms, nsec - ms * NS_PER_MS);
  if (nsec >= 1e9 || Number.isNaN(date.getTime())) throw new RangeError("No time of Date.");
  return date;
}

export function timeSpecOf(date: Date): TimeSpec {
  const ms = date.getTime();
  const sec = Math.floor(ms / 1000);
  const below = date instanceof ExactDate ? date.nanoseconds : 0;
  return { sec, nsec: (ms - sec * 1000) * NS_PER_MS + below };
}

const ISO =
  /^((?:[+-]\d\d)?\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?)?$/;

/** The time of an ISO 8601 text, in UTC if it names no offset; undefined for other texts. */
export function parseTime(text: string): Date | undefined {
  const found = ISO.exec(text);
  if (!found) return undefined;
  const [, day = "", time = "00:00", fraction = "", offset = "Z"] = found;
  const start = Date.parse(`${day}T${time}${offset}`);
  if (Number.isNaN(start) || !isDay(day)) return undefined;
  const nanoseconds = Number(fraction.padEnd(9, "0"));
  const ms = Math.floor(nanoseconds / NS_PER_MS);
  return exactDate(start + ms, nanoseconds - ms * NS_PER_MS);
}

/** Whether the day exists: `Date.parse` takes February 30 for March 2. */
const isDay = (day: string): boolean => new Date(`${day}T00:00Z`).toISOString().startsWith(day);

const exactDate = (milliseconds: number, rest: number): Date =>
  rest === 0 ? new Date(milliseconds) : new ExactDate(milliseconds, rest);
