// The version of this package, which client and server exchange.

/** The same as in package.json; test/node/package-version.test.ts compares them. */
export const VERSION = "0.1.0";

/**
 * The query parameter with the client's version. Only Dormouse's own client sends it, which understands `$/refused`.
 */
export const VERSION_PARAMETER = "dormouse";
