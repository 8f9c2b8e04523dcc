import { describe, expect, it } from "vitest";
import { box, nothing, parts, read, toggled, without, written, type Search } from "./query";

const full = (): Search => ({
  q: "sea ice",
  bbox: [170, -10, -170, 10],
  from: "2001-01-01",
  to: "",
  facets: { ...nothing().facets, theme: ["ice", "ocean"], provider: ["Institute, North", "A&B"] },
  sort: "-updated",
});

describe("a search in an address", () => {
  it("comes back as it was", () => {
    expect(read(written(full()))).toEqual(full());
    expect(read(written(nothing()))).toEqual(nothing());
    expect(written(nothing())).toBe("");
  });

  it("is readable", () => {
    const query = written(full());
    expect(query).toContain("q=sea+ice&bbox=170,-10,-170,10&datetime=2001-01-01/..&theme=ice&theme=ocean");
    expect(query).toContain("provider=Institute,+North&provider=A%26B");
  });

  it("leaves out what cannot be", () => {
    const search = read(
      "?bbox=1,2,3&datetime=yesterday/2001&sort=price&theme=&theme=ice&theme=ice&resolution=" + "x".repeat(300),
    );
    expect(search).toEqual({ ...nothing(), facets: { ...nothing().facets, theme: ["ice"] } });
  });
});

describe("a box", () => {
  it.each([
    ["0,50,10,40", null],
    ["0,-91,10,40", null],
    ["5,0,5,10", null],
    ["a,0,5,10", null],
    [",0,5,10", null],
    ["0,0,400,10", null],
    ["-10,40,10,60", [-10, 40, 10, 60]],
    ["170,-5,-170,5", [170, -5, -170, 5]],
  ])("%s", (text, expected) => expect(box(text)).toEqual(expected));
});

describe("parts", () => {
  it("are everything that narrows, and each can be dropped", () => {
    const search = full();
    expect(parts(search)).toHaveLength(7);
    const left = parts(search).reduce(without, search);
    expect(parts(left)).toEqual([]);
    expect(left.sort).toBe("-updated");
  });

  it("toggle", () => {
    const once = toggled(nothing(), "theme", "ice");
    expect(once.facets.theme).toEqual(["ice"]);
    expect(toggled(once, "theme", "ice")).toEqual(nothing());
    expect(nothing().facets.theme).toEqual([]);
  });
});
