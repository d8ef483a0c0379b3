/** The main job without an editor: fine-tunes the practice model on the tea-shop sample and shows what changed: npm run finetune */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bootstrap, installEngine } from './bootstrap.mjs';
import { main, ROOT, runProduct, say, step } from './lib/run.mjs';

const MODEL = path.join(ROOT, 'media/practice-model');
const SAMPLES = path.join(ROOT, 'media/samples');
const RUN_FILE = path.join(SAMPLES, 'tea-shop.glmtune.json');
const VALIDATION = path.join(SAMPLES, 'tea-shop.validation.jsonl');
/** Asked as in the training data; what it makes of other wordings, the loss on the validation rows tells. */
const QUESTIONS = ['Who are you?', '你是谁？', 'How much is the jasmine tea?'];

await main(async () => {
  await bootstrap();
  await installEngine();
  const directory = freeRunDirectory();
  mkdirSync(directory, { recursive: true });
  const questions = writeQuestions(path.join(ROOT, 'out/finetune'));

  const before = await examine('before fine-tuning', questions, []);
  await step('Fine-tuning with LoRA', () =>
    runProduct(['train', '--config', RUN_FILE, '--run-dir', directory]),
  );
  const after = await examine('after fine-tuning', questions, ['--adapter', path.join(directory, 'adapter')]);

  say();
  for (const [index, question] of QUESTIONS.entries()) {
    say(`Question       ${question}`);
    say(`Answer before  ${before.answers[index]}`);
    say(`Answer after   ${after.answers[index]}`);
    say();
  }
  say(
    `Loss           ${before.loss.toFixed(4)} before, ${after.loss.toFixed(4)} after, on the validation rows`,
  );
  const run = path.relative(ROOT, directory);
  say(`Run directory  ${run}`);
  say(`Talk to it     node dist/cli.js chat --model media/practice-model --adapter ${run}/adapter`);
});

/** `runs/tea-shop`, or the next number when that is taken. */
function freeRunDirectory() {
  for (let number = 1; ; number += 1) {
    const directory = path.join(ROOT, 'runs', number === 1 ? 'tea-shop' : `tea-shop-${number}`);
    if (!existsSync(directory)) return directory;
  }
}

/** The questions as a file for `generate`. */
function writeQuestions(folder) {
  const rows = QUESTIONS.map((content) => ({ messages: [{ role: 'user', content }] }));
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'questions.jsonl');
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return file;
}

/** Greedy answers to the questions, and the mean loss over all label tokens of the validation rows. */
async function examine(when, questions, adapter) {
  const answers = path.join(path.dirname(questions), `answers-${when.split(' ')[0]}.jsonl`);
  const scores = path.join(path.dirname(questions), `scores-${when.split(' ')[0]}.jsonl`);
  const model = ['--model', MODEL, ...adapter];
  await step(`Answers ${when}`, () =>
    runProduct([
      ...['generate', ...model, '--input', questions, '--output', answers],
      ...['--greedy', '--max-new-tokens', '64'],
    ]),
  );
  await step(`Validation loss ${when}`, () =>
    runProduct(['score', ...model, '--input', VALIDATION, '--output', scores]),
  );
  const rows = readRows(scores);
  const tokens = rows.reduce((sum, row) => sum + row.tokens_counted, 0);
  return {
    answers: readRows(answers).map(({ text }) => text.trim()),
    loss: rows.reduce((sum, row) => sum + row.loss * row.tokens_counted, 0) / tokens,
  };
}

function readRows(file) {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line.trim()).map((line) => JSON.parse(line));
}
