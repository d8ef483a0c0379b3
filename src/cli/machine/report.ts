/** What `doctor` finds: facts, and every problem with what to do about it. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { EngineReport } from '../../engine/types';
import { choosesPortable, damagedFiles, engineDirectory, glmtuneHome, installedEngine } from '../../install';
import { resolveIndex } from '../../install/indexUrl';
import { GlmError, toErrorData, type ErrorCode } from '../../protocol/errors';
import { describeThrown } from '../../text/errors';
import type { CommandContext } from '../context';
import { openInstalledEngine, openPortableEngine, type Engine, type EngineOptions } from '../engineLoader';
import { formatBytes } from '../format';
import { describeMachine, freeDiskSpace, type Machine } from './machine';

const MIN_NODE_MAJOR = 20;
/** Less is too little even for the practice model beside the engine library. */
const MIN_MEMORY = 1e9;
/** The CPU engine unpacked, with room for what is downloaded meanwhile. */
const INSTALL_BYTES = 1.2e9;

export interface DoctorProblem {
  /** `warning`: the engine runs all the same. */
  severity: 'error' | 'warning';
  code: ErrorCode | 'oldNode' | 'littleMemory' | 'littleDisk' | 'noPracticeModel' | 'selfTest';
  message: string;
  remedy: string;
}

export interface DoctorReport {
  /** Whether the engine can run. */
  ok: boolean;
  version: string;
  machine: Machine;
  engine: {
    /** The portable engine computes, with no library. */
    portable: boolean;
    directory: string;
    installed: boolean;
    variant: string | null;
    /** Null where it could not be loaded. */
    report: EngineReport | null;
  };
  disk: { path: string; free: number | null };
  index_url: string | null;
  practice_model: string | null;
  problems: DoctorProblem[];
}

export async function examine(
  context: CommandContext,
  { engine: chosen }: EngineOptions,
): Promise<DoctorReport> {
  const problems: DoctorProblem[] = [];
  const machine = describeMachine();
  const home = glmtuneHome();
  const free = freeDiskSpace(home);
  const installed = installedEngine(home);
  const portable = choosesPortable(chosen);
  const engineReport = await examineEngine(context, portable, problems);
  checkMachine(context, machine, problems);
  if (!portable && !installed && free !== null && free < INSTALL_BYTES)
    problems.push(littleDisk(context, home, free));
  return {
    ok: engineReport !== null && !problems.some(({ severity }) => severity === 'error'),
    version: context.version,
    machine,
    engine: {
      portable,
      directory: engineDirectory(home),
      installed: installed !== null,
      variant: installed?.variant ?? null,
      report: engineReport,
    },
    disk: { path: home, free },
    index_url: examineIndex(context, problems),
    practice_model: examinePracticeModel(context, problems),
    problems,
  };
}

async function examineEngine(
  context: CommandContext,
  portable: boolean,
  problems: DoctorProblem[],
): Promise<EngineReport | null> {
  const { t } = context;
  try {
    const engine = portable ? await openPortableEngine() : await openSoundEngine();
    const report = await engine.engineReport();
    if (!report.selfTest.ok)
      problems.push({
        severity: 'error',
        code: 'selfTest',
        message: t('The engine computes wrong numbers on this machine (difference {difference}).', {
          difference: report.selfTest.maxDifference.toExponential(1),
        }),
        remedy: portable
          ? t('Install the package again.')
          : t('Install the engine again with "chatglm-finetune install-engine --force".'),
      });
    return report;
  } catch (error) {
    problems.push(thrownProblem(context, error));
    return null;
  }
}

/** The installed engine, where none of its files has changed. Throws `engine.*`. */
async function openSoundEngine(): Promise<Engine> {
  const installed = installedEngine();
  const [damaged] = installed ? await damagedFiles(installed) : [];
  if (damaged !== undefined) throw new GlmError('engine.damaged', { path: damaged });
  return openInstalledEngine();
}

function checkMachine({ t }: CommandContext, machine: Machine, problems: DoctorProblem[]): void {
  if (Number(machine.node.split('.')[0]) < MIN_NODE_MAJOR)
    problems.push({
      severity: 'error',
      code: 'oldNode',
      message: t('Node.js {version} is too old.', { version: machine.node }),
      remedy: t('Install Node.js {version} or later.', { version: MIN_NODE_MAJOR }),
    });
  if (machine.memory.available < MIN_MEMORY)
    problems.push({
      severity: 'warning',
      code: 'littleMemory',
      message: t('Only {free} of {total} memory are free.', {
        free: formatBytes(machine.memory.available),
        total: formatBytes(machine.memory.total),
      }),
      remedy: t('Close other programs, or train on a machine with more memory.'),
    });
}

function littleDisk({ t }: CommandContext, home: string, free: number): DoctorProblem {
  return {
    severity: 'warning',
    code: 'littleDisk',
    message: t('Only {free} are free on the disk of {path}; the engine needs {needed}.', {
      free: formatBytes(free),
      path: home,
      needed: formatBytes(INSTALL_BYTES),
    }),
    remedy: t('Free some space, or set GLMTUNE_HOME to a directory on a larger disk.'),
  };
}

function examineIndex(context: CommandContext, problems: DoctorProblem[]): string | null {
  try {
    return resolveIndex(undefined).url;
  } catch (error) {
    problems.push({ ...thrownProblem(context, error), severity: 'warning' });
    return null;
  }
}

function examinePracticeModel({ t, root }: CommandContext, problems: DoctorProblem[]): string | null {
  const directory = path.join(root, 'media', 'practice-model');
  if (existsSync(path.join(directory, 'config.json'))) return directory;
  problems.push({
    severity: 'warning',
    code: 'noPracticeModel',
    message: t('The practice model is missing from {path}.', { path: directory }),
    remedy: t('Install the package again. Your own models are not affected.'),
  });
  return null;
}

function thrownProblem({ t }: CommandContext, error: unknown): DoctorProblem {
  return { severity: 'error', code: toErrorData(error).code, ...describeThrown(t, error) };
}
