/** Makes the practice model step by step; names of steps as arguments run those alone. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { modelCard } from './card';
import { checkModel, type CheckResult } from './check';
import { exportBFloat16, writeSeedModel } from './checkpoint';
import { corpusJsonl, expandCorpus } from './corpus';
import { pretrain, pretrainingResult, trainedModel } from './pretrain';
import { CORPUS_FILE, SEED, SEED_MODEL, SHIPPED, WORK } from './settings';
import { writeTokenizer } from './tokenizer';

const REQUIRED_SHARE = 0.9;

const corpus = expandCorpus(SEED);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function reportCheck({ trained, heldOut, byTopic, wrong }: CheckResult): void {
  for (const { group, ask, expected, answer } of wrong)
    say(
      `  ${group}: ${ask}\n    expected ${JSON.stringify(expected)}\n    answered ${JSON.stringify(answer)}`,
    );
  for (const [topic, { right, asked }] of byTopic) say(`  ${topic}: ${right} of ${asked}`);
  say(
    `  trained wording: ${trained.right} of ${trained.asked}; new wording: ${heldOut.right} of ${heldOut.asked}`,
  );
}

const steps: Record<string, () => void | Promise<void>> = {
  corpus() {
    writeFileSync(CORPUS_FILE, corpusJsonl(corpus));
    say(`  ${corpus.records.length} records`);
  },
  async tokenizer() {
    const { pieces, tokens, labels, longest } = await writeTokenizer(SEED_MODEL, corpus);
    say(
      `  ${pieces} pieces; the corpus is ${tokens} tokens, ${labels} of them trained, the longest record ${longest}`,
    );
  },
  weights() {
    const { parameters } = writeSeedModel(SEED_MODEL, SEED);
    say(`  ${parameters} parameters`);
  },
  train: pretrain,
  export() {
    exportBFloat16(trainedModel(), SEED_MODEL, SHIPPED);
  },
  check() {
    const check = checkModel(SHIPPED, corpus);
    reportCheck(check);
    if (check.trained.right < REQUIRED_SHARE * check.trained.asked)
      throw new Error('Too few right answers; the model card is left as it was');
    const done = pretrainingResult();
    const { parameters } = writeSeedModel(SEED_MODEL, SEED);
    const facts = {
      parameters,
      records: corpus.records.length,
      bytes: statSync(path.join(SHIPPED, 'model.safetensors')).size,
      steps: done.steps,
      firstLoss: done.first_loss,
      lastLoss: done.last_loss,
      check,
    };
    writeFileSync(path.join(SHIPPED, 'README.md'), modelCard(facts));
  },
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(steps, name));
if (unknown.length > 0)
  throw new Error(`No such step: ${unknown.join(', ')}; there are ${Object.keys(steps).join(', ')}`);
mkdirSync(WORK, { recursive: true });
mkdirSync(SEED_MODEL, { recursive: true });
for (const [name, step] of Object.entries(steps)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  say(`${name}:`);
  await step();
}
