/** Checkpoints and data that both sides read, made once in `out/bench/assets` from fixed seeds. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Random } from '../../../src/engine/random';
import type { ModelSizes } from './shapes';

/** Rows of a training file: steps beyond them see the same rows again. */
const DATA_ROWS = 32;
/** Small ids are control tokens. */
const FIRST_TOKEN = 100;

export interface ModelAssets {
  /** Checkpoint directory. */
  model: string;
  /** PEFT adapters with random values: LoRA over all linear layers, and a prefix. */
  lora: string;
  prefix: string;
}

export class Assets {
  constructor(
    private readonly directory: string,
    /** Runs the script that writes checkpoints. */
    private readonly writeCheckpoint: (directory: string, sizes: ModelSizes) => Promise<void>,
    /** Text of that script: what it made before it was changed is made anew. */
    private readonly script: string,
  ) {}

  async model(sizes: ModelSizes): Promise<ModelAssets> {
    const key = createHash('sha256').update(JSON.stringify(sizes) + readFileSync(this.script, 'utf8'));
    const home = path.join(this.directory, `glm-${key.digest('hex').slice(0, 12)}`);
    if (!existsSync(home)) {
      const partial = `${home}.partial`;
      rmSync(partial, { recursive: true, force: true });
      mkdirSync(partial, { recursive: true });
      await this.writeCheckpoint(partial, sizes);
      renameSync(partial, home);
    }
    const inside = (name: string): string => path.join(home, name);
    return { model: inside('model'), lora: inside('lora'), prefix: inside('prefix') };
  }

  /** The ids of the first `count` rows of the data. */
  prompts(vocabulary: number, tokens: number, count: number): number[][] {
    const lines = readFileSync(this.data(vocabulary, tokens), 'utf8').split('\n').slice(0, count);
    return lines.map((line) => (JSON.parse(line) as { input_ids: number[] }).input_ids);
  }

  /** Rows of exactly `tokens` ids, all of them trained: JSON lines of `input_ids` and `labels`. */
  data(vocabulary: number, tokens: number): string {
    const file = path.join(this.directory, `rows-${vocabulary}-${tokens}.jsonl`);
    if (existsSync(file)) return file;
    const random = new Random(tokens, vocabulary);
    const rows = Array.from({ length: DATA_ROWS }, () => {
      const ids = randomIds(random, vocabulary, tokens);
      return JSON.stringify({ input_ids: ids, labels: ids });
    });
    mkdirSync(this.directory, { recursive: true });
    writeFileSync(`${file}.partial`, `${rows.join('\n')}\n`);
    renameSync(`${file}.partial`, file);
    return file;
  }
}

/** Frequent and rare ids, so that there is something to learn and the losses of the first steps differ. */
function randomIds(random: Random, vocabulary: number, count: number): number[] {
  const span = vocabulary - FIRST_TOKEN;
  return Array.from({ length: count }, () => FIRST_TOKEN + Math.floor(span * random.uniform() ** 4));
}
