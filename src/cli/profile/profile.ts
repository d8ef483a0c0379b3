/** `profile RUN.glmtune.json`: trains on the run's first rows, takes the steps apart, and keeps nothing of it. */
import type { ProfilePhase } from '../../engine';
import type { CommandContext } from '../context';
import { openInstalledEngine } from '../engineLoader';
import { EXIT_OK, InterruptedError } from '../exit';
import { interruptSignal } from '../interrupt';
import type { Progress } from '../progress';
import { checkData } from '../run/checkData';
import { readRunFile } from '../run/readRunFile';
import { profileLines } from './report';

export interface ProfileOptions {
  steps: number;
  layers?: boolean;
}

export async function profile(
  context: CommandContext,
  { steps, layers = false }: ProfileOptions,
  file: string,
): Promise<number> {
  const { output, t } = context;
  const { run, warnings } = readRunFile(t, file);
  for (const warning of warnings) output.warning(t('Warning:'), warning);
  const engine = await openInstalledEngine();
  await checkData(run);
  const { signal, dispose } = interruptSignal();
  const view = new PhaseView(context);
  try {
    const report = await engine.profile({
      run,
      steps,
      progress: (phase, done, total) => view.show(phase, done, total),
      stopRequested: () => signal.aborted,
    });
    view.end();
    if (!report) throw new InterruptedError();
    if (output.json) output.record(report);
    else for (const line of profileLines(t, report, layers)) output.result(line);
    return EXIT_OK;
  } finally {
    view.end();
    dispose();
  }
}

/** A remark for each phase, a bar over the steps. */
class PhaseView {
  private phase: ProfilePhase | null = null;
  private progress: Progress | null = null;

  constructor(private readonly context: CommandContext) {}

  show(phase: ProfilePhase, done: number, total: number): void {
    const { output, t } = this.context;
    if (phase !== this.phase) {
      this.phase = phase;
      if (phase === 'loading') output.info(t('Loading the model.'));
      if (phase === 'peaks') {
        this.end();
        output.info(t('Measuring what the device can do at best.'));
      }
    }
    if (phase !== 'steps') return;
    this.progress ??= output.progress({ total, label: t('steps') });
    this.progress.update(done);
  }

  end(): void {
    this.progress?.stop();
    this.progress = null;
  }
}
