// bank.ts: accounts in Postgres, through Hyperdrive.
import postgres from "postgres";
import { z } from "zod";
import { hub, HubError, method } from "dormouse/hub";

export interface BankClient {
  balance(cents: number): void;
}

export const BankHub = hub<BankClient>("bank").methods({
  pay: method(
    [z.uuid(), z.string().max(64), z.int().min(1)],
    async ({ clients, env, user, waitUntil }, id, to, cents) => {
      const sql = postgres(env.HYPERDRIVE.connectionString, { max: 1, fetch_types: false });
      try {
        const [from, other] = await sql.begin(async (transaction) => {
          await transaction`INSERT INTO payments VALUES (${id}, ${user.id}, ${to}, ${cents})`;
          const [payer] =
            await transaction`UPDATE accounts SET cents = cents - ${cents} WHERE id = ${user.id} AND cents >= ${cents} RETURNING cents`;
          if (!payer) throw new HubError("not_enough", "The account has not that much."); // rolls back
          const [payee] =
            await transaction`UPDATE accounts SET cents = cents + ${cents} WHERE id = ${to} RETURNING cents`;
          return [payer["cents"] as number, payee?.["cents"] as number];
        });
        await clients.user(user.id).balance(from);
        await clients.user(to).balance(other);
      } finally {
        waitUntil(sql.end());
      }
    },
  ),
});
