// [S8] Three tenants with the same names for everything, and operations of services, each of which tries its best to
// reach the others.

import { afterEach, describe, expect, it, vi } from "vitest";
import { connected, type SignalR } from "../../rooms/relay/client.ts";
import { enter, type Client } from "../../rooms/client.ts";
import { chance, sizeOf, type Chance } from "../../support/seed.ts";
import { ask } from "./service.ts";

afterEach(() => void vi.restoreAllMocks());

const TENANTS = ["default", "other", "default/chat"] as const;
type Tenant = (typeof TENANTS)[number];
const OPERATIONS = sizeOf(2_000, 10_000);
const AT_ONCE = 25;

interface Site {
  readonly tenant: Tenant;
  readonly socket: Client;
  readonly signalR: SignalR;
}

async function siteOf(tenant: Tenant): Promise<Site> {
  const claims = { tid: tenant };
  const socket = await enter("relayed/group:same", { claims });
  const signalR = await connected("relayed", { claims });
  await signalR.call("Join", "same");
  return { tenant, socket, signalR };
}

/** What all presence says that is not asked for. */
const OF_TWO = { num_clients: 2 };

type Operation = (
  site: Site,
  foreign: Site,
  tag: string,
) => [method: string, path: string, body?: object];

const id = (connection: string) => encodeURIComponent(connection);
const said = (tag: string) => ({ target: "said", arguments: [tag] });
const connectionOf = ({ socket, signalR }: Site, tag: string) =>
  id(Number(tag.split(" ")[1]) % 2 ? signalR.id : (socket.hello.params.connectionId as string));

const OWN: Operation[] = [
  (_site, _foreign, tag) => ["POST", "/:send", said(tag)],
  (_site, _foreign, tag) => ["POST", "/groups/same/:send", said(tag)],
  (_site, _foreign, tag) => ["POST", "/users/alice/:send", said(tag)],
  (_site, _foreign, tag) => ["POST", "/rooms/group%3Asame/:publish", said(tag)],
  (_site, _foreign, tag) => [
    "POST",
    "/:broadcast",
    { rooms: ["group:same", "user:alice"], ...said(tag) },
  ],
  (_site, _foreign, tag) => ["POST", "/:execute", [{ type: "SendMessage", message: said(tag) }]],
  () => ["GET", "/rooms/group%3Asame/history"],
  () => ["GET", "/rooms/group%3Asame/presence"],
  () => ["GET", "/groups/same/connections"],
];

/** At connections of another tenant, by ids that were found out. */
const FOREIGN: Operation[] = [
  (_site, foreign, tag) => ["POST", `/connections/${connectionOf(foreign, tag)}/:send`, said(tag)],
  (_site, foreign, tag) => [
    "POST",
    `/connections/${connectionOf(foreign, tag)}/:invoke`,
    said(tag),
  ],
  (_site, foreign, tag) => ["DELETE", `/connections/${connectionOf(foreign, tag)}`],
  (_site, foreign, tag) => ["DELETE", `/connections/${connectionOf(foreign, tag)}/groups`],
  (_site, foreign, tag) => ["GET", `/connections/${connectionOf(foreign, tag)}`],
  (_site, foreign, tag) => ["PUT", `/groups/same/connections/${connectionOf(foreign, tag)}`],
  (_site, foreign, tag) => ["DELETE", `/groups/same/connections/${connectionOf(foreign, tag)}`],
  () => ["POST", "/users/alice%2Fx/:closeConnections"],
  () => ["POST", "/users/same/:revoke", {}],
];

async function one(sites: readonly Site[], { pick, below }: Chance, tag: number): Promise<void> {
  const site = pick(sites);
  const foreign = pick(sites.filter((other) => other !== site));
  const isForeign = below(2) === 1;
  const name = `${site.tenant} ${tag}`;
  const [method, path, body] = pick(isForeign ? FOREIGN : OWN)(site, foreign, name);
  const sign = { claims: { tid: site.tenant } };
  const response = await ask(method, `/hubs/relayed${path}`, { sign, ...(body && { body }) });
  const text = await response.text();
  expect(response.status).toBeLessThan(500);
  for (const { tenant } of sites.filter((other) => other !== site))
    expect(text).not.toContain(`["${tenant} `);
  const { num_clients: clients } = path.includes("/presence") ? JSON.parse(text) : OF_TWO;
  const found = isForeign && method === "GET" ? response.status : 404;
  expect([clients, found]).toEqual([2, 404]);
}

const heardBy = ({ socket, signalR }: Site): unknown[] => [
  ...socket.messages("said").map(({ params }) => params[0]),
  ...signalR.texts,
];

describe("S8: tenants", () => {
  it(
    `hear nothing of each other in ${OPERATIONS} operations of services`,
    { timeout: 360_000 },
    async () => {
      vi.spyOn(console, "info").mockImplementation(() => {}); // A line for each command.
      const luck = chance();
      const sites = await Promise.all(TENANTS.map(siteOf));
      for (let done = 0; done < OPERATIONS; done += AT_ONCE)
        await Promise.all(
          Array.from({ length: AT_ONCE }, (_, index) => one(sites, luck, done + index)),
        );
      for (const site of sites) {
        const sign = { claims: { tid: site.tenant } };
        await ask("POST", "/hubs/relayed/groups/same/:send", {
          sign,
          body: said(`${site.tenant} end`),
        });
        await site.signalR.hears(`${site.tenant} end`);
        const heard = heardBy(site).map(String);
        expect(heard.length).toBeGreaterThan(OPERATIONS / 20);
        expect(
          heard.filter(
            (text) => !/^(.*) (?:\d+|end)$/.exec(text) || !text.startsWith(`${site.tenant} `),
          ),
        ).toEqual([]);
        // Nobody was moved or closed.
        expect((await site.signalR.call("Members", "same")).result).toMatchObject({
          connections: 2,
        });
        expect((await site.socket.call("$/presence")).result).toMatchObject({ connections: 2 });
        site.socket[Symbol.dispose]();
        site.signalR[Symbol.dispose]();
      }
    },
  );
});
