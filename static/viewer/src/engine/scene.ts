/** Draws surfaces in space on a canvas with WebGL: lit from where the reader sits, without perspective. */
import type { Point2, Point3 } from "../api/types";
import { t } from "../words";
import { cross, dot } from "./geometry";
import type { Mesh } from "./surface";

export interface Solid {
  mesh: Mesh;
  /** Red, green, blue, 0 to 1. */
  color: Point3;
  /** Drawn brighter than the rest. */
  chosen: boolean;
}

/** A closed line, as of the border of a cut. */
export interface Loop {
  points: Point3[];
  color: Point3;
}

/** From where the scene is seen: what lies to the right and down on the screen, patient directions. */
export interface View {
  right: Point3;
  down: Point3;
  /** Patient mm under the middle of the canvas. */
  centre: Point3;
  /** CSS pixels a millimetre. */
  scale: number;
}

/** From the front, head up. */
export const FRONT: Pick<View, "right" | "down"> = { right: [1, 0, 0], down: [0, 0, -1] };

/** Turned as a ball under the hand: pixels to the right and down. */
export function turnedBy(view: View, dx: number, dy: number): View {
  // To the right: about the screen's upright; down: about its level line.
  const right = spun(view.right, view.down, dx * TURN_SPEED);
  const down = spun(view.down, right, -dy * TURN_SPEED);
  // Rounding adds up over a long drag.
  const unit = (v: Point3) => v.map((x) => x / Math.hypot(...v)) as Point3;
  const kept = unit(right);
  return { ...view, right: kept, down: unit(down.map((x, i) => x - kept[i] * dot(kept, down)) as Point3) };
}

/** Radians a pixel. */
const TURN_SPEED = 0.01;

function spun(v: Point3, axis: Point3, angle: number): Point3 {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const side = cross(axis, v);
  const along = dot(axis, v) * (1 - c);
  return v.map((x, i) => x * c + side[i] * s + axis[i] * along) as Point3;
}

/** Where a point lies on a canvas, CSS pixels, and how far behind the middle, mm. */
export function projected(view: View, size: Point2, point: Point3): { at: Point2; behind: number } {
  const from = point.map((v, i) => v - view.centre[i]) as Point3;
  return {
    at: [size[0] / 2 + dot(from, view.right) * view.scale, size[1] / 2 + dot(from, view.down) * view.scale],
    behind: dot(from, cross(view.right, view.down)),
  };
}

const VERTEX = `#version 300 es
in vec3 place; in vec3 normal;
uniform mat3 turn; uniform vec3 centre; uniform vec3 fit;
out vec3 facing; out float near;
void main() {
  vec3 p = turn * (place - centre);
  facing = turn * normal;
  near = clamp(0.5 - 0.5 * p.z * fit.z, 0.0, 1.0);
  gl_Position = vec4(p.x * fit.x, -p.y * fit.y, p.z * fit.z, 1.0);
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec3 facing; in float near;
uniform vec3 color; uniform float flatly;
out vec4 pixel;
void main() {
  vec3 n = normalize(facing);
  float lit = abs(dot(n, normalize(vec3(-0.35, -0.45, -1.0))));
  float shine = pow(lit, 24.0) * 0.25;
  vec3 shaded = color * (0.3 + 0.7 * lit) * (0.78 + 0.22 * near) + shine;
  // A line has no normal, so nothing of its shading may be mixed in.
  pixel = vec4(flatly > 0.5 ? color : shaded, 1.0);
}`;

interface Buffers {
  array: WebGLVertexArrayObject;
  count: number;
  owned: WebGLBuffer[];
}

export class Scene {
  private readonly gl: WebGL2RenderingContext;
  private readonly canvas: HTMLCanvasElement;
  private readonly program: WebGLProgram;
  private readonly uniforms: Record<string, WebGLUniformLocation | null> = {};
  private readonly made = new Map<Mesh, Buffers>();

