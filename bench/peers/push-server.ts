// A service's endpoint as it is written by hand in Node: a token for this address, JSON, and one room or several.

import { createServer, type IncomingMessage, type Server } from "node:http";
import { json } from "node:stream/consumers";
import { jwtVerify } from "jose";
import { ACCESS_KEY } from "../tokens.ts";

const KEY = new TextEncoder().encode(ACCESS_KEY);

/** Throws where it is not for this address, not signed by us, or over. */
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

export const pushServer = (say: (publication: Publication) => void): Server =>
  createServer(async (request, response) => {
    try {
      await check(request);
    } catch {
      return void response.writeHead(401).end();
    }
    const publications = await publicationsOf(request);
    for (const each of publications) say(each);
    const answer = JSON.stringify({ said: publications.length });
    response.setHeader("content-type", "application/json").end(answer);
  });
