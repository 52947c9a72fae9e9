/** Gauss–Legendre rule of four points on [−1, 1], exact to degree 7 (Abramowitz & Stegun, table 25.4). */
const RULE: readonly (readonly [place: number, weight: number])[] = [0.3399810435848563, 0.8611363115940526].flatMap(
  (place) => {
    const weight = place < 0.5 ? 0.6521451548625461 : 0.3478548451374538;
    return [
      [-place, weight],
      [place, weight],
    ] as const;
  },
);

/**
 * Weights w with ∫_from^to f ≈ Σ_j w_j f(nodes_j), exact for polynomials of degree below the number of nodes (at most 8): those
 * of Adams–Bashforth where `to` lies beyond the nodes, of Adams–Moulton where it is one of them (Hairer, Nørsett & Wanner 1993,
 * Solving Ordinary Differential Equations I, section III.5, for steps of any lengths).
 * @param nodes distinct places
 */
export function adamsWeights(nodes: readonly number[], from: number, to: number): number[] {
  const [middle, half] = [(from + to) / 2, (to - from) / 2];
  return nodes.map((node) => {
    const others = nodes.filter((other) => other !== node);
    const lagrange = (x: number): number =>
      others.reduce((product, other) => (product * (x - other)) / (node - other), 1);
    return half * RULE.reduce((sum, [place, weight]) => sum + weight * lagrange(middle + half * place), 0);
  });
}
