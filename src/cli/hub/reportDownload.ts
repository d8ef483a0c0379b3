/** What a download turned out to be. */
import fs from 'node:fs';
import path from 'node:path';
import { openAdapter, type Adapter } from '../../checkpoint/adapter';
import { ADAPTER_CONFIG, MODEL_CONFIG } from '../../checkpoint/adapterNames';
import type { DownloadResult } from '../../protocol/download';
import { describeThrown } from '../../text/errors';
import { isGlmError } from '../../protocol/errors';
import type { CommandContext } from '../context';
import { formatBytes } from '../format';
import { checkModel } from '../model/checkModel';

/** Says where the files are and, of a model, what the model doctor says; of an adapter, what it is. */
export async function reportDownload(context: CommandContext, result: DownloadResult): Promise<void> {
  const { output, t } = context;
  const { directory, files, total_bytes } = result;
  if (output.json) output.record(result);
  else {
    const size = formatBytes(total_bytes);
    output.result(t('Files in {directory}: {count}, {size}.', { directory, count: files.length, size }));
  }
  if (fs.existsSync(path.join(directory, ADAPTER_CONFIG))) reportAdapter(context, directory);
  else if (fs.existsSync(path.join(directory, MODEL_CONFIG))) {
    if (!output.json) output.result('');
    await checkModel(context, {}, [directory]);
  }
}

function reportAdapter({ output, t }: CommandContext, directory: string): void {
  let adapter: Adapter;
  try {
    adapter = openAdapter(directory);
  } catch (error) {
    // The files are what the repository has; that they cannot be used is for the reader to know.
    if (!isGlmError(error)) throw error;
    if (output.json) output.record({ type: 'adapter', directory, ok: false, ...describeThrown(t, error) });
    else output.error(t('Problem:'), describeThrown(t, error));
    return;
  }
  adapter.reader.close();
  const { kind } = adapter;
  if (output.json) output.record({ type: 'adapter', directory, ok: true, kind, config: adapter.config });
  else
    output.result(
      kind === 'lora'
        ? t('A LoRA adapter of rank {r}. The model it was trained on is needed as well.', {
            r: adapter.config.r,
          })
        : t('A prefix (P-Tuning v2). The model it was trained on is needed as well.'),
    );
}
