// Names, policies, functions, booleans, texts and objects among a hub's settings are checked once, where the hub is
// served. Types say the same, but not in JavaScript: there a misspelt `authorize` would open the hub to every user.

import { DEFAULTS, LIMITS, type StatefulReconnect, type Transport } from "../../model/options.ts";
import { isRoomKind } from "../../model/topic.ts";
import type { AnyHub } from "./hub-members.ts";
import type { HubOptions, HubSettings } from "./hub-settings.ts";
import { isPolicy, type RoomRules } from "./policies.ts";

/** The names of all members of T, as keys. */
type Names<T> = { readonly [K in keyof Required<T>]: unknown };

type Options = Required<HubOptions<unknown>>;

const STATEFUL_RECONNECT: Names<StatefulReconnect> = { bufferBytes: 0, awaySeconds: 0 };

const BOOLEAN = [true, false];

type Fits = (value: unknown) => boolean;

const isFunction = (value: unknown): value is Fits => typeof value === "function";
const isText = (value: unknown): boolean => typeof value === "string";
const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isClientMethods = (value: unknown) =>
  isObject(value) && isObject((value as { readonly clientMethods?: unknown }).clientMethods);
const listOf = (fits: Fits) => (value: unknown) => Array.isArray(value) && value.every(fits);
const areTexts = listOf(isText);
const areObjects = listOf(isObject);
const { transports } = DEFAULTS.signalR;
const areTransports = listOf((one) => transports.includes(one as Transport));

/** What a value of each kind is. */
const KINDS: ReadonlyMap<Fits, string> = new Map([
  [
    isPolicy,
    'is not a policy. A policy is made by a call, such as role("Admin"), or is a function.',
  ],
  [isClientMethods, "is made by clientMethods({ … })."],
  [isObject, "is an object."],
  [isFunction, "is a function."],
  [isText, "is a string."],
  [areTexts, "is an array of strings."],
  [areObjects, "is an array of objects."],
  [areTransports, `is an array of ${transports.join(", ")}.`],
]);

const RULES: Names<RoomRules> = { enter: isPolicy, history: isPolicy, groups: areTexts };

/**
 * An object lists the names of a setting's members, an array its values, the last of which may be such an object; a
 * function tells whether a value is of the setting's kind. Numbers and schemas are checked elsewhere.
 */
const SETTINGS: Names<HubOptions<unknown> & Pick<HubSettings<unknown>, "answers">> = {
  client: isClientMethods,
  answers: isObject,
  authorize: isPolicy,
  anonymous: BOOLEAN,
  rooms: { group: RULES, order: RULES, user: RULES } satisfies Names<Options["rooms"]>,
  history: [false, { size: 0, ttlSeconds: 0 } satisfies Names<Exclude<Options["history"], false>>],
  durability: ["logged", "behind"] satisfies Options["durability"][],
  presence: ["users", "counts", "none"] satisfies Options["presence"][],
  online: BOOLEAN,
  reach: { all: BOOLEAN, users: BOOLEAN } satisfies Names<Options["reach"]>,
  detailedErrors: BOOLEAN,
  cookies: BOOLEAN,
  rememberGroups: 0,
  signalR: {
    verbatim: BOOLEAN,
    messagePackKeys: ["pascal", "verbatim"],
    state: { snapshot: isText, patch: isText } satisfies Names<
      Required<Options["signalR"]>["state"]
    >,
    handshakeSeconds: 0,
    transports: areTransports,
    statefulReconnect: [...BOOLEAN, STATEFUL_RECONNECT],
  } satisfies Names<Options["signalR"]>,
  liveness: { pingSeconds: 0, silentSeconds: 0, sweepSeconds: 0, graceSeconds: 0 } satisfies Names<
    Options["liveness"]
  >,
  limits: LIMITS,
  connected: isFunction,
  disconnected: isFunction,
  joined: isFunction,
  left: isFunction,
  presenceChanged: isFunction,
};

/** Throws a `TypeError` for a setting that does not exist, and for one that is not of its kind. */
export function checkSettings({ name, settings }: Pick<AnyHub, "name" | "settings">): void {
  const fail = failureOf(`Hub "${name}"`);
  if (!isObject(settings)) fail("its settings are an object.");
  const { rooms } = settings;
  for (const kind of isObject(rooms) ? Object.keys(rooms) : [])
    if (!isRoomKind(kind))
      fail(`there is no setting rooms.${kind}. Kinds of rooms: group, order, user.`);
  checkNames(settings, { known: SETTINGS, place: "", fail });
}

const SERVE = {
  ...{ filters: areObjects, basePath: isText, paths: areObjects },
  ...{ userId: isFunction, place: isObject, grpc: isFunction },
};

/** The same for the arguments of `serve`. Hubs, paths and places are checked further where they are used. */
export function checkServed(hubs: unknown, options: unknown): void {
  const fail = failureOf("serve");
  if (!Array.isArray(hubs)) return fail("its hubs are a list, as in serve([ChatHub]).");
  if (!isObject(options)) return fail("its options are an object.");
  checkNames(options, { known: SERVE, place: "", fail });
}

/** Throws the sentence about what is checked. */
type Fail = (sentence: string) => void;

const failureOf =
  (checked: string): Fail =>
  (sentence) => {
    throw new TypeError(`${checked}: ${sentence}`);
  };

interface Known {
  readonly known: object;
  /** The path of the object, with a dot at its end. */
  readonly place: string;
  readonly fail: Fail;
}

function checkNames(given: object, { known, place, fail }: Known): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const path = place + name;
    if (!Object.hasOwn(known, name)) fail(`there is no setting ${path}.`);
    checkValue(value, (known as Record<string, unknown>)[name], { path, fail });
  }
}

/** `members` is one of `SETTINGS`. */
function checkValue(
  value: unknown,
  members: unknown,
  { path, fail }: { readonly path: string; readonly fail: Fail },
): void {
  if (isFunction(members)) {
    return members(value) ? undefined : fail(`${path} ${KINDS.get(members)}`);
  }
  const choices = [members].flat();
  const known = choices.find(isObject);
  if (known && isObject(value)) return checkNames(value, { known, place: `${path}.`, fail });
  if (typeof members === "number" || choices.includes(value)) return;
  const texts = choices.map((one) =>
    isObject(one) ? `an object with ${Object.keys(one).join(", ")}` : one,
  );
  fail(`${path} is ${texts.join(" or ")}.`);
}
