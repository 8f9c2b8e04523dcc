/** Places along a drawn line: great circles on a sphere, as far apart as the values are fine. Pure. */

/** Mean radius of the Earth (IUGG R1), km. */
export const EARTH_KM = 6371.0088;
const RAD = Math.PI / 180;
type LonLat = [lon: number, lat: number];
type Vector = [number, number, number];

function vector([lon, lat]: LonLat): Vector {
  const cos = Math.cos(lat * RAD);
  return [cos * Math.cos(lon * RAD), cos * Math.sin(lon * RAD), Math.sin(lat * RAD)];
}

const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** Angle between two directions in radians; exact for small ones too. */
function angle(a: Vector, b: Vector): number {
  const cross = Math.hypot(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]);
  return Math.atan2(cross, dot(a, b));
}

/** Distance on the sphere in km. */
export const distance = (a: LonLat, b: LonLat): number => angle(vector(a), vector(b)) * EARTH_KM;

/** Length of a line in km. */
export const lengthOf = (line: readonly LonLat[]): number =>
  line.slice(1).reduce((all, one, n) => all + distance(line[n]!, one), 0);

export interface Station {
  place: LonLat;
  /** From the start of the line, km. */
  km: number;
}

/**
 * Places along a line, its own corners among them: `most` at most, and none nearer to the next than `finest` km.
 * Longitudes count on from the first (a line over the antimeridian stays a line); corners keep what they were.
 */
export function stations(line: readonly LonLat[], most: number, finest: number): Station[] {
  const legs = line.slice(1).map((one, n) => distance(line[n]!, one));
  const whole = legs.reduce((all, one) => all + one, 0);
  if (!line.length || whole === 0) return line.length ? [{ place: [...line[0]!] as LonLat, km: 0 }] : [];
  const step = Math.max(finest, whole / Math.max(1, most - line.length));
  const found: Station[] = [{ place: [...line[0]!] as LonLat, km: 0 }];
  let km = 0;
  legs.forEach((leg, n) => {
    if (leg === 0) return;
    const parts = Math.max(1, Math.ceil(leg / step - 1e-9));
    for (let one = 1; one <= parts; one++) {
      const place = one === parts ? (line[n + 1] as LonLat) : between(line[n]!, line[n + 1]!, one / parts);
      found.push({ place: follow(place, found.at(-1)!.place[0]), km: km + (leg * one) / parts });
    }
    km += leg;
  });
  return found;
}

/** A place on the great circle between two, `share` of the way. */
export function between(a: LonLat, b: LonLat, share: number): LonLat {
  const [u, v] = [vector(a), vector(b)];
  const whole = angle(u, v);
  if (whole < 1e-12) return a;
  const [p, q] = [Math.sin((1 - share) * whole) / Math.sin(whole), Math.sin(share * whole) / Math.sin(whole)];
  const [x, y, z] = [p * u[0] + q * v[0], p * u[1] + q * v[1], p * u[2] + q * v[2]];
  return [Math.atan2(y, x) / RAD, Math.atan2(z, Math.hypot(x, y)) / RAD];
}

/** The same place with the longitude that is nearest to another. */
function follow([lon, lat]: LonLat, near: number): LonLat {
  return [lon - 360 * Math.round((lon - near) / 360), lat];
}

/**
 * For each station the answered place that is nearest: the server answers each cell once, and the cell nearest to a
 * station is the one that it answered for it.
 */
export function nearest(asked: readonly Station[], answered: readonly LonLat[]): number[] {
  const vectors = answered.map(vector);
  return asked.map(({ place }) => {
    const here = vector(place);
    let [best, most] = [0, -Infinity];
    vectors.forEach((one, n) => {
      const near = dot(here, one);
      if (near > most + 1e-15) [best, most] = [n, near];
    });
    return best;
  });
}
