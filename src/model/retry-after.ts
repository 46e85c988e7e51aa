// `retry-after` of refusals by load. Clients that were refused together must not all come back in the same second.

/** The longest pause. */
const SPREAD_SECONDS = 5;

/** Whole seconds from 1 to 5, as the header has them. */
export const laterSeconds = (): string => String(1 + Math.floor(Math.random() * SPREAD_SECONDS));