  /** Throws where the browser has no WebGL 2. */
  constructor(canvas: HTMLCanvasElement) {
    const gl = canvas.getContext("webgl2", { antialias: true });
    if (!gl) throw new Error(t("This browser can't draw in space."));
    this.gl = gl;
    this.canvas = canvas;
    this.program = programOf(gl);
    for (const name of ["turn", "centre", "fit", "color", "flatly"])
      this.uniforms[name] = gl.getUniformLocation(this.program, name);
    // biome-ignore lint/correctness/useHookAtTopLevel: a call of WebGL, no hook
    gl.useProgram(this.program);
    gl.enable(gl.DEPTH_TEST);
    gl.clearColor(0, 0, 0, 1);
  }

  /** @param size CSS pixels */
  draw(solids: Solid[], loops: Loop[], view: View, size: Point2, reach_mm: number): void {
    const { gl, canvas, uniforms } = this;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = size.map((v) => Math.max(1, Math.round(v * ratio)));
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    gl.viewport(0, 0, width, height);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    const away = cross(view.right, view.down);
    // By columns: the matrix takes patient directions to right, down and away.
    const turn = [0, 1, 2].flatMap((i) => [view.right[i], view.down[i], away[i]]);
    gl.uniformMatrix3fv(uniforms.turn, false, turn);
    gl.uniform3fv(uniforms.centre, view.centre);
    gl.uniform3f(
      uniforms.fit,
      (2 * view.scale) / size[0],
      (2 * view.scale) / size[1],
      1 / Math.max(1, reach_mm),
    );
    const kept = new Set(solids.map(({ mesh }) => mesh));
    for (const [mesh, buffers] of this.made) if (!kept.has(mesh)) this.drop(mesh, buffers);
    gl.uniform1f(uniforms.flatly, 0);
    for (const { mesh, color, chosen } of solids) {
      const buffers = this.made.get(mesh) ?? this.take(mesh);
      gl.uniform3fv(uniforms.color, chosen ? (color.map((v) => 0.75 * v + 0.25) as Point3) : color);
      gl.bindVertexArray(buffers.array);
      gl.drawElements(gl.TRIANGLES, buffers.count, gl.UNSIGNED_INT, 0);
    }
    gl.uniform1f(uniforms.flatly, 1);
    for (const { points, color } of loops) {
      const buffers = this.filled(new Float32Array(points.flat()), null, null);
      gl.uniform3fv(uniforms.color, color);
      gl.bindVertexArray(buffers.array);
      gl.drawArrays(gl.LINE_LOOP, 0, points.length);
      this.free(buffers);
    }
    gl.bindVertexArray(null);
  }

  end(): void {
    for (const [mesh, buffers] of this.made) this.drop(mesh, buffers);
    this.gl.deleteProgram(this.program);
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  private take(mesh: Mesh): Buffers {
    const buffers = this.filled(mesh.positions, mesh.normals, mesh.triangles);
    this.made.set(mesh, buffers);
    return buffers;
  }

  private filled(places: Float32Array, normals: Float32Array | null, triangles: Uint32Array | null): Buffers {
    const { gl, program } = this;
    const array = gl.createVertexArray() as WebGLVertexArrayObject;
    const owned: WebGLBuffer[] = [];
    gl.bindVertexArray(array);
    const bind = (name: string, values: Float32Array | null) => {
      const at = gl.getAttribLocation(program, name);
      if (at < 0 || !values) return;
      const buffer = gl.createBuffer() as WebGLBuffer;
      owned.push(buffer);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, 3, gl.FLOAT, false, 0, 0);
    };
    bind("place", places);
    bind("normal", normals);
    if (triangles) {
      const buffer = gl.createBuffer() as WebGLBuffer;
      owned.push(buffer);
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, triangles, gl.STATIC_DRAW);
    }
    return { array, count: triangles?.length ?? 0, owned };
  }

  private drop(mesh: Mesh, buffers: Buffers): void {
    this.made.delete(mesh);
    this.free(buffers);
  }

  private free({ array, owned }: Buffers): void {
    this.gl.deleteVertexArray(array);
    for (const buffer of owned) this.gl.deleteBuffer(buffer);
  }
}

function programOf(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram() as WebGLProgram;
  for (const [type, text] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(type) as WebGLShader;
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS))
    throw new Error(gl.getProgramInfoLog(program) ?? "The shaders of the view in space don't link.");
  return program;
}
