import { BRICK } from "./block";

/** One triangle over the canvas; each pixel walks through the voxels along its ray to the first that is drawn. */
export const VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

export const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler3D;
uniform usampler3D numbers;
// least and greatest number of each brick of ${BRICK} x ${BRICK} x ${BRICK}
uniform usampler3D bricks;
uniform sampler2D palette;
uniform ivec3 sides;
uniform vec3 from;
uniform vec3 right;
uniform vec3 up;
uniform vec3 into;
// from places of the box to voxels
uniform vec3 factor;
uniform vec3 addend;
uniform vec2 canvas;
uniform float reach;
// 0 whole, 1 corner, 2 planes
uniform int mode;
uniform ivec3 cut;
uniform bvec3 open;
uniform uvec2 limits;
// share of the range: (number - x) * y + z
uniform vec3 stretch;
uniform float classes;
out vec4 color;

const float SIDE = ${BRICK}.0;

bool is_left(vec3 voxel) {
  if (mode == 0) return true;
  vec3 away = voxel - vec3(cut);
  if (mode == 2) return any(equal(away, vec3(0.0)));
  return any(lessThanEqual(mix(-away, away, open), vec3(0.0)));
}

vec3 colored(uint number) {
  float share = clamp((float(number) - stretch.x) * stretch.y + stretch.z, 0.0, 1.0);
  if (classes > 0.5) share = min(floor(share * classes), classes - 1.0) / max(classes - 1.0, 1.0);
  return texelFetch(palette, ivec2(int(share * 255.0 + 0.5), 0), 0).rgb;
}

void main() {
  vec2 pixel = (gl_FragCoord.xy - canvas * 0.5) / (min(canvas.x, canvas.y) * 0.5) * reach;
  vec3 ray = into + pixel.x * right + pixel.y * up;
  vec3 start = from * factor + addend;
  vec3 pace = ray * factor;
  pace = mix(pace, vec3(1e-9), lessThan(abs(pace), vec3(1e-9)));
  vec3 size = vec3(sides);
  vec3 onward = vec3(greaterThan(pace, vec3(0.0)));
  vec3 way = onward * 2.0 - 1.0;
  vec3 each = abs(1.0 / pace);
  vec3 low = ((1.0 - onward) * size - start) / pace;
  vec3 high = (onward * size - start) / pace;
  float now = max(max(low.x, low.y), max(low.z, 0.0));
  float far = min(high.x, min(high.y, high.z));
  if (now >= far) discard;

  // the borders between what is left and what a cut takes away, along this ray in what is taken away
  vec3 here = vec3(cut);
  vec3 borders = here + 1.0 - onward;
  if (mode == 1) borders = mix(mix(vec3(0.0), here + 1.0, open), mix(here, size, open), onward);

  // the side through which the ray comes in decides its voxel: rounding must not
  vec3 side = step(vec3(now), low);
  vec3 voxel = clamp(floor(start + pace * now), vec3(0.0), size - 1.0);
  voxel = mix(voxel, (1.0 - onward) * (size - 1.0), side);
  vec3 next = (voxel + onward - start) * (1.0 / pace);
  float most = size.x + size.y + size.z;
  bool is_free = false;
  for (float count = 0.0; count <= most; count++) {
    bool left = is_left(voxel);
    bool hollow = false;
    if (left) {
      uvec2 brick = texelFetch(bricks, ivec3(voxel) >> ${Math.log2(BRICK)}, 0).rg;
      hollow = brick.y < max(limits.x, 1u) || brick.x > limits.y;
    }
    if (left && !hollow) {
      uint number = texelFetch(numbers, ivec3(voxel), 0).r;
      if (number > 0u && number >= limits.x && number <= limits.y) {
        // outer faces and cuts have the legend's own colours; what stands free inside gets a little shade to have a shape
        float shade = !is_free || side.y > 0.5 ? 1.0 : side.x > 0.5 ? 0.86 : 0.74;
        color = vec4(colored(number) * shade, 1.0);
        return;
      }
      now = min(next.x, min(next.y, next.z));
      side = step(next, vec3(now));
      voxel += side * way;
      next += side * each;
    } else {
      // what the cut takes away is passed at once, and bricks without anything to be drawn
      vec3 edge = hollow ? (floor(voxel / SIDE) + onward) * SIDE : borders;
      vec3 ahead = (edge - start) / pace;
      if (mode == 2 && !hollow) ahead = mix(ahead, vec3(1e9), lessThanEqual(ahead, vec3(now)));
      now = min(ahead.x, min(ahead.y, ahead.z));
      if (now >= far) discard;
      side = step(ahead, vec3(now));
      voxel = mix(clamp(floor(start + pace * now), vec3(0.0), size - 1.0), edge + onward - 1.0, side);
      next = (voxel + onward - start) / pace;
    }
    is_free = left;
    if (any(lessThan(voxel, vec3(0.0))) || any(greaterThanEqual(voxel, size))) discard;
  }
  discard;
}`;
