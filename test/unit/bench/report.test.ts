/** The tables of the benchmark, and the file that they are written into. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lacking, readRequirements } from '../../bench/harness/environment';
import { jsonRecords } from '../../bench/harness/jsonLines';
import { replaceResults } from '../../bench/harness/readme';
import { comparisonTable, figure, markdownTable } from '../../bench/harness/report';
import type { ComparisonResult, ContenderResult } from '../../bench/harness/types';

const OURS: ContenderResult = {
  ...{ contender: 'ours', variant: 'ours', values: [20, 30, 10], peaks: [2e8, 2e8, 2e8] },
  ...{ goal: null, valueRatio: null, peakRatio: null },
};
const RESULT: ComparisonResult = {
  ...{ name: 'lora', title: 'LoRA', unit: 'tokens/s', better: 'higher', faults: [], notes: [] },
  lossDifference: { 'PEFT float32': 2e-7 },
  contenders: [
    OURS,
    {
      ...{ contender: 'PEFT', variant: 'PEFT float32', values: [10, 10, 10], peaks: [4e8, 4e8, 4e8] },
      goal: { value: 2.5, peak: 0.9 },
      valueRatio: { min: 1, median: 2, max: 3 },
      peakRatio: { min: 0.5, median: 0.5, max: 0.5 },
    },
  ],
};

describe('report of the benchmark', () => {
  it('writes a table whose cells are never empty', () => {
    assert.deepEqual(markdownTable(['a', 'b'], [['1', '']]), ['| a | b |', '| --- | --- |', '| 1 | – |']);
  });

  it('shows three digits that say something', () => {
    assert.deepEqual([1234.5, 12.34, 0.01234, 0].map(figure), ['1235', '12.3', '0.0123', '0']);
  });

  it('shows ratios beside their goals, reached or not', () => {
    const [, , row] = comparisonTable([RESULT]);
    const cells = row.split(' | ');
    assert.deepEqual(cells.slice(1, 7), [
      ...['PEFT float32', '20.0', '10.0', 'tokens/s', '1.00 / **2.00** / 3.00', '≥ 2.5 no'],
    ]);
    assert.deepEqual(cells.slice(7, 11), ['200', '400', '0.50 / **0.50** / 0.50', '≤ 0.9 yes']);
    assert.equal(cells[11], '2e-7 apart |');
  });

  it('shows ours alone where nobody else could do the work', () => {
    const [, , row] = comparisonTable([{ ...RESULT, contenders: [OURS] }]);
    assert.match(row, /\| LoRA \| nobody \| 20\.0 \|/);
  });

  it('replaces what stands between the markers and nothing else', () => {
    const text = 'before\n<!-- results -->\nold\n<!-- end of results -->\nafter\n';
    const replaced = replaceResults(text, ['new', '']);
    assert.equal(replaced, 'before\n<!-- results -->\n\nnew\n\n<!-- end of results -->\nafter\n');
    assert.throws(() => replaceResults('no markers', []), /missing/);
  });

  it('reads lines that are JSON objects and no others', () => {
    const lines = [
      { at: 1, text: '{"type":"step"}' },
      { at: 2, text: 'Loading weights' },
      { at: 3, text: '{torn' },
    ];
    assert.deepEqual(jsonRecords(lines), [{ type: 'step', at: 1 }]);
  });
});

describe('requirements of the benchmark', () => {
  const wanted = readRequirements('# peers\ntorch==2.13.0\n\nPEFT==0.21.0 # adapters\n');

  it('are exact versions', () => {
    assert.deepEqual([...wanted.keys()], ['torch', 'peft']);
    assert.throws(() => readRequirements('torch>=2'), /no exact version/);
  });

  it('are met by a build with a local label, not by another version', () => {
    assert.deepEqual(
      lacking(
        wanted,
        new Map([
          ['torch', '2.13.0+cpu'],
          ['peft', '0.21.0'],
        ]),
      ),
      [],
    );
    assert.deepEqual(lacking(wanted, new Map([['torch', '2.13.1']])), ['torch 2.13.0', 'peft 0.21.0']);
  });
});
