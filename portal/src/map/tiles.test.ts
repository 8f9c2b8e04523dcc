import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BORDERED } from "./quads";
import { TILE_BYTES, Tiles, type Wish } from "./tiles";

// where the site is, is asked of the page as soon as a module of api/ is loaded
vi.hoisted(() => vi.stubGlobal("location", new URL("http://a/")));

interface Request {
  address: string;
  signal: AbortSignal;
  answer: (status: number, bytes?: ArrayBuffer | string) => void;
}
let requests: Request[] = [];
const changed = vi.fn();
const stale = vi.fn();
const dropped = vi.fn();
let tiles: Tiles;

const full = (): ArrayBuffer => {
  const bytes = new ArrayBuffer(2 * BORDERED * BORDERED);
  new Uint16Array(bytes)[0] = 7;
  return bytes;
};
const wish = (address: string, urgency = 0): Wish => ({ address, collection: "x", urgency });
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  await vi.advanceTimersByTimeAsync(0);
};
const answer = async (address: string, status = 200, bytes: ArrayBuffer | string = full()): Promise<void> => {
  requests.find((one) => one.address === address && !one.signal.aborted)!.answer(status, bytes);
  requests = requests.filter((one) => one.address !== address);
  await settle();
};
const open = (): string[] => requests.filter(({ signal }) => !signal.aborted).map(({ address }) => address);

beforeEach(() => {
  vi.useFakeTimers();
  requests = [];
  vi.stubGlobal("fetch", (address: string, { signal }: { signal: AbortSignal }) => {
    return new Promise<Response>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
      const reply = (status: number, bytes?: ArrayBuffer | string): void =>
        resolve(new Response(bytes ?? null, { status }));
      requests.push({ address, signal, answer: reply });
    });
  });
  tiles = new Tiles({ bytes: 3 * TILE_BYTES, atOnce: 2, changed, stale, dropped });
});
afterEach(() => {
  tiles.destroy();
  vi.useRealTimers();
  vi.clearAllMocks();
});

describe("asking", () => {
  it("is for the most urgent, a few at once", async () => {
    tiles.want([wish("c", 3), wish("a", 1), wish("b", 2)]);
    expect(open()).toEqual(["a", "b"]);
    await answer("a");
    expect(open()).toEqual(["b", "c"]);
    expect(tiles.get("a")!.state).toBe("here");
    expect(tiles.load).toEqual({ pending: 2, failed: 0, message: null });
  });

  it("stops what is no longer wanted, and may begin it again", async () => {
    tiles.want([wish("a"), wish("b")]);
    tiles.want([wish("b")]);
    expect(open()).toEqual(["b"]);
    tiles.want([wish("a"), wish("b")]);
    await settle();
    expect(open()).toEqual(["b", "a"]);
    await answer("a");
    expect(tiles.get("a")!.state).toBe("here");
  });

  it("does not ask twice", async () => {
    tiles.want([wish("a")]);
    await answer("a");
    tiles.want([]);
    tiles.want([wish("a")]);
    expect(tiles.asked).toBe(1);
  });

  it("goes ahead of what is seen only when nothing else is to be asked", async () => {
    let isDone = false;
    void tiles.ahead([wish("next")]).then(() => (isDone = true));
    tiles.want([wish("a"), wish("b"), wish("c")]);
    expect(open()).toEqual(["next", "a"]);
    await answer("a");
    expect(open()).toEqual(["next", "b"]);
    expect(isDone).toBe(false);
    await answer("next");
    expect(isDone).toBe(true);
  });
});

describe("answers", () => {
  it("without data are empty: all zero, no content, beside the data", async () => {
    tiles.want([wish("zero"), wish("none")]);
    await answer("zero", 200, new ArrayBuffer(2 * BORDERED * BORDERED));
    await answer("none", 404, "{}");
    expect([tiles.get("zero")!.state, tiles.get("none")!.state]).toEqual(["empty", "empty"]);
    expect(tiles.load).toEqual({ pending: 0, failed: 0, message: null });
  });

  it("that fail are asked for again, later and later", async () => {
    tiles.want([wish("a")]);
    await answer("a", 503, '{"detail": "Too busy."}');
    expect(tiles.load).toEqual({ pending: 0, failed: 1, message: "Too busy." });
    await vi.advanceTimersByTimeAsync(600);
    expect(open()).toEqual(["a"]);
    await answer("a", 503, "");
    await vi.advanceTimersByTimeAsync(600);
    expect(open()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1000);
    await answer("a");
    expect(tiles.load).toEqual({ pending: 0, failed: 0, message: null });
    expect(tiles.get("a")!.state).toBe("here");
  });

  it("that are refused are asked for again only when people want it", async () => {
    tiles.want([wish("a")]);
    await answer("a", 413, '{"detail": "Too large."}');
    await vi.advanceTimersByTimeAsync(100_000);
    expect(open()).toEqual([]);
    expect(tiles.load.message).toBe("Too large.");
    tiles.retry();
    expect(open()).toEqual(["a"]);
  });

  it("of another version of the data are told", async () => {
    tiles.want([wish("a")]);
    await answer("a", 409, "{}");
    expect(stale).toHaveBeenCalledExactlyOnceWith("x");
  });

  it("of a wrong length are failures", async () => {
    tiles.want([wish("a")]);
    await answer("a", 200, new ArrayBuffer(12));
    expect(tiles.load.failed).toBe(1);
  });
});

describe("keeping", () => {
  it("is within the bytes: what was not used for longest goes, never what is in sight", async () => {
    for (const name of ["a", "b", "c"]) {
      tiles.want([wish(name)]);
      await answer(name);
    }
    tiles.get("a");
    tiles.want([wish("d")]);
    await answer("d");
    expect(["a", "b", "c", "d"].map((name) => tiles.get(name)?.state)).toEqual(["here", undefined, "here", "here"]);
    expect(dropped.mock.calls.map(([tile]) => (tile as { address: string }).address)).toEqual(["b"]);
    const many = ["e", "f", "g", "h"];
    tiles.want(many.map((name) => wish(name)));
    for (const name of many) await answer(name);
    expect(many.map((name) => tiles.get(name)!.state)).toEqual(["here", "here", "here", "here"]);
  });
});
