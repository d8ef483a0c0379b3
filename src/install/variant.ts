/** Which engine fits this machine. */
import fs from 'node:fs';
import path from 'node:path';
import type { EngineVariant } from './pins';

/** Files that an NVIDIA driver leaves on Linux; the last is the one of WSL. */
const DRIVER_FILES = ['/proc/driver/nvidia/version', '/dev/nvidiactl', '/usr/lib/wsl/lib/libcuda.so.1'];

/** True where an NVIDIA GPU can be expected: its driver is loaded, or `nvidia-smi` is on PATH. Starts no process. */
export function hasNvidiaGpu(env: NodeJS.ProcessEnv = process.env): boolean {
  if (DRIVER_FILES.some((file) => fs.existsSync(file))) return true;
  const directories = (env.PATH ?? '').split(path.delimiter).filter((directory) => directory !== '');
  return directories.some((directory) => fs.existsSync(path.join(directory, 'nvidia-smi')));
}

/** The variant to use where the user has not chosen one. */
export function automaticVariant(): EngineVariant {
  return hasNvidiaGpu() ? 'cuda' : 'cpu';
}

/** glibc of this process, such as `2.36`; null where the C library is another one. */
function glibcVersion(): string | null {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime ?? null;
}

/** Words for a platform without an engine library, or null where there is one: Linux on x86-64 with glibc from 2.27. */
export function unsupportedPlatform(
  platform: string = process.platform,
  arch: string = process.arch,
  glibc: () => string | null = glibcVersion,
): string | null {
  if (platform !== 'linux' || arch !== 'x64') return `${platform}-${arch}`;
  const version = glibc();
  if (version === null) return 'linux-x64 (musl)';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 2 || minor >= 27 ? null : `linux-x64 (glibc ${version})`;
}
