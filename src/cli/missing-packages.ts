// Packages that the server needs and a page does not: optional peers of this package, so that an application installs
// them (package.json, `peerDependencies`).

import { createRequire } from "node:module";

export const OF_THE_SERVER = ["hono", "zod", "@msgpack/msgpack"] as const;

/** Packages that a server with gRPC needs in addition. */
export const OF_GRPC = ["@bufbuild/protobuf", "@connectrpc/connect"] as const;

/**
 * A message with the command that installs missing packages; undefined if none is missing. `from`: a path or a file
 * URL.
 */
export function missingPackages(from: string = import.meta.url): string | undefined {
  const { resolve } = createRequire(from);
  const missing = OF_THE_SERVER.filter((name) => !isThere(resolve, name));
  if (missing.length === 0) return undefined;
  const names = missing.join(" ");
  return `The server needs packages that are not installed: npm install ${names}`;
}

/** The same for gRPC's packages, from the bundler's message about a package that it did not find. */
export const missingForGrpc = (reason: string): string | undefined =>
  OF_GRPC.some((name) => reason.includes(`"${name}`))
    ? `serve(hubs, { grpc }) needs packages that are not installed: npm install ${OF_GRPC.join(" ")}`
    : undefined;

function isThere(resolve: NodeJS.RequireResolve, name: string): boolean {
  try {
    resolve(name);
    return true;
  } catch (error) {
    // Another error, as for a package without an entry for `require`, means that it is installed.
    return (error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND";
  }
}
