// Kalman filter of a box that moves steadily (SORT, arXiv 1602.00763; noise as DeepSORT, arXiv 1703.07402).
// The noise of centre x, centre y, aspect and height is independent, so the 8 x 8 filter falls into four of 2 x 2.

/** Noise of a position and of a velocity a step, as a part of the box's height. */
const POSITION = 1 / 20;
const VELOCITY = 1 / 160;

/** One coordinate: value, velocity a step, and their covariance. */
interface Axis {
  x: number;
  v: number;
  xx: number;
  xv: number;
  vv: number;
}

const square = (v: number) => v * v;

function predictAxis(a: Axis, dt: number, position: number, velocity: number): void {
  a.x += dt * a.v;
  a.xx += dt * (2 * a.xv + dt * a.vv) + square(position);
  a.xv += dt * a.vv;
  a.vv += square(velocity);
}

function correctAxis(a: Axis, measured: number, noise: number): void {
  const s = a.xx + square(noise);
  const kx = a.xx / s;
  const kv = a.xv / s;
  const off = measured - a.x;
  a.x += kx * off;
  a.v += kv * off;
  a.vv -= kv * a.xv;
  a.xv -= kx * a.xv;
  a.xx -= kx * a.xx;
}

/** x1 y1 x2 y2 */
export type Box = [number, number, number, number];

/** Centre x, centre y, aspect (width by height), height. */
function measure([x1, y1, x2, y2]: Box): [number, number, number, number] {
  const h = Math.max(y2 - y1, 1e-3);
  return [(x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / h, h];
}

export class BoxFilter {
  private readonly axes: [Axis, Axis, Axis, Axis];

  constructor(box: Box) {
    const [cx, cy, aspect, h] = measure(box);
    const axis = (x: number, position: number, velocity: number): Axis => ({
      x,
      v: 0,
      xx: square(position),
      xv: 0,
      vv: square(velocity),
    });
    const p = 2 * POSITION * h;
    const v = 10 * VELOCITY * h;
    this.axes = [axis(cx, p, v), axis(cy, p, v), axis(aspect, 1e-2, 1e-5), axis(h, p, v)];
  }

  /** Moves on by dt steps (a step is a frame at 30 a second). */
  predict(dt: number): void {
    const h = this.axes[3].x;
    this.axes.forEach((a, i) => {
      if (i === 2) predictAxis(a, dt, 1e-2, 1e-5);
      else predictAxis(a, dt, POSITION * h, VELOCITY * h);
    });
  }

  correct(box: Box): void {
    const seen = measure(box);
    const h = this.axes[3].x;
    this.axes.forEach((a, i) => {
      correctAxis(a, seen[i] as number, i === 2 ? 1e-1 : POSITION * h);
    });
  }

  /** A lost box's height must not shrink or grow on. */
  coast(): void {
    this.axes[3].v = 0;
  }

  get box(): Box {
    const [cx, cy, aspect, height] = this.axes.map((a) => a.x) as [number, number, number, number];
    const h = Math.max(height, 1e-3);
    const w = Math.max(aspect * h, 1e-3);
    return [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2];
  }
}
