/** What the figures were measured on. */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Gflops } from './bench';
import { installedVersions, readRequirements } from './environment';

export interface MachineDescription {
  date: string;
  cpu: string;
  cores: number;
  /** Vector extensions that decide about speed. */
  instructions: string[];
  memoryBytes: number;
  kernel: string;
  /** One-minute load average before the first measurement: others' work disturbs. */
  load: number;
  /** Of torch's matrix products at 1024 x 1024 x 1024. */
  gflops: Gflops;
  versions: Record<string, string>;
}

const EXTENSIONS = ['avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'avx_ne_convert', 'amx_bf16'];

export async function describeMachine(
  root: string,
  python: string,
  gflops: Gflops,
): Promise<MachineDescription> {
  const flags = new Set(/^flags\s*:(.*)$/m.exec(readText('/proc/cpuinfo'))?.[1].split(' ') ?? []);
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    instructions: EXTENSIONS.filter((name) => flags.has(name)),
    memoryBytes: os.totalmem(),
    kernel: `${os.type()} ${os.release()}`,
    load: os.loadavg()[0],
    gflops,
    versions: { ...ownVersions(root), ...(await peerVersions(root, python)) },
  };
}

function ownVersions(root: string): Record<string, string> {
  const { version } = JSON.parse(readText(path.join(root, 'package.json'))) as { version: string };
  return { 'chatglm-finetune': version, node: process.versions.node };
}

async function peerVersions(root: string, python: string): Promise<Record<string, string>> {
  const wanted = readRequirements(readText(path.join(root, 'test/bench/requirements.txt')));
  const installed = await installedVersions(python);
  return Object.fromEntries([...wanted.keys()].map((name) => [name, installed.get(name) ?? 'missing']));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // no /proc
  }
}

/** As lines of Markdown. */
export function machineLines(machine: MachineDescription): string[] {
  const { float32, bfloat16 } = machine.gflops;
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `- ${machine.cpu}, ${machine.cores} cores (${machine.instructions.join(', ') || 'no vector extension known'}), ` +
      `${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB, ${machine.kernel}, load ${machine.load.toFixed(1)} at the start`,
    `- torch's matrix products: ${Math.round(float32)} GFLOPS in float32, ${Math.round(bfloat16)} in bfloat16`,
    `- ${versions.join(', ')}`,
  ];
}
