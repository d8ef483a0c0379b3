import { decay, groupRate, stateVariable, type Optimiser } from './optimiser';

/** Adam (Kingma & Ba 2014, https://arxiv.org/abs/1412.6980) with decoupled weight decay, as torch.optim.AdamW. */
export const adamw: Optimiser = {
  state: (group) => [stateVariable(group, 'm'), stateVariable(group, 'v')],

  scalars({ update, learningRate, beta1, beta2, epsilon, weightDecay, gradientScale }) {
    const beta1Power = Math.pow(beta1, update);
    const beta2Power = Math.pow(beta2, update);
    // TensorFlow adds epsilon to the root of the uncorrected moment, torch to that of the corrected one.
    const scaledEpsilon = epsilon * Math.sqrt(1 - beta2Power);
    return [
      beta1Power,
      beta2Power,
      learningRate,
      beta1,
      beta2,
      scaledEpsilon,
      learningRate * weightDecay,
      gradientScale,
    ];
  },

  update(graph, group, gradient, scalars, decays) {
    const [beta1Power, beta2Power, rate, beta1, beta2, epsilon, decayRate, scale] = scalars;
    const [m, v] = adamw.state(group);
    const learningRate = groupRate(graph, group, rate);
    const rates = { beta1Power, beta2Power, learningRate, beta1, beta2, epsilon };
    const before = decay(graph, group, decayRate, decays);
    return [graph.applyAdam({ variable: group.variable, m, v }, rates, graph.mul(gradient, scale), before)];
  },
};
