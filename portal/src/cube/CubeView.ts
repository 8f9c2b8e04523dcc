/** Draws a block with WebGL2: one 3-D texture of 16-bit numbers. Knows nothing of Svelte. */
import { stretch } from "../map/scaling";
import { bricksOf, sidesOf, type Block, type Voxel } from "./block";
import { eyeOf, halvesOf, openings, toVoxels, type Orbit, type Seen } from "./orbit";
import { FRAGMENT, VERTEX } from "./shaders";

/** How numbers become colours. */
export interface Look {
  /** 256 colours, RGB. */
  colors: Uint8Array;
  range: [number, number];
  classes: number;
}

const REACH = Math.tan((14 * Math.PI) / 180);
const MODES = { whole: 0, corner: 1, planes: 2 } as const;

/** Longest side that a 3-D texture may have here; 0 where there is no WebGL2. */
export function longestSide(): number {
  longest ??= measured();
  return longest;
}
let longest: number | undefined;

function measured(): number {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return 0;
  const most = Math.min(2048, (gl.getParameter(gl.MAX_3D_TEXTURE_SIZE) as number | null) ?? 256);
  // browsers allow few contexts at a time, and the map needs its own
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return most;
}

export class CubeView {
  #gl: WebGL2RenderingContext;
  #program: WebGLProgram | null = null;
  #places = new Map<string, WebGLUniformLocation | null>();
  #numbers: WebGLTexture | null = null;
  #bricks: WebGLTexture | null = null;
  #palette: WebGLTexture | null = null;
  #block: Block | null = null;
  #look: Look | null = null;
  #isLost = false;

  /** Null where the browser has no WebGL2. */
  static of(canvas: HTMLCanvasElement, changed: (isLost: boolean) => void): CubeView | null {
    const gl = canvas.getContext("webgl2", { alpha: true, antialias: false, premultipliedAlpha: true });
    return gl && new CubeView(canvas, gl, changed);
  }

  private constructor(canvas: HTMLCanvasElement, gl: WebGL2RenderingContext, changed: (isLost: boolean) => void) {
    this.#gl = gl;
    canvas.addEventListener("webglcontextlost", (event) => {
      // without this a browser never gives the context back
      event.preventDefault();
      this.#isLost = true;
      changed(true);
    });
    canvas.addEventListener("webglcontextrestored", () => {
      this.#isLost = false;
      this.#begin();
      this.block = this.#block;
      this.look = this.#look;
      changed(false);
    });
    this.#begin();
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  #begin(): void {
    const gl = this.#gl;
    this.#numbers = this.#bricks = this.#palette = null;
    this.#places.clear();
    const program = gl.createProgram();
    for (const [kind, source] of [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ] as const) {
      const shader = gl.createShader(kind)!;
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
      gl.deleteShader(shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost())
      throw new Error(gl.getProgramInfoLog(program) ?? "link");
    this.#program = program;
  }

  set block(block: Block | null) {
    this.#block = block;
    const gl = this.#gl;
    gl.deleteTexture(this.#numbers);
    gl.deleteTexture(this.#bricks);
    this.#numbers = this.#bricks = null;
    if (!block || this.#isLost) return;
    const bricks = bricksOf(block);
    gl.activeTexture(gl.TEXTURE0);
    this.#numbers = this.#volume(sidesOf(block), gl.R16UI, gl.RED_INTEGER, block.numbers);
    this.#bricks = this.#volume(bricks.sides, gl.RG16UI, gl.RG_INTEGER, bricks.numbers);
  }

  #volume([width, height, depth]: Voxel, kind: number, format: number, numbers: Uint16Array): WebGLTexture {
    const gl = this.#gl;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_3D, texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 2);
    gl.texImage3D(gl.TEXTURE_3D, 0, kind, width, height, depth, 0, format, gl.UNSIGNED_SHORT, numbers);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_3D, name, gl.NEAREST);
    return texture;
  }

  set look(look: Look | null) {
    this.#look = look;
    const gl = this.#gl;
    gl.deleteTexture(this.#palette);
    this.#palette = null;
    if (!look || this.#isLost) return;
    this.#palette = gl.createTexture();
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.#palette);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB8, 256, 1, 0, gl.RGB, gl.UNSIGNED_BYTE, look.colors);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
  }

  /** How long the last picture takes, in milliseconds; once it is done. */
  async took(): Promise<number> {
    const gl = this.#gl;
    const began = performance.now();
    const done = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    while (done && !gl.isContextLost()) {
      const state = gl.clientWaitSync(done, 0, 0);
      if (state !== gl.TIMEOUT_EXPIRED) break;
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    gl.deleteSync(done);
    return performance.now() - began;
  }

  /** Into the canvas as large as it is. */
  draw(orbit: Orbit, seen: Seen): void {
    const gl = this.#gl;
    const [width, height] = [gl.drawingBufferWidth, gl.drawingBufferHeight];
    if (this.#isLost || gl.isContextLost()) return;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const [block, look] = [this.#block, this.#look];
    if (!block || !look || !this.#numbers || !this.#palette) return;
    gl.useProgram(this.#program);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_3D, this.#numbers);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.#palette);
    gl.activeTexture(gl.TEXTURE2);
    gl.bindTexture(gl.TEXTURE_3D, this.#bricks);
    gl.uniform1i(this.#place("bricks"), 2);
    gl.uniform1i(this.#place("numbers"), 0);
    gl.uniform1i(this.#place("palette"), 1);
    this.#see(orbit, seen, block, [width, height]);
    const { anchor, factor, addend } = stretch(block.variable.scale, block.variable.offset, look.range);
    gl.uniform3f(this.#place("stretch"), anchor, factor, addend);
    gl.uniform1f(this.#place("classes"), look.classes);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  #see(orbit: Orbit, seen: Seen, block: Block, canvas: [number, number]): void {
    const gl = this.#gl;
    const sides: Voxel = sidesOf(block);
    const eye = eyeOf(orbit);
    for (const name of ["from", "right", "up", "into"] as const) gl.uniform3fv(this.#place(name), eye[name]);
    const { factor, addend } = toVoxels(halvesOf(block.bbox), sides);
    gl.uniform3fv(this.#place("factor"), factor);
    gl.uniform3fv(this.#place("addend"), addend);
    gl.uniform3i(this.#place("sides"), ...sides);
    gl.uniform2f(this.#place("canvas"), ...canvas);
    gl.uniform1f(this.#place("reach"), REACH);
    gl.uniform1i(this.#place("mode"), MODES[seen.mode]);
    gl.uniform3i(this.#place("cut"), ...seen.cut);
    const open = openings(eye).map(Number) as [number, number, number];
    gl.uniform3i(this.#place("open"), ...open);
    gl.uniform2ui(this.#place("limits"), ...seen.limits);
  }

  #place(name: string): WebGLUniformLocation | null {
    let found = this.#places.get(name);
    if (found === undefined) {
      found = this.#program && this.#gl.getUniformLocation(this.#program, name);
      this.#places.set(name, found);
    }
    return found;
  }

  /** Gives all memory of the graphics back. */
  end(): void {
    this.block = null;
    this.look = null;
    this.#gl.deleteProgram(this.#program);
    this.#gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}
