// OrderHub: following an order, and the right to change its status.

import { describe, expect, it } from "vitest";
import { calling } from "../../src/dispatch/testing/testing.ts";
import { OrderHub } from "../../src/hubs/orders.ts";

describe("orders.joinOrderGroup", () => {
  it("puts the caller into the order's room", async () => {
    const { invoke, joined } = calling(OrderHub);
    await invoke.joinOrderGroup("42");
    expect(joined).toEqual(["order:42"]);
  });

  it("is undone by leaveOrderGroup", async () => {
    const { invoke, joined } = calling(OrderHub);
    await invoke.joinOrderGroup("42");
    await invoke.joinOrderGroup("43");
    await invoke.leaveOrderGroup("42");
    expect(joined).toEqual(["order:43"]);
  });

  it("takes a number for an order, and a GUID in any case for the same one", async () => {
    const { invoke, joined } = calling(OrderHub);
    const guid = "3f2504e0-4f89-11d3-9a0c-0305e82c3301";
    for (const id of [42, "42", guid.toUpperCase(), guid]) await invoke.joinOrderGroup(id);
    expect(joined).toEqual(["order:42", `order:${guid}`]);
  });

  it("refuses an order without an id", async () => {
    const { invoke, joined } = calling(OrderHub);
    await expect(invoke.joinOrderGroup("")).rejects.toMatchObject({ code: "invalid_arguments" });
    expect(joined).toEqual([]);
  });
});

describe("orders.updateOrderStatus", () => {
  it.each(["Admin", "Manager", "service"])("lets %s tell whoever follows", async (role) => {
    const { invoke, sent } = calling(OrderHub, { user: { roles: [role] } });
    await invoke.updateOrderStatus("42", "shipped");
    expect(sent).toEqual([
      { to: "order:42", method: "orderStatusChanged", args: ["42", "shipped"] },
      {
        to: "group:updates",
        method: "orderUpdated",
        args: [{ orderId: "42", status: "shipped" }],
      },
    ]);
  });

  it.each([
    ["no role", []],
    ["another role", ["Customer"]],
    ["another case", ["admin"]],
  ])("refuses a user with %s", async (_, roles) => {
    const { invoke, sent } = calling(OrderHub, { user: { roles } });
    await expect(invoke.updateOrderStatus("42", "shipped")).rejects.toMatchObject({
      code: "forbidden",
    });
    expect(sent).toEqual([]);
  });

  it("refuses an empty status", async () => {
    const { invoke } = calling(OrderHub, { user: { roles: ["Admin"] } });
    await expect(invoke.updateOrderStatus("42", "")).rejects.toMatchObject({
      code: "invalid_arguments",
    });
  });
});

it("orders are closed to nobody", async () => {
  const { invoke } = calling(OrderHub, { user: null });
  await expect(invoke.joinOrderGroup("42")).rejects.toMatchObject({ code: "forbidden" });
});
