/** All of WebGL2: programs, textures of tiles and palettes, meshes, and the drawing of layers. Nothing else touches the context. */
import { CORNER, type Mesh } from "./meshes";
import { BORDERED } from "./quads";
import type { Coloring, Stretch } from "./scaling";
import { fragment, recipeKey, tileCount, VERTEX, type Recipe } from "./shaders";
import { TILE_BYTES, type Tile } from "./tiles";

/** Where a mesh lies in a tile: whole cells from its north-west, the rest of them, and how many it spans. */
export interface Spot {
  base: [number, number];
  rest: [number, number];
  size: number;
}

/** A mesh, and for each step of the layer the tile that it is drawn of; null: nothing there. */
export interface Draw {
  mesh: Mesh;
  sources: { tile: Tile | null; spot: Spot }[];
}

export interface Ink {
  recipe: Recipe;
  mixes: number[];
  opacity: number;
  colors?: Uint8Array;
  classes?: number;
  coloring?: Coloring;
  bands?: Stretch[];
  gamma?: number;
}

/** Part of the canvas, in its own pixels from the top left. */
export interface Area {
  left: number;
  top: number;
  width: number;
  height: number;
}

interface Program {
  program: WebGLProgram;
  place: (name: string) => WebGLUniformLocation | null;
}

const FLOAT = 4;
const PALETTES = 64;

export class Painter {
  readonly #gl: WebGL2RenderingContext;
  readonly #bytes: number;
  readonly #programs = new Map<string, Program>();
  readonly #textures = new Map<Tile, WebGLTexture>();
  readonly #palettes = new Map<Uint8Array, WebGLTexture>();
  readonly #grids = new Map<string, { buffer: WebGLBuffer; count: number }>();
  readonly #offsets = new Map<Mesh, number>();
  #corners: WebGLBuffer | null = null;
  #nothing: WebGLTexture | null = null;
  readonly #drawn = new Set<Tile>();

  /** `bytes`: of tiles that are kept in the memory of the graphics card. */
  constructor(gl: WebGL2RenderingContext, bytes: number) {
    this.#gl = gl;
    this.#bytes = bytes;
    this.#corners = gl.createBuffer();
    this.#nothing = this.#texture(gl.R16UI, gl.RED_INTEGER, gl.UNSIGNED_SHORT, BORDERED, BORDERED, null);
    // no map is a mirror image: what turns the other way round lies on the far side of the globe
    gl.enable(gl.CULL_FACE);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.enableVertexAttribArray(0);
    gl.enableVertexAttribArray(1);
  }

