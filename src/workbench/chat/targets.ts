/** What can be chatted with: checkpoints and the results of runs. */
import type { ChatTarget } from '../../host/chat/chatClient';
import type { RunFolder } from '../../host/runs/runFolder';
import { t } from '../../host/translate';
import type { ModelDirectory } from '../models';

export interface ChatChoice extends ChatTarget {
  /** Stable across reloads: the directory that was trained or loaded. */
  id: string;
  label: string;
  dtype: 'float32' | 'bfloat16';
}

export function modelChoice(model: ModelDirectory): ChatChoice {
  return { id: model.path, label: model.name, model: model.path, adapter: null, dtype: 'float32' };
}

/** The result of a run: base model and adapter (LoRA), or the tuned checkpoint (full). Null before it is done. */
export function runChoice(run: RunFolder): ChatChoice | null {
  const { output } = run;
  const file = run.run;
  if (output === null || !file) return null;
  const lora = file.method.type === 'lora';
  return {
    id: run.directory,
    label: t('{name} (fine-tuned)', { name: run.name }),
    model: lora ? file.model : output,
    adapter: lora ? output : null,
    dtype: file.training.dtype,
  };
}
