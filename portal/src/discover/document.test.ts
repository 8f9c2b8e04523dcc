import { describe, expect, it } from "vitest";
import { read, webAddress } from "./document";

describe("a collection's document", () => {
  it("is read as far as it is one", () => {
    const found = read({
      id: "c",
      title: "Sea <b>surface</b>",
      "cube:variables": {
        tos: { description: "SST", unit: "K", standard_name: "sst", dimensions: ["time", "y", 3] },
        bad: 5,
      },
      "cube:dimensions": {
        time: { type: "temporal", values: ["2001-01-01T00:00:00Z", "2001-02-01T00:00:00Z"] },
        y: { type: "spatial", axis: "y", extent: [-90, 90], unit: "degree" },
      },
      providers: [{ name: "Met", roles: ["producer"], url: "javascript:alert(1)" }, { url: "https://x" }, 7],
      links: [{ rel: "license", href: "https://creativecommons.org/licenses/by/4.0/" }],
      "sci:doi": "10.1/x",
    });
    expect(found.title).toBe("Sea <b>surface</b>");
    expect(found.variables.map((one) => one.name)).toEqual(["tos", "bad"]);
    expect(found.variables[0]!.dimensions).toEqual(["time", "y"]);
    expect(found.dimensions[0]).toEqual({
      name: "time",
      kind: "temporal",
      count: 2,
      from: "2001-01-01",
      to: "2001-02-01",
      units: "",
    });
    expect(found.dimensions[1]).toMatchObject({ kind: "y", from: "-90", to: "90", count: null });
    expect(found.providers).toEqual([{ name: "Met", roles: ["producer"], url: null }]);
    expect(found.licenseLink).toBe("https://creativecommons.org/licenses/by/4.0/");
    expect(found.doi).toBe("10.1/x");
  });

  it.each([null, [], 5, "x", { providers: {}, links: 3, "cube:variables": [], keywords: "a" }])(
    "%j is no fault",
    (given) => {
      expect(read(given).variables).toEqual([]);
    },
  );

  it("links only to the web", () => {
    expect(webAddress("javascript:alert(1)")).toBeNull();
    expect(webAddress("/x")).toBeNull();
    expect(webAddress("https://a.b/c")).toBe("https://a.b/c");
  });
});
