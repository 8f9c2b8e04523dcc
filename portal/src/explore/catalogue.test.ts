import { describe, expect, it, vi } from "vitest";
import { coverage } from "./catalogue";
import { usualRange } from "./seen";

// addresses are of the page, and here is none
vi.hoisted(() => void vi.stubGlobal("location", { href: "http://h/" }));

describe("collections", () => {
  it("cover a share of the Earth, also over the date line", () => {
    expect(coverage({ bbox: [-180, -90, 180, 90] })).toBe(1);
    expect(coverage({ bbox: [170, -45, -170, 45] })).toBeCloseTo((20 / 360) * 0.5);
    expect(coverage({ bbox: null })).toBe(0);
  });
});

describe("a range that fits what is seen", () => {
  it("leaves out the outermost values, and is never empty", () => {
    const values = Array.from({ length: 101 }, (_, index) => index);
    expect(usualRange([...values, 1e9])).toEqual([2, 99]);
    expect(usualRange([5, 5, 5])).toEqual([4.95, 5.05]);
    expect(usualRange([0])).toEqual([-0.01, 0.01]);
    expect(usualRange([])).toBeNull();
  });
});
