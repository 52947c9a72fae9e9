import { expect, test } from "vitest";
import { COUNT, deviation, pointsOf, shares } from "./test-points.ts";
import { circles, moons, pinwheel, sCurve, spirals, swissRoll } from "./toy-curves.ts";

const clean = { count: COUNT, noise: 0, seed: 5 };

test("the swiss roll without noise is the spiral of radius t/10 at angle t, t uniform in 3π/2…9π/2", () => {
  const ts = pointsOf(swissRoll(clean)).map(([x, y]) => {
    const t = 10 * Math.hypot(x, y);
    expect(Math.abs(x * Math.sin(t) - y * Math.cos(t))).toBeLessThan(1e-5);
    return t;
  });
  expect(Math.min(...ts)).toBeGreaterThan(1.5 * Math.PI - 1e-5);
  expect(Math.max(...ts)).toBeLessThan(4.5 * Math.PI + 1e-5);
  const inFirstThird = ts.filter((t) => t < 2.5 * Math.PI).length;
  expect(deviation(inFirstThird, COUNT, 1 / 3)).toBeLessThan(4);
  // Uniform in length along the spiral instead would put 1/3·(2/3) of the points there.
  expect(deviation(inFirstThird, COUNT, 2 / 9)).toBeGreaterThan(4);
});

test("the moons without noise are two half circles with half of the points each", () => {
  const points = pointsOf(moons(clean));
  const upper = points.filter(([x, y]) => Math.abs(Math.hypot(x, y) - 1) < 1e-6 && y > -1e-6);
  const lower = points.filter(([x, y]) => Math.abs(Math.hypot(x - 1, y - 0.5) - 1) < 1e-6 && y < 0.5 + 1e-6);
  expect(upper.length + lower.length).toBe(COUNT);
  expect(deviation(upper.length, COUNT, 0.5)).toBeLessThan(4);
  const steep = upper.filter(([x]) => x > Math.SQRT1_2).length;
  expect(deviation(steep, upper.length, 1 / 4)).toBeLessThan(4);
});

test("the circles without noise have radius 1 and ½, with half of the points each, at even angles", () => {
  const points = pointsOf(circles(clean));
  const [outer, inner] = [1, 0.5].map((radius) =>
    points.filter(([x, y]) => Math.abs(Math.hypot(x, y) - radius) < 1e-6),
  ) as [typeof points, typeof points];
  expect(outer.length + inner.length).toBe(COUNT);
  expect(deviation(outer.length, COUNT, 1 / 2)).toBeLessThan(4);
  // Uniform in length over both would put two thirds on the outer one.
  expect(deviation(outer.length, COUNT, 2 / 3)).toBeGreaterThan(4);
  for (const circle of [outer, inner]) {
    const eighths = circle.map(([x, y]) => Math.floor((Math.atan2(y, x) / (2 * Math.PI) + 1) * 8) % 8);
    expect(Math.max(...shares(8, eighths))).toBeLessThan(4);
  }
});

test("the spirals without noise are two arms of radius 0.15 t at angle t, t² uniform in 0…9π²", () => {
  const arms = pointsOf(spirals(clean)).map(([x, y]) => {
    const t = Math.hypot(x, y) / 0.15;
    expect(Math.abs(x * Math.sin(t) - y * Math.cos(t))).toBeLessThan(1e-5);
    return { t, first: x * Math.cos(t) + y * Math.sin(t) > 0 };
  });
  expect(Math.max(...arms.map(({ t }) => t))).toBeLessThan(3 * Math.PI + 1e-5);
  expect(deviation(arms.filter(({ first }) => first).length, COUNT, 1 / 2)).toBeLessThan(4);
  for (const arm of [arms.filter(({ first }) => first), arms.filter(({ first }) => !first)]) {
    const near = arm.filter(({ t }) => t < 1.5 * Math.PI).length;
    expect(deviation(near, arm.length, 1 / 4)).toBeLessThan(4);
    // Uniform in t would put half of the points there.
    expect(deviation(near, arm.length, 1 / 2)).toBeGreaterThan(4);
  }
});

test("the S without noise is three quarters of two circles, even along it", () => {
  const points = pointsOf(sCurve(clean));
  const sixths = points.map(([x, y]) => {
    expect(Math.abs(Math.hypot(x, Math.abs(y) - 1) - 1)).toBeLessThan(1e-6);
    // Turned to the upper half, the angle from the middle of the S.
    const [a, b] = y < 0 ? [-x, -y] : [x, y];
    const angle = (Math.atan2(-a, 1 - b) + 2 * Math.PI) % (2 * Math.PI);
    expect(angle).toBeLessThan(1.5 * Math.PI + 1e-5);
    return Math.min(2, Math.floor(angle / (Math.PI / 2))) + (y < 0 ? 3 : 0);
  });
  expect(Math.max(...shares(6, sixths))).toBeLessThan(4);
  const top = points.filter(([x, y]) => y > 0 && x > 0).length;
  expect(deviation(top, COUNT, 1 / 6)).toBeLessThan(4);
  // A whole circle above would have a quarter of the points right of its middle.
  expect(deviation(top, COUNT, 1 / 4)).toBeGreaterThan(4);
});

/** The blade, 0…4, of a point at radius r, and how far its angle is from that blade's. */
function bladeOf([x, y]: readonly [number, number], r: number): { index: number; off: number } {
  const turns = ((-Math.atan2(Math.sign(r) * y, Math.sign(r) * x) - Math.exp(r) / 4) / (2 * Math.PI)) * 5;
  return { index: ((Math.round(turns) % 5) + 5) % 5, off: Math.abs(turns - Math.round(turns)) };
}

test("the pinwheel without noise is five blades, −angle = 2πk/5 + e^r/4, of normal radius 1 ± 0.3", () => {
  const found = pointsOf(pinwheel(clean)).map((point) => {
    const r = Math.hypot(...point);
    const [near, far] = [bladeOf(point, r), bladeOf(point, -r)];
    // A few radii in ten thousand are negative: those points lie beyond the origin.
    return near.off < 1e-4 ? { r, ...near } : { r: -r, ...far };
  });
  expect(Math.max(...found.map(({ off }) => off))).toBeLessThan(1e-4);
  expect(
    Math.max(
      ...shares(
        5,
        found.map(({ index }) => index),
      ),
    ),
  ).toBeLessThan(4);
  const within = found.filter(({ r }) => Math.abs(r - 1) < 0.3).length;
  expect(deviation(within, COUNT, 0.682689)).toBeLessThan(4);
  // The share of a deviation of 0.33.
  expect(deviation(within, COUNT, 0.636686)).toBeGreaterThan(4);
  expect(deviation(found.filter(({ r }) => r > 1.6).length, COUNT, 0.02275)).toBeLessThan(4);
  expect(deviation(found.filter(({ r }) => r < 0.4).length, COUNT, 0.02275)).toBeLessThan(4);
});
