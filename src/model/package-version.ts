// Versions of this package, which client and server tell each other.

/** As in package.json; test/node/package-version.test.ts compares them. */
export const VERSION = "0.1.0";

/**
 * The query parameter by which a client says its version. Only our own client has it: it also understands `$/refused`.
 */
export const VERSION_PARAMETER = "dormouse";
