/** `doctor`: can the engine run here, and if not, what to do about it. */
import type { CommandContext } from '../context';
import type { EngineOptions } from '../engineLoader';
import { examine, type DoctorReport } from './report';
import { EXIT_FAILURE, EXIT_OK } from '../exit';
import { printFacts, type Fact } from '../facts';
import { formatBytes } from '../format';

export async function doctor(context: CommandContext, options: EngineOptions): Promise<number> {
  const { output } = context;
  const report = await examine(context, options);
  if (output.json) output.record(report);
  else print(context, report);
  return report.ok ? EXIT_OK : EXIT_FAILURE;
}

function print({ output, t }: CommandContext, report: DoctorReport): void {
  printFacts(output, factsOf(t, report));
  for (const { severity, message, remedy } of report.problems) {
    output.result('');
    const label = severity === 'error' ? t('Problem:') : t('Warning:');
    output.result(`${label} ${message}`);
    output.result(`  ${remedy}`);
  }
  output.result('');
  output.result(
    report.ok ? t('The engine runs on this machine.') : t('The engine cannot run on this machine yet.'),
  );
}

function factsOf(t: CommandContext['t'], report: DoctorReport): Fact[] {
  const { machine, engine, disk } = report;
  const unknown = t('unknown');
  const facts: Fact[] = [
    ['chatglm-finetune', report.version],
    ['Node.js', machine.node],
    [t('Platform'), machine.glibc ? `${machine.platform}, glibc ${machine.glibc}` : machine.platform],
    [
      t('Memory'),
      t('{free} of {total} free', {
        free: formatBytes(machine.memory.available),
        total: formatBytes(machine.memory.total),
      }),
    ],
    [
      t('Disk'),
      disk.free === null
        ? unknown
        : t('{free} free for {path}', {
            free: formatBytes(disk.free),
            path: disk.path,
          }),
    ],
    [t('Package index'), report.index_url ?? unknown],
    [t('Practice model'), report.practice_model ?? t('missing')],
    [t('Engine'), engineFact(t, engine)],
  ];
  if (!engine.report) return facts;
  const { libtensorflow, tfjs, devices, dtypes, threads, selfTest } = engine.report;
  return [
    ...facts,
    ...(libtensorflow === null ? [] : [['libtensorflow', libtensorflow] as const]),
    ['TensorFlow.js', tfjs],
    [t('Device'), devices.join(', ')],
    [t('Number formats'), dtypes.join(', ')],
    [t('Threads'), String(threads)],
    [
      t('Self-test'),
      t('largest difference {difference}, {seconds} s', {
        difference: selfTest.maxDifference.toExponential(1),
        seconds: selfTest.seconds.toFixed(1),
      }),
    ],
  ];
}

function engineFact(
  t: CommandContext['t'],
  { portable, installed, directory, variant }: DoctorReport['engine'],
): string {
  if (portable) return t('portable (WebAssembly): for small models, and several times slower');
  return installed ? `${directory} (${variant})` : t('not installed');
}
