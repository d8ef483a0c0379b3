import { decay, groupRate, stateVariable, type Optimiser } from './optimiser';

/**
 * Lion (Chen et al. 2023, https://arxiv.org/abs/2302.06675): the sign of an interpolated momentum. Half of Adam's state; wants a
 * learning rate three to ten times smaller, and a weight decay as much larger. As in transformers the two betas are those of the
 * run (`adam_beta1`, `adam_beta2`).
 */
export const lion: Optimiser = {
  state: (group) => [stateVariable(group, 'm')],

  scalars: ({ learningRate, beta1, beta2, weightDecay, gradientScale }) => [
    learningRate,
    beta1,
    1 - beta1,
    beta2,
    1 - beta2,
    learningRate * weightDecay,
    gradientScale,
  ],

  update(graph, group, gradient, scalars, decays) {
    const [rate, beta1, rest1, beta2, rest2, decayRate, scale] = scalars;
    const [m] = lion.state(group);
    const g = graph.mul(gradient, scale);
    const momentum = graph.read(m);
    const direction = graph.sign(graph.add(graph.mul(momentum, beta1), graph.mul(g, rest1)));
    const next = graph.add(graph.mul(momentum, beta2), graph.mul(g, rest2));
    const before = decay(graph, group, decayRate, decays);
    const step = groupRate(graph, group, rate);
    return [graph.applyGradientDescent(group.variable, step, direction, before), graph.assign(m, next)];
  },
};