  get isSoftware(): boolean {
    const info = this.#gl.getExtension("WEBGL_debug_renderer_info");
    const name = String(this.#gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : this.#gl.RENDERER));
    return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
  }

  has(tile: Tile): boolean {
    return this.#textures.has(tile);
  }

  get held(): number {
    return this.#textures.size * TILE_BYTES;
  }

  upload(tile: Tile): void {
    if (!tile.numbers || this.#textures.has(tile)) return;
    const gl = this.#gl;
    this.#textures.set(
      tile,
      this.#texture(gl.R16UI, gl.RED_INTEGER, gl.UNSIGNED_SHORT, BORDERED, BORDERED, tile.numbers),
    );
  }

  drop(tile: Tile): void {
    this.#gl.deleteTexture(this.#textures.get(tile) ?? null);
    this.#textures.delete(tile);
  }

  /** All meshes of a picture, before it is drawn. */
  meshes(meshes: readonly Mesh[]): void {
    const gl = this.#gl;
    this.#offsets.clear();
    let length = 0;
    for (const mesh of meshes) {
      this.#offsets.set(mesh, length * FLOAT);
      length += mesh.corners.length;
    }
    const all = new Float32Array(length);
    for (const mesh of meshes) all.set(mesh.corners, this.#offsets.get(mesh)! / FLOAT);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#corners);
    gl.bufferData(gl.ARRAY_BUFFER, all, gl.DYNAMIC_DRAW);
  }

  begin(width: number, height: number): void {
    const gl = this.#gl;
    gl.disable(gl.SCISSOR_TEST);
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.SCISSOR_TEST);
  }

  /** What follows is drawn into `pane` of a canvas so high, and seen within `clip`. */
  pane(canvasHeight: number, pane: Area, clip: Area): void {
    const gl = this.#gl;
    gl.viewport(pane.left, canvasHeight - pane.top - pane.height, pane.width, pane.height);
    gl.scissor(clip.left, canvasHeight - clip.top - clip.height, clip.width, clip.height);
  }

  /** `size`: of the pane in CSS pixels; `limb`: middle and radius of the globe in pixels of the canvas from its bottom left. */
  layer(ink: Ink, draws: readonly Draw[], size: [number, number], limb: [number, number, number]): void {
    const gl = this.#gl;
    const { program, place } = this.#program(ink.recipe);
    const tiles = tileCount(ink.recipe);
    gl.useProgram(program);
    gl.uniform2f(place("half_size"), size[0] / 2, size[1] / 2);
    gl.uniform3f(place("limb"), ...limb);
    gl.uniform1f(place("opacity"), Math.max(0, Math.min(1, ink.opacity)));
    gl.uniform1fv(place("mixes"), ink.mixes);
    gl.uniform1iv(
      place("numbers"),
      Array.from({ length: tiles }, (_, at) => at),
    );
    this.#colors(ink, place, tiles);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#corners);
    for (const draw of draws) this.#draw(draw, place);
  }

  destroy(): void {
    const gl = this.#gl;
    for (const texture of this.#textures.values()) gl.deleteTexture(texture);
    for (const texture of this.#palettes.values()) gl.deleteTexture(texture);
    for (const { buffer } of this.#grids.values()) gl.deleteBuffer(buffer);
    for (const { program } of this.#programs.values()) gl.deleteProgram(program);
    gl.deleteTexture(this.#nothing);
    gl.deleteBuffer(this.#corners);
    this.#textures.clear();
    this.#palettes.clear();
    this.#grids.clear();
    this.#programs.clear();
  }

  #colors(ink: Ink, place: Program["place"], unit: number): void {
    const gl = this.#gl;
    if (ink.bands) {
      const of = (name: keyof Stretch): number[] => ink.bands!.map((band) => band[name]);
      gl.uniform3fv(place("anchors"), of("anchor"));
      gl.uniform3fv(place("factors"), of("factor"));
      gl.uniform3fv(place("addends"), of("addend"));
      gl.uniform1f(place("power"), 1 / Math.max(0.01, Math.min(100, ink.gamma || 1)));
      return;
    }
    const { anchor, other, factor, addend, contour, limits } = ink.coloring!;
    gl.uniform3f(place("anchors"), anchor, other.anchor, other.size);
    gl.uniform4f(place("scales"), factor, addend, contour.factor, contour.addend);
    gl.uniform2f(place("limits"), ...limits);
    gl.uniform1f(place("classes"), Math.max(0, Math.min(256, Math.round(ink.classes ?? 0))));
    gl.uniform1i(place("palette"), unit);
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, this.#palette(ink.colors!));
  }

  #draw({ mesh, sources }: Draw, place: Program["place"]): void {
    const gl = this.#gl;
    const offset = this.#offsets.get(mesh);
    if (offset === undefined) return;
    const bases: number[] = [];
    const spots: number[] = [];
    sources.forEach(({ tile, spot }, at) => {
      gl.activeTexture(gl.TEXTURE0 + at);
      gl.bindTexture(gl.TEXTURE_2D, tile ? this.#used(tile) : this.#nothing);
      bases.push(...spot.base);
      spots.push(...spot.rest, spot.size, spot.size);
    });
    gl.uniform2iv(place("bases"), bases);
    gl.uniform4fv(place("spots"), spots);
    const grid = this.#grid(mesh.across, mesh.down);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, grid.buffer);
    // x, y and facing; then the place within the tile
    gl.vertexAttribPointer(0, 3, gl.FLOAT, false, CORNER * FLOAT, offset);
    gl.vertexAttribPointer(1, 2, gl.FLOAT, false, CORNER * FLOAT, offset + 3 * FLOAT);
    gl.drawElements(gl.TRIANGLES, grid.count, gl.UNSIGNED_SHORT, 0);
  }

  #used(tile: Tile): WebGLTexture | null {
    const found = this.#textures.get(tile);
    if (!found) return this.#nothing;
    // the order of a Map is that of its insertions: the front is what was not used for longest
    this.#textures.delete(tile);
    this.#textures.set(tile, found);
    this.#drawn.add(tile);
    return found;
  }

  /** After a picture: textures beyond the bytes go, never those that were just drawn. */
  end(): void {
    let over = this.#textures.size - Math.max(1, Math.floor(this.#bytes / TILE_BYTES));
    for (const tile of this.#textures.keys()) {
      if (over-- <= 0 || this.#drawn.has(tile)) break;
      this.drop(tile);
    }
    this.#drawn.clear();
  }

  #palette(colors: Uint8Array): WebGLTexture | null {
    const known = this.#palettes.get(colors);
    if (known) return known;
    const gl = this.#gl;
    const made = this.#texture(gl.RGB8, gl.RGB, gl.UNSIGNED_BYTE, 256, 1, colors.length >= 768 ? colors : null);
    this.#palettes.set(colors, made);
    for (const [old, texture] of this.#palettes) {
      if (this.#palettes.size <= PALETTES) break;
      gl.deleteTexture(texture);
      this.#palettes.delete(old);
    }
    return made;
  }

  #texture(
    inside: number,
    format: number,
    type: number,
    width: number,
    height: number,
    data: Uint16Array | Uint8Array | null,
  ): WebGLTexture {
    const gl = this.#gl;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, inside, width, height, 0, format, type, data);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
    return texture;
  }

  /** Two triangles for each cell of a grid of corners. */
  #grid(across: number, down: number): { buffer: WebGLBuffer; count: number } {
    const key = `${across} ${down}`;
    const known = this.#grids.get(key);
    if (known) return known;
    const gl = this.#gl;
    const corners = new Uint16Array(6 * across * down);
    let at = 0;
    for (let row = 0; row < down; row++) {
      for (let column = 0; column < across; column++) {
        const first = row * (across + 1) + column;
        const below = first + across + 1;
        corners.set([first, below, first + 1, first + 1, below, below + 1], at);
        at += 6;
      }
    }
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, corners, gl.STATIC_DRAW);
    const made = { buffer, count: corners.length };
    this.#grids.set(key, made);
    return made;
  }

  #program(recipe: Recipe): Program {
    const key = recipeKey(recipe);
    const known = this.#programs.get(key);
    if (known) return known;
    const gl = this.#gl;
    const program = gl.createProgram();
    for (const [kind, source] of [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, fragment(recipe)],
    ] as const) {
      const shader = gl.createShader(kind)!;
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
      gl.deleteShader(shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      const shaders = gl.getAttachedShaders(program) ?? [];
      throw new Error([gl.getProgramInfoLog(program), ...shaders.map((one) => gl.getShaderInfoLog(one))].join("\n"));
    }
    const places = new Map<string, WebGLUniformLocation | null>();
    const place = (name: string): WebGLUniformLocation | null => {
      if (!places.has(name)) places.set(name, gl.getUniformLocation(program, name));
      return places.get(name)!;
    };
    const made = { program, place };
    this.#programs.set(key, made);
    return made;
  }
}
