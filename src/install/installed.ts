/** What is installed already. */
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { glmtuneHome, variantDirectory } from './directories';
import { ENGINE_VERSION, type EngineVariant } from './pins';
import { automaticVariant } from './variant';

/** Written last: an engine directory without it is not complete. */
export const MANIFEST_FILE = 'manifest.json';

const manifestSchema = z.object({
  variant: z.enum(['cpu', 'cuda']),
  version: z.string(),
  /** Index or file the engine was taken from, without credentials. */
  source: z.string(),
  members: z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string() })),
});
export type EngineManifest = z.infer<typeof manifestSchema>;

export interface InstalledEngine {
  directory: string;
  variant: EngineVariant;
  version: string;
}

/**
 * The installed engine that fits this machine best: with a GPU the CUDA one, else the CPU one, else the other.
 * Cheap: files are compared by size only.
 */
export function installedEngine(home: string = glmtuneHome()): InstalledEngine | null {
  const first = automaticVariant();
  return installedVariant(home, first) ?? installedVariant(home, first === 'cuda' ? 'cpu' : 'cuda');
}

/** Directory of the installed engine; where there is none, the directory that it would be installed to. */
export function engineDirectory(home: string = glmtuneHome()): string {
  return installedEngine(home)?.directory ?? variantDirectory(home, automaticVariant());
}

/** One variant, if it is there and complete. */
export function installedVariant(home: string, variant: EngineVariant): InstalledEngine | null {
  const directory = variantDirectory(home, variant);
  const manifest = readManifest(directory);
  if (manifest?.variant !== variant || manifest.version !== ENGINE_VERSION) return null;
  const complete = manifest.members.every(
    (member) =>
      fs.statSync(path.join(directory, member.path), { throwIfNoEntry: false })?.size === member.bytes,
  );
  return complete ? { directory, variant, version: manifest.version } : null;
}

/** What an engine directory says it holds; null where it is not complete. */
export function readManifest(directory: string): EngineManifest | null {
  try {
    const text = fs.readFileSync(path.join(directory, MANIFEST_FILE), 'utf8');
    return manifestSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
