import { decay, groupRate, stateVariable, type Optimiser } from './optimiser';

/** Adam (Kingma & Ba 2014, https://arxiv.org/abs/1412.6980) with decoupled weight decay, as torch.optim.AdamW. */
export const adamw: Optimiser = {
  state: (group) => [stateVariable(group, 'm'), stateVariable(group, 'v')],

  scalars({ update, learningRate, beta1, beta2, epsilon, weightDecay, gradientScale }) {
    // The library subtracts the betas from 1 in float32, which puts a constant factor on each moment: it is taken out again here,
    // and the bias corrections are computed here as well. Otherwise steps are off by 1e-5.
    const factor1 = (1 - Math.fround(beta1)) / (1 - beta1);
    const factor2 = Math.sqrt((1 - Math.fround(beta2)) / (1 - beta2));
    const correction2 = factor2 * Math.sqrt(1 - Math.pow(beta2, update));
    return [
      (learningRate * correction2) / (factor1 * (1 - Math.pow(beta1, update))),
      beta1,
      beta2,
      // It adds epsilon to the root of the uncorrected moment, torch to that of the corrected one.
      epsilon * correction2,
      learningRate * weightDecay,
      gradientScale,
    ];
  },

  update(graph, group, gradient, scalars, decays) {
    const [rate, beta1, beta2, epsilon, decayRate, scale] = scalars;
    const zero = graph.scalar(0, 'float32');
    const [m, v] = adamw.state(group);
    const learningRate = groupRate(graph, group, rate);
    const rates = { beta1Power: zero, beta2Power: zero, learningRate, beta1, beta2, epsilon };
    const before = decay(graph, group, decayRate, decays);
    return [graph.applyAdam({ variable: group.variable, m, v }, rates, graph.mul(gradient, scale), before)];
  },
};
