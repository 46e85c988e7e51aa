// A service's endpoint, written by hand on Node: checks a token for its URL, reads JSON, and publishes to one room or
// several.

import { createServer, type IncomingMessage, type Server } from "node:http";
import { json } from "node:stream/consumers";
import { jwtVerify } from "jose";
import { ACCESS_KEY } from "../tokens.ts";

const KEY = new TextEncoder().encode(ACCESS_KEY);

/** Throws unless the token is signed with the access key, names this URL as audience and has not expired. */
async function check({ headers, url }: IncomingMessage): Promise<void> {
  await jwtVerify(headers.authorization?.replace(/^Bearer /, "") ?? "", KEY, {
    algorithms: ["HS256"],
    audience: `http://${headers.host}${url}`,
    requiredClaims: ["exp"],
  });
}

interface Publication {
  readonly room: string;
  readonly message: string;
}

const ROOM = "/rooms/";

async function publicationsOf(request: IncomingMessage): Promise<readonly Publication[]> {
  const body: unknown = await json(request);
  const url = request.url!;
  if (!url.startsWith(ROOM)) return (body as { publications: readonly Publication[] }).publications;
  return [{ ...(body as { message: string }), room: url.slice(ROOM.length) }];
}

export const pushServer = (publish: (publication: Publication) => void): Server =>
  createServer(async (request, response) => {
    try {
      await check(request);
    } catch {
      return void response.writeHead(401).end();
    }
    const publications = await publicationsOf(request);
    for (const each of publications) publish(each);
    const answer = JSON.stringify({ said: publications.length });
    response.setHeader("content-type", "application/json").end(answer);
  });
