import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseSentencePieceModel } from '../../../src/tokenizer/sentencepiece/model';
import { SentencePieceProcessor } from '../../../src/tokenizer/sentencepiece/processor';
import { trainBpe, writeSentencePieceModel } from '../../../src/tokenizer/training';
import { fixture, readJsonFixture } from '../fixtures';

const { strings } = readJsonFixture<{ strings: { text: string }[] }>('tokenizers/chatglm3/goldens.json');
const lines = Array.from({ length: 3 }, () => strings.map((row) => row.text)).flat();

describe('Learning a vocabulary', () => {
  const model = trainBpe(lines, { vocabSize: 500 });
  const bytes = writeSentencePieceModel(model);
  const processor = new SentencePieceProcessor(parseSentencePieceModel(bytes, 'x'));

  it('lays the ids out as ChatGLM3 does', () => {
    const texts = model.pieces.map((piece) => piece.text);
    assert.equal(texts.length, 500);
    assert.deepEqual(texts.slice(0, 4), ['<unk>', '<s>', '</s>', '<0x00>']);
    assert.equal(texts.indexOf('<0x0A>'), 13);
    assert.ok(texts.includes('\u2581'));
    assert.equal(new Set(texts).size, texts.length);
    const learnt = model.pieces.slice(259);
    assert.deepEqual(
      learnt.map((piece) => piece.score),
      learnt.map((_, rank) => (rank === 0 ? 0 : -rank)),
    );
  });

  it('writes and reads every text back unchanged', () => {
    assert.deepEqual(parseSentencePieceModel(bytes, 'x'), model);
    for (const { text } of strings) {
      // A typed U+2581 prints as a space, in SentencePiece too.
      assert.equal(processor.decode(processor.encode(text)), text.replaceAll('\u2581', ' '));
    }
  });

  it('gives the same bytes again', () => {
    assert.deepEqual(writeSentencePieceModel(trainBpe(lines, { vocabSize: 500 })), bytes);
  });

  it('merges what is frequent and leaves digits and line breaks alone', () => {
    const small = trainBpe(['the cat the hat 12 12 12\n我们 我们'.repeat(50)], { vocabSize: 290 });
    const learnt = small.pieces.slice(259).map((piece) => piece.text);
    assert.ok(learnt.includes('\u2581the'), learnt.join(' '));
    assert.ok(learnt.includes('我们'), learnt.join(' '));
    assert.ok(learnt.every((text) => !/\d./.test(text) && !text.includes('\n')));
  });

  it('makes texts shorter than characters', () => {
    const characters = strings.reduce((sum, { text }) => sum + [...text].length, 0);
    const tokens = strings.reduce((sum, { text }) => sum + processor.encode(text).length, 0);
    assert.ok(tokens < characters, `${tokens} tokens for ${characters} characters`);
  });

  it('writes the fixture model so that it encodes as before', () => {
    const file = readFileSync(fixture('tokenizers/chatglm3/tokenizer.model'));
    const fixtureModel = parseSentencePieceModel(file, 'x');
    const again = parseSentencePieceModel(writeSentencePieceModel(fixtureModel), 'x');
    assert.deepEqual(again, fixtureModel);
  });

  it('refuses a size without room for anything learnt', () => {
    assert.throws(() => trainBpe(lines, { vocabSize: 259 }), RangeError);
    assert.throws(() => trainBpe(lines, { vocabSize: 400.5 }), RangeError);
  });
});
