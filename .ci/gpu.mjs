/**
 * Verifies the engine on an NVIDIA GPU and measures it against PyTorch there: node .ci/gpu.mjs [verify | bench | profile ...]
 * Needs Linux on x86-64, the driver (`nvidia-smi`), 12 GB of disk and Python 3.9 or later with venv. See test/bench/README.md.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { main, ROOT, run, say, step } from './lib/run.mjs';

const HOME = process.env.GLMTUNE_HOME ?? path.join(ROOT, 'out/gpu/home');
const ENGINE = path.join(HOME, 'engine/libtensorflow-2.21.0-cuda-linux-x64');
const WORK = ['lora/small/bf16', 'lora/medium/bf16', 'qlora/medium', 'full'];

/**
 * TensorFlow multiplies float32 in TF32 on GPUs that have it, which rounds to 10 bits. With it switched off the GPU is held to the
 * tolerances of the CPU; the benchmark runs both sides the same way.
 */
const env = { ...process.env, GLMTUNE_HOME: HOME, NVIDIA_TF32_OVERRIDE: '0', BENCH_DEVICE: 'cuda' };
const product = (...args) => run(process.execPath, ['dist/cli.js', ...args], { env, echo: true });

async function requireGpu() {
  const query = ['--query-gpu=name,driver_version,memory.total,compute_cap', '--format=csv,noheader'];
  try {
    say((await run('nvidia-smi', query, { env })).trim());
  } catch {
    throw new Error('There is no NVIDIA GPU, or its driver is not installed: nvidia-smi does not run.');
  }
}

async function install() {
  await bootstrap();
  await step('Installing the engine with CUDA', () => product('install-engine', '--variant', 'cuda'));
  const report = JSON.parse(await run(process.execPath, ['dist/cli.js', 'doctor', '--json'], { env }));
  const { devices = [], selfTest } = report.engine.report ?? {};
  say(`Devices: ${devices.join(', ')}; self-test: ${JSON.stringify(selfTest)}`);
  if (!report.ok || !devices.some((name) => name.startsWith('GPU')))
    throw new Error(`The engine does not compute on the GPU: ${JSON.stringify(report.problems)}`);
}

/** The reference's fixtures with the tolerances of the CPU (test/fixtures/README.md, section 5), and with the fused functions off. */
async function verify() {
  const files = [
    'forward',
    'gradients',
    'losses',
    'optimisers',
    'training',
    'packed',
    'quantised',
    'generation',
    'selfTest',
  ];
  const { runNodeTests } = await import('./lib/nodeTests.mjs');
  for (const xla of ['on', 'off']) {
    Object.assign(process.env, env, { GLMTUNE_TEST_ENGINE: ENGINE, GLMTUNE_XLA: xla });
    const filters = files.map((name) => `parity/${name}.test`);
    const title = `Comparing with the reference, fused functions ${xla}`;
    const { failed } = await step(title, () =>
      runNodeTests('parity', filters, { args: ['--test-concurrency=1'] }),
    );
    if (failed > 0) process.exitCode = 1;
  }
  delete process.env.GLMTUNE_XLA;
}

async function bench() {
  const args = ['.ci/bench.mjs', '--cli', path.join(ROOT, 'dist/cli.js'), '--out', 'out/gpu/results.json'];
  await run(process.execPath, [...args, ...WORK], { env, echo: true });
}

/** A LoRA step of the practice model's architecture in bfloat16, taken apart. */
async function profile() {
  const directory = path.join(ROOT, 'out/gpu/profile');
  mkdirSync(directory, { recursive: true });
  const rows = Array.from({ length: 16 }, (_, row) => ({
    input_ids: Array.from({ length: 256 }, (__, i) => 64 + ((row * 131 + i * 17) % 400)),
  }));
  writeFileSync(path.join(directory, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const runFile = path.join(directory, 'profile.glmtune.json');
  const model = process.env.GLMTUNE_GPU_MODEL ?? path.join(ROOT, 'media/practice-model');
  const method = { type: 'lora', target_modules: 'all-linear' };
  const training = { dtype: 'bfloat16', batch_size: 4 };
  writeFileSync(
    runFile,
    JSON.stringify({ name: 'profile', model, dataset: { train: 'rows.jsonl' }, method, training }),
  );
  await product('profile', runFile, '--steps', '5');
}

const PARTS = { verify, bench, profile };

await main(async () => {
  const wanted = process.argv.slice(2).length > 0 ? process.argv.slice(2) : Object.keys(PARTS);
  for (const name of wanted)
    if (!(name in PARTS)) throw new Error(`${name} is none of ${Object.keys(PARTS).join(', ')}`);
  await requireGpu();
  await install();
  for (const name of wanted) await PARTS[name]();
});
