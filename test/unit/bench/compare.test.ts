/** The order of rounds, who stays in a comparison, and when two sides have not done the same work. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compare } from '../../bench/harness/compare';
import type { Comparison, Measurement, Variant } from '../../bench/harness/types';

interface Script {
  name: string;
  contender: string;
  /** Values round by round; an error ends it. */
  outcomes: (number | Error)[];
  losses?: number[];
  mostRounds?: number;
}

/** A comparison whose variants answer from a script, and the order in which they were asked. */
function scripted(scripts: Script[], more: Partial<Comparison> = {}): { work: Comparison; order: string[] } {
  const order: string[] = [];
  const variants = scripts.map(({ name, contender, outcomes, losses = [2], mostRounds }): Variant => {
    let round = 0;
    return {
      name,
      contender,
      ...(mostRounds !== undefined && { mostRounds }),
      async measure(): Promise<Measurement> {
        order.push(name);
        const outcome = outcomes[round++];
        if (outcome instanceof Error) throw outcome;
        return { value: outcome, peak: 100 * (scripts.length - order.length), losses };
      },
    };
  });
  const work: Comparison = {
    ...{ kind: 'comparison', name: 'work', set: 'default', title: 'work', unit: 'tokens/s' },
    ...{ better: 'higher', tolerance: 1e-2, variants, prepare: async () => {}, ...more },
  };
  return { work, order };
}

const silent = (): void => {};

describe('comparison', () => {
  it('measures in turn, every other round backwards, and repeats only the fastest of a contender', async () => {
    const { work, order } = scripted([
      { name: 'ours', contender: 'ours', outcomes: [20, 30, 10] },
      { name: 'slow', contender: 'peer', outcomes: [4] },
      { name: 'fast', contender: 'peer', outcomes: [10, 10, 10] },
    ]);
    const result = await compare(work, 3, silent);
    assert.deepEqual(order, ['ours', 'slow', 'fast', 'fast', 'ours', 'ours', 'fast']);
    const [ours, peer] = result.contenders;
    assert.equal(ours.valueRatio, null);
    assert.equal(peer.variant, 'fast');
    assert.deepEqual(peer.valueRatio, { min: 1, median: 2, max: 3 });
    assert.ok(result.notes.some((note) => note.startsWith('slow: 4.00')));
    assert.deepEqual(result.faults, []);
  });

  it('counts fewer seconds as faster where lower is better', async () => {
    const { work, order } = scripted(
      [
        { name: 'ours', contender: 'ours', outcomes: [1, 1] },
        { name: 'slow', contender: 'peer', outcomes: [4] },
        { name: 'fast', contender: 'peer', outcomes: [2, 2] },
      ],
      { better: 'lower' },
    );
    const { contenders } = await compare(work, 2, silent);
    assert.deepEqual(order.slice(3), ['fast', 'ours']);
    assert.deepEqual(contenders[1].valueRatio, { min: 0.5, median: 0.5, max: 0.5 });
  });

  it('goes on without a peer that fails, and not without ours', async () => {
    const { work } = scripted([
      { name: 'ours', contender: 'ours', outcomes: [1, 1] },
      { name: 'broken', contender: 'peer', outcomes: [new Error('no kernel')] },
    ]);
    const result = await compare(work, 2, silent);
    assert.deepEqual(
      result.contenders.map(({ contender }) => contender),
      ['ours'],
    );
    assert.deepEqual(result.notes, ['broken: no kernel']);
    const { work: ownFault } = scripted([
      { name: 'ours', contender: 'ours', outcomes: [new Error('broken')] },
    ]);
    await assert.rejects(compare(ownFault, 1, silent), /broken/);
  });

  it('leaves out of later rounds who takes part in few', async () => {
    const { work, order } = scripted([
      { name: 'ours', contender: 'ours', outcomes: [10, 10, 10] },
      { name: 'peer', contender: 'peer', outcomes: [5, 5, 5] },
      { name: 'side', contender: 'side', outcomes: [2, 4], mostRounds: 2 },
    ]);
    const { contenders } = await compare(work, 3, silent);
    assert.deepEqual(order, ['ours', 'peer', 'side', 'side', 'peer', 'ours', 'ours', 'peer']);
    assert.deepEqual(
      contenders.map(({ values }) => values.length),
      [3, 3, 2],
    );
    assert.deepEqual(contenders[2].valueRatio, { min: 2.5, median: 3.75, max: 5 });
  });

  it('says when losses differ by more than rounding', async () => {
    const { work } = scripted([
      { name: 'ours', contender: 'ours', outcomes: [1], losses: [2, 1.9] },
      { name: 'near', contender: 'near', outcomes: [1], losses: [2.01, 1.9] },
      { name: 'far', contender: 'far', outcomes: [1], losses: [2, 1.5] },
    ]);
    const { faults, lossDifference } = await compare(work, 1, silent);
    assert.equal(faults.length, 1);
    assert.match(faults[0], /losses of far/);
    assert.ok(lossDifference.near < 1e-2);
  });
});
