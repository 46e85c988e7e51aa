// Stubs of other objects, by name. Platform RPC types would hide these few methods, so each stub is cast here, once.

import type { AccountObjectRpc, AccountRpc } from "./account-rpc.ts";
import type { ObjectEnv } from "./object-env.ts";
import type { Topic } from "../../model/topic.ts";
import {
  accountName,
  isRelayName,
  objectName,
  type AccountAddress,
  type Domain,
} from "./object-names.ts";
import type { RoomRpc } from "./room-rpc.ts";

/** Gives a fresh stub on every call: one whose object was reset is broken for good. */
export interface RoomStubs {
  (objectName: string): RoomRpc;
}

/** Rooms and relays by their object names; a relay answers the `HolderRpc` part only. */
export const roomStubs =
  ({ ROOMS, RELAYS }: ObjectEnv): RoomStubs =>
  (name) =>
    (isRelayName(name) ? RELAYS : ROOMS).getByName(name) as unknown as RoomRpc;

/** Rooms of one hub and tenant, by topic. A fresh stub for each call. */
export const hubRooms =
  (stubs: RoomStubs, domain: Domain) =>
  (topic: Topic): RoomRpc =>
    stubs(objectName({ ...domain, topic }));

/** A user's account, in the object that it shares with others. A fresh stub for each call. */
export function accountStub(
  { ACCOUNTS }: Pick<ObjectEnv, "ACCOUNTS">,
  address: AccountAddress,
): AccountRpc {
  const { user } = address;
  const object = () => ACCOUNTS.getByName(accountName(address)) as unknown as AccountObjectRpc;
  return {
    admit: (request) => object().admit(user, request),
    check: (token) => object().check(user, token),
    command: (...about) => object().command(user, ...about),
    revoke: (revocation) => object().revoke(user, revocation),
    ban: (...about) => object().ban(user, ...about),
    unban: () => object().unban(user),
    addToGroup: (...about) => object().addToGroup(user, ...about),
    removeFromGroup: (...about) => object().removeFromGroup(user, ...about),
    removeFromAllGroups: (hub) => object().removeFromAllGroups(user, hub),
    isInGroup: (...about) => object().isInGroup(user, ...about),
  };
}
