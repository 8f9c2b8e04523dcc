/**
 * Units that people choose to read a variable in. Only where the data say their unit, in a spelling known here:
 * a guess would be a wrong number. `shown = value * scale + offset`.
 *
 * Sources: NIST SP 811 (2008) appendix B for km/h, knot, mile, inch, foot, mmHg, degree Fahrenheit;
 * UDUNITS-2 for spellings; 1 kg of water on a square metre is 1 mm (WMO-No. 8); standard gravity 9.80665 m s-2 (BIPM).
 */
export interface Unit {
  id: string;
  label: string;
  scale: number;
  offset: number;
}

/** How a unit is spelt, and what it is in the first of its family: `base = value * scale + offset`. */
type Member = [id: string, scale: number, offset: number, spellings: string];

const SPEED: Member[] = [
  ["m/s", 1, 0, "m s-1|m/s|m.s-1|m s^-1|m s**-1|meter/second|metre/second|meters/second|m sec-1|mps|meter second-1"],
  ["km/h", 1 / 3.6, 0, "km h-1|km/h|km/hr|kmh-1|kph|km hour-1"],
  ["kn", 1852 / 3600, 0, "knot|knots|kt|kts|kn|international_knot"],
  ["mph", 0.44704, 0, "mph|mile/hour|mi/h|miles/hour"],
];
const LENGTH: Member[] = [
  ["m", 1, 0, "m|meter|metre|meters|metres|m of water equivalent"],
  ["cm", 0.01, 0, "cm|centimeter|centimetre|centimeters|centimetres"],
  ["mm", 0.001, 0, "mm|millimeter|millimetre|millimeters|millimetres"],
  ["km", 1000, 0, "km|kilometer|kilometre|kilometers|kilometres"],
  ["in", 0.0254, 0, "in|inch|inches"],
  ["ft", 0.3048, 0, "ft|foot|feet"],
];
const FAMILIES: Member[][] = [
  [
    ["K", 1, 0, "K|kelvin|kelvins|degK|deg_K|degree_K|degrees_K|degree_kelvin|degrees_kelvin|degreesK|degreeK"],
    [
      "°C",
      1,
      273.15,
      "°C|C|celsius|degC|deg_C|deg C|degree_C|degrees_C|degreeC|degreesC|degree_celsius|degrees_celsius|degree celsius|degrees celsius|degrees c|℃",
    ],
    [
      "°F",
      5 / 9,
      459.67 * (5 / 9),
      "°F|F|fahrenheit|degF|deg_F|deg F|degree_F|degrees_F|degrees_fahrenheit|degree_fahrenheit",
    ],
  ],
  SPEED,
  [
    ["Pa", 1, 0, "Pa|pascal|pascals|N m-2|kg m-1 s-2"],
    ["hPa", 100, 0, "hPa|hectopascal|hectopascals|mbar|mb|millibar|millibars"],
    ["kPa", 1000, 0, "kPa|kilopascal"],
    ["bar", 100_000, 0, "bar|bars"],
    ["mmHg", 133.3224, 0, "mmHg|mm_Hg"],
  ],
  LENGTH,
  [
    ["kg m⁻² s⁻¹", 1, 0, "kg m-2 s-1|kg/m2/s|kg/m^2/s|kg m**-2 s**-1|kg m^-2 s^-1|kg/(m2 s)|mm s-1|mm/s"],
    ["mm per hour", 1 / 3600, 0, "mm h-1|mm/h|mm/hr|mm hr-1|mm hour-1|mm/hour|kg m-2 h-1"],
    ["mm per day", 1 / 86_400, 0, "mm d-1|mm day-1|mm/d|mm/day|kg m-2 d-1|kg m-2 day-1"],
    ["in per day", 25.4 / 86_400, 0, "in d-1|in/day|inch day-1"],
  ],
  [
    ["kg m⁻²", 1, 0, "kg m-2|kg/m2|kg/m^2|kg m**-2|kg m^-2"],
    ["mm", 1, 0, "mm of water equivalent|mm w.e."],
  ],
  [
    ["0 to 1", 1, 0, "fraction|(0 - 1)|(0-1)|0-1|proportion|m3 m-3|m**3 m**-3|m3/m3|m2 m-2|unit fraction"],
    ["%", 0.01, 0, "%|percent|per cent|percentage"],
  ],
  [
    ["kg/kg", 1, 0, "kg kg-1|kg/kg|kg kg**-1|kg kg^-1"],
    ["g/kg", 0.001, 0, "g kg-1|g/kg|g kg**-1"],
  ],
  [
    ["kg m⁻³", 1, 0, "kg m-3|kg/m3|kg m**-3|kg m^-3"],
    ["g m⁻³", 1e-3, 0, "g m-3|g/m3"],
    ["mg m⁻³", 1e-6, 0, "mg m-3|mg/m3|milligram m-3"],
    ["µg m⁻³", 1e-9, 0, "ug m-3|µg m-3|ug/m3|µg/m3|microgram m-3|μg m-3|μg/m3"],
  ],
  [
    ["m² s⁻²", 1, 0, "m2 s-2|m**2 s**-2|m^2 s^-2|m2/s2|m2/s^2"],
    ["gpm", 9.80665, 0, "gpm|geopotential meter|geopotential metre"],
  ],
  [
    ["°", 1, 0, "degree|degrees|deg|arc_degree|degree true|degrees true"],
    ["rad", 180 / Math.PI, 0, "rad|radian|radians"],
  ],
];

