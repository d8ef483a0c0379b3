/** What the machine offers: runtime, C library, memory, disk. */
import { existsSync, statfsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface Machine {
  node: string;
  /** `linux-x64` */
  platform: string;
  /** Version of glibc; null on other C libraries and systems. */
  glibc: string | null;
  cpus: number;
  /** Bytes. */
  memory: { total: number; available: number };
}

export function describeMachine(): Machine {
  return {
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    glibc: glibcVersion(),
    cpus: os.availableParallelism(),
    memory: { total: os.totalmem(), available: os.freemem() },
  };
}

/** Bytes free for this user on the disk that holds `target`, which need not exist yet; null where it cannot be told. */
export function freeDiskSpace(target: string): number | null {
  let directory = path.resolve(target);
  while (!existsSync(directory) && path.dirname(directory) !== directory) directory = path.dirname(directory);
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    return null;
  }
}

function glibcVersion(): string | null {
  if (process.platform !== 'linux') return null;
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime ?? null;
}
