import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertOneAnswerEach, corpusJsonl, expandCorpus } from '../../../media/practice-model/make/corpus';
import { SEED } from '../../../media/practice-model/make/settings';
import { trainingLines } from '../../../media/practice-model/make/tokenizer';
import { lintText } from '../../../src/dataset';

describe('corpus of the practice model', () => {
  const corpus = expandCorpus(SEED);
  const text = corpusJsonl(corpus);

  it('is the same every time, and another with another seed', () => {
    assert.equal(corpusJsonl(expandCorpus(SEED)), text);
    assert.notEqual(corpusJsonl(expandCorpus(SEED + 1)), text);
  });

  it('has no finding', () => {
    const lines = text.trimEnd().split('\n');
    assert.ok(lines.length > 5000, `${lines.length} records`);
    const result = lintText(lines);
    assert.deepEqual(result.findings, []);
    assert.equal(result.records, lines.length);
  });

  it('gives every question one answer', () => {
    assertOneAnswerEach([...corpus.trained, ...corpus.heldOut]);
    const [first] = corpus.trained;
    assert.ok(first);
    assert.throws(() => assertOneAnswerEach([first, { ...first, answer: 'another' }]), /Two answers/);
  });

  it('keeps the held-out wordings out of the records', () => {
    const asked = new Set(corpus.records.flat().map(({ content }) => content));
    assert.ok(corpus.heldOut.length > 500);
    assert.deepEqual(
      corpus.heldOut.filter(({ ask }) => asked.has(ask)),
      [],
    );
  });

  it('begins every record with a question and ends it with an answer', () => {
    for (const record of corpus.records) {
      const roles = record.map(({ role }) => role).join(' ');
      assert.match(roles, /^(system )?(user assistant ?)+$/);
    }
  });

  it('covers both languages about equally', () => {
    const english = corpus.trained.filter(({ language }) => language === 'en').length;
    const share = english / corpus.trained.length;
    assert.ok(share > 0.45 && share < 0.55, `${share}`);
  });

  it('does not teach the tokenizer every filled-in template', () => {
    const lines = trainingLines(corpus);
    const sums = lines.filter((line) => /^What is \d+ plus/.test(line));
    assert.ok(sums.length > 0 && sums.length < 40, `${sums.length} sums`);
  });
});
