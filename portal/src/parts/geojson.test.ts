import { describe, expect, test } from "vitest";
import { MOST_VERTICES, readGeoJson, type Answer, type Chosen, type Fault } from "./geojson";

const square = [
  [
    [0, 0],
    [10, 0],
    [10, 10],
    [0, 10],
    [0, 0],
  ],
];
const feature = (geometry: unknown, properties: unknown = null): unknown => ({ type: "Feature", geometry, properties });
const read = (document: unknown): Answer => readGeoJson(JSON.stringify(document), ["Polygon"]);
const shapes = (answer: Answer): Chosen[] => ("shapes" in answer ? answer.shapes : []);
const fault = (answer: Answer): Fault["fault"] | null => ("fault" in answer ? answer.fault : null);

describe("what is no GeoJSON is named", () => {
  test.each([
    ["", "empty"],
    ["  \n", "empty"],
    ["{", "json"],
    ["PK\u0003\u0004", "json"],
    ["<kml></kml>", "json"],
    ["POLYGON((0 0,1 0,1 1,0 0))", "json"],
    ["null", "shape"],
    ["42", "shape"],
    ["[1,2]", "shape"],
    ['"text"', "shape"],
    ["{}", "shape"],
    ['{"type":"Topology","objects":{}}', "shape"],
    ['{"type":"FeatureCollection"}', "shape"],
    ['{"type":"FeatureCollection","features":[]}', "none"],
    ['{"type":"FeatureCollection","features":[null,3,"x",[]]}', "none"],
    ['{"type":"Feature","geometry":null}', "none"],
    ['{"type":"Point","coordinates":[1,2]}', "none"],
    ['{"type":"Polygon","coordinates":[]}', "numbers"],
    ['{"type":"Polygon","coordinates":"x"}', "numbers"],
    ['{"type":"Polygon","coordinates":[[[0,0],[1,null],[1,1],[0,0]]]}', "numbers"],
    ['{"type":"Polygon","coordinates":[[[0,0],[1,1],[0,0]]]}', "numbers"],
    ['{"type":"Polygon","coordinates":[[[0,0],[1,1],[2,2],[0,0]]]}', "numbers"],
    ['{"type":"Polygon","coordinates":[[[1e999,0],[1,1],[2,0],[0,0]]]}', "numbers"],
  ])("%s", (said, expected) => {
    expect(fault(readGeoJson(said, ["Polygon"]))).toBe(expected);
  });
  test("deeply nested lists do not end in an overflow", () => {
    const answer = readGeoJson(`{"type":"Polygon","coordinates":${"[".repeat(50_000)}${"]".repeat(50_000)}}`, [
      "Polygon",
    ]);
    expect(["numbers", "json"]).toContain(fault(answer));
  });
});

test("projected coordinates are told with an example and the file's own system", () => {
  const answer = read({
    type: "FeatureCollection",
    crs: { type: "name", properties: { name: "urn:ogc:def:crs:EPSG::3035" } },
    features: [
      feature({
        type: "Polygon",
        coordinates: [
          [
            [4321000, 3210000],
            [4322000, 3210000],
            [4322000, 3211000],
            [4321000, 3210000],
          ],
        ],
      }),
    ],
  });
  expect(answer).toEqual({ fault: "projected", example: "4321000, 3210000", crs: "urn:ogc:def:crs:EPSG::3035" });
});

test("one projected shape among others refuses them all", () => {
  const far = [
    [
      [500000, 10],
      [500010, 10],
      [500010, 20],
      [500000, 10],
    ],
  ];
  expect(
    fault(
      read({
        type: "FeatureCollection",
        features: [feature({ type: "Polygon", coordinates: square }), feature({ type: "Polygon", coordinates: far })],
      }),
    ),
  ).toBe("projected");
});

test("too many vertices are counted", () => {
  const ring = Array.from({ length: MOST_VERTICES + 1 }, (_, n) => [Math.cos(n / 4000) * 10, Math.sin(n / 4000) * 10]);
  expect(read(feature({ type: "Polygon", coordinates: [[...ring, ring[0]]] }, { name: "Coast" }))).toEqual({
    fault: "vertices",
    name: "Coast",
    vertices: MOST_VERTICES + 2,
  });
});

describe("shapes", () => {
  test("have names, from their properties or their number", () => {
    const collection = [
      feature({ type: "Polygon", coordinates: square }, { NUTS_NAME: "Île-de-France", x: 1 }),
      feature({ type: "Polygon", coordinates: square }, { other: "first of all" }),
      feature({ type: "Polygon", coordinates: square }, { name: { deep: 1 }, code: 7 }),
      feature({ type: "Polygon", coordinates: square }),
      feature({ type: "LineString", coordinates: square[0] }),
    ];
    const answer = read({ type: "FeatureCollection", features: collection });
    expect(shapes(answer).map((one) => one.name)).toEqual(["Île-de-France", "first of all", "7", "4"]);
    expect(answer).toMatchObject({ left: 1 });
  });
  test("are closed, without heights, and wound as RFC 7946 wants", () => {
    const clockwise = [
      [
        [0, 0, 5],
        [0, 10, 5],
        [10, 10, 5],
        [10, 0, 5],
      ],
    ];
    const [shape] = shapes(read({ type: "Polygon", coordinates: clockwise }));
    expect(shape!.geometry.coordinates).toEqual([
      [
        [0, 0],
        [10, 0],
        [10, 10],
        [0, 10],
        [0, 0],
      ],
    ]);
  });
  test("keep holes, lose rings that hold nothing", () => {
    const hole = [
      [2, 2],
      [4, 2],
      [4, 4],
      [2, 2],
    ];
    const nothing = [
      [5, 5],
      [5, 5],
      [5, 5],
      [5, 5],
    ];
    const [shape] = shapes(read({ type: "Polygon", coordinates: [square[0], hole, nothing] }));
    expect((shape!.geometry as GeoJSON.Polygon).coordinates).toEqual([
      square[0],
      [
        [2, 2],
        [4, 4],
        [4, 2],
        [2, 2],
      ],
    ]);
  });
  test("a collection of polygons is one shape of several parts", () => {
    const away = [
      [
        [20, 0],
        [30, 0],
        [30, 10],
        [20, 0],
      ],
    ];
    const [shape] = shapes(
      read({
        type: "GeometryCollection",
        geometries: [
          { type: "Polygon", coordinates: square },
          { type: "Polygon", coordinates: away },
        ],
      }),
    );
    expect(shape!.geometry.type).toBe("MultiPolygon");
  });
  test("points and lines come where they are asked for", () => {
    const point = { type: "Point", coordinates: [13.4, 52.5, 100] };
    expect(shapes(readGeoJson(JSON.stringify(point), ["Point", "LineString"]))[0]!.geometry).toEqual({
      type: "Point",
      coordinates: [13.4, 52.5],
    });
    expect(
      shapes(readGeoJson('\uFEFF{"type":"LineString","coordinates":[[1,2],[3,4]]}', ["LineString"]))[0]!.vertices,
    ).toBe(2);
  });
  test("names with markup stay text", () => {
    const [shape] = shapes(
      read(feature({ type: "Polygon", coordinates: square }, { name: "<img src=x onerror=alert(1)>" })),
    );
    expect(shape!.name).toBe("<img src=x onerror=alert(1)>");
  });
});