const folded = (text: string): string => text.trim().replace(/\s+/g, " ");
/** Case matters to UDUNITS (mm is no Mm, K no k), and some write all in capitals: exact spellings first. */
const exact = new Map<string, [Member[], Member]>();
const loose = new Map<string, [Member[], Member] | null>();
for (const family of FAMILIES)
  for (const member of family)
    for (const spelling of member[3].split("|")) {
      exact.set(spelling, [family, member]);
      const key = spelling.toLowerCase();
      loose.set(key, loose.has(key) && loose.get(key)?.[1] !== member ? null : [family, member]);
    }

function found(units: string): [Member[], Member] | null {
  const text = folded(units);
  // "DEG C" and "Knots" are meant as they look; "Mm" is no millimetre
  const isLoose = text.length > 3 || (text === text.toUpperCase() && text !== "MM" && text.length > 1);
  return exact.get(text) ?? (isLoose ? (loose.get(text.toLowerCase()) ?? null) : null);
}

/** Units that values of these `units` can be read in, the data's own first; only that one where nothing is known. */
export function unitsFor(units: string, range: readonly [number, number] | null = null): Unit[] {
  const own: Unit = { id: "", label: unitLabel(units), scale: 1, offset: 0 };
  const isShare =
    ["1", "", "-"].includes(units.trim()) && units.trim() === "1" && range !== null && range[0] >= 0 && range[1] <= 1;
  const known = isShare ? found("fraction") : found(units);
  if (!known) return [own];
  const [family, from] = known;
  const others = family
    .filter((one) => one !== from)
    .map(([id, scale, offset]) => ({ id, label: id, scale: from[1] / scale, offset: (from[2] - offset) / scale }));
  return [{ ...own, label: isShare ? own.label : from[0] === "0 to 1" ? unitLabel(units) : from[0] }, ...others];
}

/** The chosen unit, or the data's own. */
export function unitOf(units: string, id: string | null, range: readonly [number, number] | null = null): Unit {
  const all = unitsFor(units, range);
  return all.find((one) => id !== null && (one.id === id || one.label === id)) ?? all[0]!;
}

export const inUnit = (value: number, unit: Unit): number => tidy(value * unit.scale + unit.offset);
export const fromUnit = (shown: number, unit: Unit): number => (shown - unit.offset) / unit.scale;
/** Of differences: 1 K is 1 °C, and nothing is added. */
export const differenceInUnit = (value: number, unit: Unit): number => value * unit.scale;

/** Without the dust of binary fractions: 299.15 - 273.15 is 26. */
const tidy = (value: number): number =>
  value === 0 || !Number.isFinite(value) ? value : Number(value.toPrecision(12));

const RAISED: Record<string, string> = {
  "-": "⁻",
  "0": "⁰",
  "1": "¹",
  "2": "²",
  "3": "³",
  "4": "⁴",
  "5": "⁵",
  "6": "⁶",
  "7": "⁷",
  "8": "⁸",
  "9": "⁹",
};

/** A unit as it is printed: "m s**-1" becomes m s⁻¹, "degree_C" °C; without one nothing. */
export function unitLabel(units: string): string {
  const text = folded(units);
  if (["", "1", "-", "unitless", "dimensionless", "none", "None", "~", "(Code table 4.2)"].includes(text)) return "";
  const known = exact.get(text) ?? (/[A-Z]{2}|[A-Z] ?[A-Z]/.test(text) ? found(text) : null);
  if (known && ["K", "°C", "°F", "°", "hPa"].includes(known[1][0])) return known[1][0];
  return text.replace(/(?<=[A-Za-zµ)])(?:\*\*|\^)?(-?\d+)(?![\d.]*[A-Za-z])/g, (_, power: string) =>
    [...power].map((one) => RAISED[one] ?? one).join(""),
  );
}
