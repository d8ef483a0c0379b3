/** The tokenizer of the practice model, trained on its corpus. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadTokenizer } from '../../../src/tokenizer';
import { trainBpe, writeSentencePieceModel } from '../../../src/tokenizer/training';
import type { Corpus } from './corpus';
import { MAX_LENGTH, PADDED_VOCABULARY, PIECES } from './settings';

/** Of the pairs made from a template one in so many is read, or whole templates would become pieces. */
const TEMPLATE_SHARE = 8;
const TEMPLATED = new Set([
  'capitals',
  'opposites',
  'colors',
  'animals',
  'sums',
  'counting',
  'calendar',
  'repeat',
]);

/** Rarer characters than these are written as bytes; a few records of the corpus teach the model to do so. */
const CHARACTER_COVERAGE = 0.998;
const LONGEST_PIECE = 10;

const TOKENIZER_CONFIG = {
  name_or_path: 'chatglm3-practice-model',
  tokenizer_class: 'ChatGLMTokenizer',
  chat_template_id: 'chatglm3',
  remove_space: false,
  do_lower_case: false,
};

/** Every answer once, and the questions of which enough are in the list already left out. */
export function trainingLines({ trained }: Corpus): string[] {
  const read = trained.filter(({ topic }, index) => !TEMPLATED.has(topic) || index % TEMPLATE_SHARE === 0);
  const answers = new Set(read.map(({ answer }) => answer));
  const translated = (topic: string, index: number) =>
    topic === 'translation' && index % TEMPLATE_SHARE !== 0;
  const questions = read.filter(({ topic }, index) => !translated(topic, index));
  return [...answers, ...questions.map(({ ask }) => ask)];
}

/** Writes `tokenizer.model` and `tokenizer_config.json`; reports pieces and the size of the corpus in tokens. */
export async function writeTokenizer(
  directory: string,
  corpus: Corpus,
): Promise<{ pieces: number; tokens: number; labels: number; longest: number }> {
  mkdirSync(directory, { recursive: true });
  const model = trainBpe(trainingLines(corpus), {
    vocabSize: PIECES,
    characterCoverage: CHARACTER_COVERAGE,
    maxPieceLength: LONGEST_PIECE,
  });
  writeFileSync(path.join(directory, 'tokenizer.model'), writeSentencePieceModel(model));
  writeFileSync(
    path.join(directory, 'tokenizer_config.json'),
    `${JSON.stringify(TOKENIZER_CONFIG, null, 2)}\n`,
  );
  const { template } = await loadTokenizer(directory, { vocabSize: PADDED_VOCABULARY });
  let tokens = 0;
  let labels = 0;
  let longest = 0;
  for (const messages of corpus.records) {
    const sample = template.encodeRecord(
      { kind: 'conversation', messages },
      { maxLength: MAX_LENGTH, maskHistory: false },
    );
    if ('dropped' in sample || sample.truncated > 0)
      throw new Error(`Longer than ${MAX_LENGTH} tokens: ${JSON.stringify(messages)}`);
    tokens += sample.inputIds.length;
    labels += sample.trained;
    longest = Math.max(longest, sample.inputIds.length);
  }
  return { pieces: model.pieces.length, tokens, labels, longest };
}
