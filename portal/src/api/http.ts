import { text } from "../text/en";

/** What a server refused, or a network did not bring: `message` is for people, in the server's own words where it has some. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly status: number,
    /** The parameter at fault, where the server names one. */
    readonly parameter: string | null = null,
    /** All that the server said. */
    readonly body: Record<string, unknown> = {},
  ) {
    super(message);
    this.name = "Failure";
  }

  get isOffline(): boolean {
    return this.status === 0;
  }

  get needsSignIn(): boolean {
    return this.status === 401;
  }
}

/** Whether an error is only that nobody waits any more. */
export const isAborted = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";

/** Asks the server; an answer that is none of 2xx is thrown as a Failure, an abort as AbortError. */
export async function ask(address: URL | string, options: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(address, { credentials: "same-origin", ...options });
  } catch (error) {
    if (isAborted(error)) throw error;
    throw new Failure(text.failure.offline, 0);
  }
  if (!answer.ok) throw await failure(answer);
  return answer;
}

/** The same, for JSON. */
export async function json<T>(address: URL | string, options: RequestInit = {}): Promise<T> {
  const headers = new Headers(options.headers);
  if (!headers.has("Accept")) headers.set("Accept", "application/json");
  return (await (await ask(address, { ...options, headers })).json()) as T;
}

/** Sends JSON and reads JSON (undefined where there is no content). */
export async function send<T>(
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  address: URL | string,
  body?: unknown,
  options: RequestInit = {},
): Promise<T> {
  const headers = new Headers(options.headers);
  headers.set("Accept", "application/json");
  if (body !== undefined) headers.set("Content-Type", "application/json");
  const answer = await ask(address, {
    ...options,
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const said = await answer.text();
  return (said ? JSON.parse(said) : undefined) as T;
}

async function failure(answer: Response): Promise<Failure> {
  let body: Record<string, unknown> = {};
  try {
    const said: unknown = JSON.parse(await answer.text());
    if (typeof said === "object" && said !== null) body = said as Record<string, unknown>;
  } catch {
    // what is not JSON says nothing to people
  }
  const message = [body.detail, body.description, body.message, body.title].find(
    (one) => typeof one === "string" && one,
  );
  const parameter = typeof body.parameter === "string" ? body.parameter : null;
  return new Failure(String(message ?? text.failure.status(answer.status)), answer.status, parameter, body);
}
