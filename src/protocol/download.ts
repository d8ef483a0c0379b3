/** What a download of a model tells its user: the lines of `download --json`, and what the editor shows. */

/** A file of the repository that is wanted. */
export interface DownloadFile {
  /** Path inside the repository and the directory, with `/`. */
  path: string;
  bytes: number;
}

export interface DownloadPlan {
  type: 'plan';
  /** Address of the server. */
  source: string;
  repository: string;
  revision: string;
  /** Absolute. */
  directory: string;
  files: DownloadFile[];
  total_bytes: number;
  /** Bytes that are here already, whole files and begun ones. */
  present_bytes: number;
}

/**
 * `waiting`: another process downloads into the directory; `listing`: asking for the files; `checking`: comparing a file
 * with its hash; `paused`: the server asked to wait `pause_ms`.
 */
export type DownloadPhase = 'waiting' | 'listing' | 'downloading' | 'checking' | 'paused';

export interface DownloadProgress {
  type: 'progress';
  phase: DownloadPhase;
  /** File at work; empty where there is none. */
  file: string;
  received_bytes: number;
  total_bytes: number;
  pause_ms?: number;
}

export interface DownloadResult {
  type: 'downloaded';
  directory: string;
  source: string;
  repository: string;
  revision: string;
  files: DownloadFile[];
  total_bytes: number;
  /** Bytes that were not here before this call. */
  fetched_bytes: number;
}

export type DownloadEvent = DownloadPlan | DownloadProgress;
