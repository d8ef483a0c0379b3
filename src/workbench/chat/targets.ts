/** What can be chatted with: checkpoints and the results of runs. */
import type { ChatModel } from '../../protocol/control';
import type { RunFolder } from '../../host/runs/runFolder';
import { t } from '../../host/translate';
import type { ModelDirectory } from '../modelDirectory';

export interface ChatChoice extends ChatModel {
  /** Stable across reloads: the directory that was trained or loaded. */
  id: string;
  label: string;
}

/** As a checkpoint is loaded that nothing else is known about. */
const PLAIN = { adapter: null, dtype: 'float32', quantization: null, template: null } as const;

export function modelChoice(model: ModelDirectory): ChatChoice {
  return { ...PLAIN, id: model.path, label: model.name, model: model.path };
}

/** The result of a run: base model and adapter, or the tuned checkpoint (full). Null before it is done. */
export function runChoice(run: RunFolder): ChatChoice | null {
  const { output } = run;
  const file = run.run;
  if (output === null || !file) return null;
  const full = file.method.type === 'full';
  return {
    id: run.directory,
    label: t('{name} (fine-tuned)', { name: run.name }),
    model: full ? output : file.model,
    adapter: full ? null : output,
    dtype: file.training.dtype,
    quantization: file.quantization?.type ?? null,
    template: file.dataset.template,
  };
}
