/** The programs that turn numbers into colours: one for each way in which a layer is made up. */

/** How a layer is made up; another program for each. */
export interface Recipe {
  kind: "field" | "difference" | "rgb";
  /** Of each part, whether it is blended of two steps. */
  blended: readonly boolean[];
  smooth: boolean;
  contours: boolean;
}

export const recipeKey = ({ kind, blended, smooth, contours }: Recipe): string =>
  `${kind} ${blended.map(Number).join("")} ${Number(smooth)} ${Number(contours)}`;

export const VERTEX = `#version 300 es
layout(location = 0) in vec3 corner;
layout(location = 1) in vec2 share;
uniform vec2 half_size;
out vec2 place;
out float facing;
void main() {
  place = share;
  facing = corner.z;
  gl_Position = vec4(corner.xy / half_size * vec2(1.0, -1.0), 0.0, 1.0);
}`;

export const tileCount = ({ blended }: Recipe): number => blended.reduce((sum, both) => sum + (both ? 2 : 1), 0);

export function fragment(recipe: Recipe): string {
  return `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
in vec2 place;
in float facing;
uniform usampler2D numbers[${tileCount(recipe)}];
// where the mesh lies in each tile, in cells: whole ones, then the rest and the size
uniform ivec2 bases[${tileCount(recipe)}];
uniform vec4 spots[${tileCount(recipe)}];
uniform float mixes[${recipe.blended.length}];
uniform float opacity;
// middle and radius of the globe in pixels of the canvas; radius 0: no globe
uniform vec3 limb;
out vec4 color;
${recipe.kind === "rgb" ? BANDS_IN : COLORS_IN}
const float NONE = -1.0;
${recipe.smooth ? SMOOTH : NEAREST}
// the nearer step decides whether there are data
float blended(float first, float then, float share) {
  if (first < 0.0) return share > 0.5 ? then : NONE;
  if (then < 0.0) return share > 0.5 ? NONE : first;
  return mix(first, then, share);
}
float shown() {
  return limb.z > 0.0 ? clamp(limb.z - distance(gl_FragCoord.xy, limb.xy) + 0.5, 0.0, 1.0) * opacity : opacity;
}
void main() {
${parts(recipe)}
${recipe.kind === "rgb" ? BANDS : colors(recipe)}
}`;
}

function parts({ blended }: Recipe): string {
  let tile = 0;
  const number = (): string => `number(numbers[${tile}], bases[${tile}], spots[${tile++}])`;
  const lines = blended.map((both, part) => {
    const first = number();
    return `  float part${part} = ${both ? `blended(${first}, ${number()}, mixes[${part}])` : first};`;
  });
  return lines.join("\n");
}

const NEAREST = `
float number(usampler2D tile, ivec2 base, vec4 spot) {
  ivec2 at = clamp(base + ivec2(floor(spot.xy + place * spot.zw)), ivec2(-1), ivec2(256)) + 1;
  uint found = texelFetch(tile, at, 0).r;
  return found == 0u ? NONE : float(found);
}`;

/** Of the four cells around, those with data; but nothing where the nearest has none. */
const SMOOTH = `
float number(usampler2D tile, ivec2 base, vec4 spot) {
  vec2 inner = spot.xy + place * spot.zw - 0.5;
  vec2 whole = floor(inner);
  vec2 rest = inner - whole;
  ivec2 at = clamp(base + ivec2(whole), ivec2(-1), ivec2(255)) + 1;
  ivec4 found = ivec4(
    texelFetch(tile, at, 0).r, texelFetch(tile, at + ivec2(1, 0), 0).r,
    texelFetch(tile, at + ivec2(0, 1), 0).r, texelFetch(tile, at + ivec2(1, 1), 0).r);
  int nearest = rest.y < 0.5 ? (rest.x < 0.5 ? found.x : found.y) : (rest.x < 0.5 ? found.z : found.w);
  if (nearest == 0) return NONE;
  vec2 other = 1.0 - rest;
  vec4 weights = vec4(other.x * other.y, rest.x * other.y, other.x * rest.y, rest.x * rest.y);
  weights *= vec4(notEqual(found, ivec4(0)));
  float sum = dot(weights, vec4(found - nearest)) / dot(weights, vec4(1.0));
  return float(nearest) + sum;
}`;

const COLORS_IN = `
uniform sampler2D palette;
// numbers from which the two sides count, and the size of a number of the second in those of the first
uniform vec3 anchors;
// of the sum: factor and addend of the share of the range, factor and addend of the number of contours
uniform vec4 scales;
uniform vec2 limits;
uniform float classes;`;

const colors = (recipe: Recipe): string => {
  const difference = recipe.kind === "difference";
  return `
  bool is_shown = part0 >= 0.0 && facing >= 0.0${difference ? " && part1 >= 0.0" : ""};
  float sum = (part0 - anchors.x)${difference ? " - (part1 - anchors.y) * anchors.z" : ""};
${recipe.contours ? CONTOUR : ""}
  if (!is_shown || sum < limits.x || sum > limits.y) discard;
  float share = clamp(sum * scales.x + scales.y, 0.0, 1.0);
  if (classes > 0.5) share = min(floor(share * classes), classes - 1.0) / max(classes - 1.0, 1.0);
  vec3 found = texelFetch(palette, ivec2(int(share * 255.0 + 0.5), 0), 0).rgb;
${recipe.contours ? "  found = mix(found, dot(found, vec3(0.3, 0.6, 0.1)) > 0.4 ? vec3(0.0) : vec3(1.0), line);" : ""}
  float alpha = shown();
  color = vec4(found * alpha, alpha);`;
};

/** A line where the number of contours is whole, about 1.2 pixels wide; fainter where they come too close. */
const CONTOUR = `
  float level = sum * scales.z + scales.w;
  float slope = max(length(vec2(dFdx(level), dFdy(level))), 1e-6);
  float away = abs(fract(level + 0.5) - 0.5) / slope;
  float line = 0.7 * (1.0 - smoothstep(0.3, 1.3, away)) * (1.0 - smoothstep(0.15, 0.5, slope));`;

const BANDS_IN = `
uniform vec3 factors;
uniform vec3 addends;
uniform vec3 anchors;
uniform float power;`;

const BANDS = `
  if (part0 < 0.0 || part1 < 0.0 || part2 < 0.0 || facing < 0.0) discard;
  vec3 found = clamp((vec3(part0, part1, part2) - anchors) * factors + addends, 0.0, 1.0);
  float alpha = shown();
  color = vec4(pow(found, vec3(power)) * alpha, alpha);`;
