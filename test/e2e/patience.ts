/** How long anything may take before a test is told what it waited for. A machine that is busy needs many times 1 s. */
export const PATIENCE_MS = 60_000;
