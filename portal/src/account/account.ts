/** Who somebody is, as the site tells it. */
import { json, send } from "../api/http";
import { at, part } from "../api/root";
import type { Quota } from "../takeaway/price";

export interface Key {
  id: string;
  owner: string;
  name: string;
  kind: string;
  scopes: string[];
  created: string;
  expires: string | null;
  used: string | null;
  valid: boolean;
}

export interface Who {
  name: string;
  anonymous: boolean;
  roles: string[];
  groups: string[];
  scopes: string[];
  /** Id of the key, or the sign-in, that speaks. */
  key: string | null;
  keys: Key[];
  quotas: Quota[];
}

export interface User {
  name: string;
  roles: string[];
  groups: string[];
  email?: string;
  disabled: boolean;
  issuer?: string | null;
}

export const MEASURES = ["bytes_read", "bytes_out", "requests", "compute_seconds", "jobs"] as const;
export type Measure = (typeof MEASURES)[number];
export type Amounts = Record<Measure, number>;

export interface Usage {
  user: string;
  days: ({ day: string } & Amounts)[];
  totals: Omit<Amounts, "jobs">;
  collections: ({ collection: string } & Omit<Amounts, "jobs">)[];
  users?: ({ user: string } & Omit<Amounts, "jobs">)[];
  jobs: Record<string, number>;
  kept: number;
  quotas: Quota[];
}

export const who = (): Promise<Who> => json<Who>(at("account"));
export const usage = (days: number, user: string | null, signal: AbortSignal): Promise<Usage> =>
  json<Usage>(at("account/usage", { days, user }), { signal });

export const makeKey = (body: { name: string; scopes: string[]; days?: number }): Promise<Key & { key: string }> =>
  send("POST", at("account/keys"), body);
export const endKey = (id: string): Promise<Key> => send("DELETE", at(`account/keys/${part(id)}`));
export const users = async (): Promise<User[]> => (await json<{ users: User[] }>(at("account/users"))).users;
export const addUser = (body: Record<string, unknown>): Promise<User> => send("POST", at("account/users"), body);
export const changeUser = (name: string, body: Record<string, unknown>): Promise<User> =>
  send("PATCH", at(`account/users/${part(name)}`), body);

/** Words with commas between. */
export const listed = (text: string): string[] =>
  text
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean);
