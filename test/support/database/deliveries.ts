// deliveries.ts: a status machine whose state is loaded from D1, and saved there.
import * as z from "zod";
import { action, authorize, hub, HubError, role, signedIn } from "dormouse-hubs/hub";

const STATUSES = ["placed", "paid", "shipped", "delivered", "cancelled"] as const;
const Delivery = z.object({
  buyer: z.string(),
  status: z.enum(STATUSES),
  carrier: z.string().optional(),
});
type Delivery = z.infer<typeof Delivery>;
type Status = Delivery["status"];

const NEXT: Readonly<Record<Status, readonly Status[]>> = {
  placed: ["paid", "cancelled"],
  paid: ["shipped", "cancelled"],
  shipped: ["delivered"],
  delivered: [],
  cancelled: [],
};

function move(state: Delivery, to: Status): void {
  if (!NEXT[state.status].includes(to))
    throw new HubError("wrong_status", `An order that is ${state.status} cannot be ${to}.`);
  state.status = to;
}

const SAVE = `INSERT INTO deliveries VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id)
  DO UPDATE SET json = ?2, epoch = ?3, position = ?4 WHERE epoch != ?3 OR position < ?4`;

export const DeliveryHub = hub("deliveries", { rooms: { order: { enter: signedIn } } })
  .state("order", {
    schema: Delivery,
    initial: { buyer: "", status: "placed" },
    load: async ({ name }, { DB }) => {
      const select = DB.prepare("SELECT json FROM deliveries WHERE id = ?").bind(name);
      const row = await select.first<{ json: string }>();
      return row ? Delivery.parse(JSON.parse(row.json)) : undefined;
    },
    save: async ({ room: { name }, state, position: { epoch, offset } }, { DB }) => {
      const change = state
        ? DB.prepare(SAVE).bind(name, JSON.stringify(state), epoch, offset)
        : DB.prepare("DELETE FROM deliveries WHERE id = ?").bind(name);
      await change.run();
    },
  })
  .actions({
    cancel: action([], ({ state }) => move(state, "cancelled")),
    ship: authorize(role("Manager")).action([z.string().max(40)], ({ state }, carrier) => {
      move(state, "shipped");
      state.carrier = carrier;
    }),
  });
