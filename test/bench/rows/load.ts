/** Loading a checkpoint of 4 GB in bfloat16 out of the page cache. */
import { createReadStream, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { SMALL, type ModelSizes } from '../assets/shapes';
import type { Bench } from '../harness/bench';
import { OURS } from '../harness/compare';
import { jsonRecord } from '../harness/jsonLines';
import { runMeasured } from '../harness/measuredProcess';
import type { Comparison, Measurement } from '../harness/types';

/** Seven layers of ChatGLM3-6B's width: 3.9 GB. */
const LARGE: ModelSizes = {
  vocab_size: 65024,
  hidden_size: 4096,
  intermediate_size: 13696,
  num_hidden_layers: 7,
  num_attention_heads: 32,
  num_key_value_heads: 2,
  head_dim: 128,
  max_position_embeddings: 4096,
};

export function loadRows(bench: Bench): Comparison[] {
  let bytes = NaN;
  const measure = async (load: (model: string) => Promise<Measurement>): Promise<Measurement> => {
    const { model } = await bench.assets.model(LARGE);
    bytes = await readAll(model);
    const measured = await load(model);
    return { ...measured, value: measured.value / (bytes / 1e9) };
  };
  return [
    {
      kind: 'comparison',
      name: 'load/4gb',
      set: 'default',
      title: 'loading a checkpoint of 4 GB, bf16, warm page cache',
      unit: 's/GB',
      better: 'lower',
      tolerance: null,
      variants: [
        { name: OURS, contender: OURS, measure: () => measure((model) => loadOurs(bench, model)) },
        {
          name: 'from_pretrained, every page read',
          contender: 'transformers',
          measure: () => measure((model) => loadPeer(bench, model, true)),
        },
        {
          name: 'from_pretrained, mapped only',
          contender: 'transformers, mapped only',
          measure: () => measure((model) => loadPeer(bench, model, false)),
        },
      ],
      async prepare() {
        await bench.assets.model(SMALL);
        await bench.assets.model(LARGE);
      },
      remarks: (measured) =>
        [...measured].map(([name, { peak }]) => `${name}: peak ${(peak / bytes).toFixed(2)}x of the file`),
    },
  ];
}

/** A chat process loads a small model first, so that starting the library does not count, then the large one. */
async function loadOurs(bench: Bench, model: string): Promise<Measurement> {
  const small = await bench.assets.model(SMALL);
  const load = (id: number, directory: string): string =>
    JSON.stringify({ id, method: 'load', params: { model: directory, adapter: null, dtype: 'bfloat16' } });
  const loadedAt: number[] = [];
  const { peak } = await runMeasured(process.execPath, [bench.cli, 'chat', '--stdio'], {
    input: load(1, small.model),
    onLine(line, send) {
      const reply = jsonRecord(line);
      if (!reply) return;
      if (reply.error !== undefined) throw new Error(line.text);
      loadedAt.push(line.at);
      if (reply.id === 1) send(load(2, model));
      if (reply.id === 2) send(JSON.stringify({ id: 3, method: 'shutdown' }));
    },
  });
  return { value: loadedAt[1] - loadedAt[0], peak };
}

async function loadPeer(bench: Bench, model: string, touch: boolean): Promise<Measurement> {
  const { report, peak } = await bench.measurePeer('load.py', { model, touch });
  return { value: Number(report.seconds), peak };
}

/** Brings the weight files into the page cache; resolves to their bytes. */
async function readAll(directory: string): Promise<number> {
  const files = readdirSync(directory)
    .filter((name) => name.endsWith('.safetensors'))
    .map((name) => path.join(directory, name));
  for (const file of files)
    await createReadStream(file, { highWaterMark: 1 << 22 })
      .resume()
      .toArray();
  return files.reduce((sum, file) => sum + statSync(file).size, 0);
}
