// How long tests wait before they fail. These limits end hangs, and are no measure of speed: a slow machine took five
// times as long as a quick one.

/** A test in Node. */
export const TEST_MS = 240_000;

/** A program that a test runs. */
export const PROGRAM_MS = 180_000;

/** A step of a test, which then fails with its name. */
export const PATIENCE_MS = 120_000;

/** What a test looks for again and again. The default of 1 s is too short on a busy machine. */
export const POLL_MS = 60_000;
