/** How long a step of a test may take before it fails with its name. A machine that is busy needs many times 1 s. */
export const PATIENCE_MS = 120_000;
