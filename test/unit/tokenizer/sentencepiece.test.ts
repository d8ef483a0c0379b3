import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseSentencePieceModel } from '../../../src/tokenizer/sentencepiece/model';
import { SentencePieceProcessor } from '../../../src/tokenizer/sentencepiece/processor';
import { fixture, readJsonFixture } from '../fixtures';

interface Row {
  text: string;
  ids: number[];
  decoded: string;
  normalized: string;
}

function load(relative: string): SentencePieceProcessor {
  const path = fixture(relative);
  return new SentencePieceProcessor(parseSentencePieceModel(readFileSync(path), path), path);
}

const extra = readJsonFixture<Record<'unigram-identity-bytes' | 'bpe-nodummy', { rows: Row[] }>>(
  'tokenizers/sentencepiece-extra/goldens.json',
);

for (const name of ['unigram-identity-bytes', 'bpe-nodummy'] as const) {
  describe(`SentencePiece model ${name}`, () => {
    const processor = load(`tokenizers/sentencepiece-extra/${name}.model`);
    for (const row of extra[name].rows) {
      it(`matches the reference on ${JSON.stringify(row.text.slice(0, 40))}`, () => {
        assert.equal(processor.normalize(row.text), row.normalized);
        assert.deepEqual(processor.encode(row.text), row.ids);
        assert.equal(processor.decode(row.ids), row.decoded);
      });
    }
  });
}

describe('User-defined pieces of a unigram model', () => {
  // Ways to split such a run have nearly equal scores; SentencePiece 0.2.2 gave these ids (262 is the dummy space).
  const processor = load('tokenizers/sentencepiece-extra/unigram-identity-bytes.model');
  for (const [length, expected] of [
    [5, '461 461 5'],
    [7, '461 5 5'],
    [16, '5 5 5 5 5 461'],
    [20, '5 5 5 5 5 461 5 461'],
    [23, '5 5 5 5 5 461 5 461 5'],
    [25, '5 5 5 5 5 5 5 5 461'],
    [26, '5 5 5 5 5 461 5 461 5 5'],
    [35, '5 5 5 5 5 5 5 5 5 5 5 461 461'],
    [38, '5 5 5 5 5 5 5 5 5 5 5 461 461 5'],
  ] as const) {
    it(`splits ${length} equals signs as SentencePiece does`, () => {
      assert.equal(processor.encode('='.repeat(length)).slice(1).join(' '), expected);
    });
  }
});

describe('ChatGLM-6B model: unigram with NFKC rules', () => {
  const processor = load('tokenizers/chatglm-v1/ice_text.model');
  const { strings } = readJsonFixture<{
    strings: {
      text: string;
      preprocessed: string;
      sp_ids: number[];
      sp_decoded: string;
      sptok_ids: number[];
    }[];
  }>('tokenizers/chatglm-v1/goldens.json');
  for (const row of strings) {
    it(`matches the reference on ${JSON.stringify(row.text.slice(0, 40))}`, () => {
      assert.deepEqual(processor.encode(row.text), row.sp_ids);
      assert.deepEqual(processor.encode(row.preprocessed), row.sptok_ids);
      assert.equal(processor.decode(row.sp_ids), row.sp_decoded);
    });
  }
});

for (const family of ['chatglm2', 'chatglm3'] as const) {
  describe(`${family} pieces`, () => {
    const processor = load(`tokenizers/${family}/tokenizer.model`);
    const { strings } = readJsonFixture<{
      strings: { text: string; sp_ids: number[]; sp_decoded: string }[];
    }>(`tokenizers/${family}/goldens.json`);

    it('encodes and decodes every string as SentencePiece does', () => {
      assert.equal(strings.length, 87);
      for (const row of strings) {
        assert.deepEqual(processor.encode(row.text), row.sp_ids, JSON.stringify(row.text));
        assert.equal(processor.decode(row.sp_ids), row.sp_decoded, JSON.stringify(row.text));
      }
    });

    it('gives the same text when ids come one by one, never a broken character', () => {
      for (const row of strings) {
        const decoder = processor.decoder();
        let text = '';
        for (const id of row.sp_ids) {
          const part = decoder.push(id);
          assert.ok(!part.includes('\ufffd'), JSON.stringify(row.text));
          text += part;
        }
        assert.equal(text + decoder.flush(), row.sp_decoded);
      }
    });
  });
}
