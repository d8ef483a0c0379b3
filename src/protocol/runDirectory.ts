/** Names inside a run directory. It describes itself: everything needed to resume or explain the run is in it. */

/** The resolved run file: every default filled in, every path absolute. */
export const RUN_FILE = 'run.json';
/** `RunEvent`s, one JSON object a line. */
export const EVENTS_FILE = 'events.jsonl';
/** What computed the run: versions, dataset fingerprint, hash of the base model's files. */
export const PROVENANCE_FILE = 'provenance.json';
/** `ProcessFile` while the process lives. */
export const PROCESS_FILE = 'process.json';
/** Standard output and standard error of a detached process. */
export const LOG_FILE = 'process.log';
/** `step-<n>` directories. */
export const CHECKPOINTS = 'checkpoints';
/** Result of a run that trains an adapter (LoRA, P-Tuning v2): its directory in PEFT's or THUDM's format. */
export const ADAPTER = 'adapter';
/** Result of a full run: a Hugging Face checkpoint directory. */
export const MODEL = 'model';

/** A run's name as a directory name on every platform. */
export function directoryName(name: string): string {
  // eslint-disable-next-line no-control-regex
  const safe = name.replace(/[\\/:*?"<>|\u0000-\u001f]+/g, '-').replace(/^[.\s]+|[.\s]+$/g, '');
  return safe || 'run';
}

/** `provenance.json` */
export interface Provenance {
  versions: Record<string, string>;
  dataset: { train: FileFingerprint; validation: FileFingerprint | null };
  /** sha256 over the names, sizes and headers of the weight files: cheap on large checkpoints, changes with any tensor's place. */
  model: { path: string; fingerprint: string };
  /**
   * The adapter that the run started from: sha256 over its settings and values; null where it started anew. Absent in runs of an
   * older version.
   */
  adapter?: { path: string; fingerprint: string } | null;
}

export interface FileFingerprint {
  path: string;
  bytes: number;
  sha256: string;
}
