// bank.ts: accounts in Postgres, through Hyperdrive.
import postgres from "postgres";
import * as z from "zod";
import { hub, HubError, method } from "dormouse-hubs/hub";

const Payment = z.object({ id: z.uuid(), to: z.string().max(64), cents: z.int().min(1) });
interface Account {
  readonly id: string;
  readonly cents: number;
}

export interface BankClient {
  balance(cents: number): void;
}

export const BankHub = hub<BankClient>("bank").methods({
  pay: method([Payment], async ({ clients, env, user, waitUntil }, { id, to, cents }) => {
    const sql = postgres(env.HYPERDRIVE.connectionString, { max: 1, fetch_types: false });
    const pay = async (tx: postgres.TransactionSql) => {
      const payment = { id, payer: user.id, payee: to, cents };
      const { count } = await tx`INSERT INTO payments ${tx(payment)} ON CONFLICT DO NOTHING`;
      if (count > 0) {
        await tx`UPDATE accounts SET cents = cents - ${cents} WHERE id = ${user.id}`;
        await tx`UPDATE accounts SET cents = cents + ${cents} WHERE id = ${to}`;
      }
      const accounts = await tx<Account[]>`
        SELECT id, cents FROM accounts WHERE id IN (${user.id}, ${to})`;
      if (accounts.length < 2 || accounts.some((account) => account.cents < 0))
        throw new HubError("refused", "There is no such account, or not that much on it.");
      return accounts;
    };
    try {
      const accounts = await sql.begin(pay);
      // Committed. An error inside `pay` rolls everything back and goes to the caller.
      for (const account of accounts) await clients.user(account.id).balance(account.cents);
    } finally {
      waitUntil(sql.end());
    }
  }),
});
