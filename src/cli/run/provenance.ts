/** `provenance.json`: what exactly a run was computed from. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { openAdapter, checkAdapter } from '../../checkpoint/adapter';
import { openCheckpoint } from '../../checkpoint/checkpoint';
import { adapterFingerprint, fileFingerprint, modelFingerprint } from '../../checkpoint/fingerprint';
import { checkModel } from '../../checkpoint/modelDoctor';
import { GlmError } from '../../protocol/errors';
import type { RunFile } from '../../protocol/run';
import { PROVENANCE_FILE, type Provenance } from '../../protocol/runDirectory';

/**
 * Fingerprints of everything the run reads. On the way it checks that the weights are whole and fit the configuration, from
 * their headers alone, so that a damaged checkpoint is refused in milliseconds and before anything is written.
 * Throws GlmError `checkpoint.*`.
 */
export function describeProvenance(run: RunFile, versions: Record<string, string>): Provenance {
  const { train, validation } = run.dataset;
  return {
    versions,
    dataset: {
      train: fileFingerprint(train),
      validation: validation === null ? null : fileFingerprint(validation),
    },
    model: { path: run.model, fingerprint: checkedModelFingerprint(run) },
    adapter:
      run.adapter === null ? null : { path: run.adapter, fingerprint: adapterFingerprint(run.adapter) },
  };
}

function checkedModelFingerprint(run: RunFile): string {
  const { config, reader, files } = openCheckpoint(run.model);
  try {
    checkModel(run.model, config, reader);
    if (run.adapter !== null) {
      const adapter = openAdapter(run.adapter);
      try {
        checkAdapter(adapter, config);
      } finally {
        adapter.reader.close();
      }
    }
    return modelFingerprint(files);
  } finally {
    reader.close();
  }
}

/** `provenance.json` of a run; null where it cannot be read. */
export function readProvenance(directory: string): Provenance | null {
  try {
    return JSON.parse(readFileSync(path.join(directory, PROVENANCE_FILE), 'utf8')) as Provenance;
  } catch {
    return null;
  }
}

/** Throws `run.changed` with the first file that is not what it was when the run started. */
export function checkUnchanged(then: Provenance, now: Provenance): void {
  if (then.dataset.train.sha256 !== now.dataset.train.sha256)
    throw new GlmError('run.changed', { path: now.dataset.train.path });
  if (then.dataset.validation?.sha256 !== now.dataset.validation?.sha256)
    throw new GlmError('run.changed', { path: now.dataset.validation?.path ?? '' });
  if (then.model.fingerprint !== now.model.fingerprint)
    throw new GlmError('run.changed', { path: now.model.path });
  if (then.adapter && then.adapter.fingerprint !== now.adapter?.fingerprint)
    throw new GlmError('run.changed', { path: then.adapter.path });
}
