/** Checks an installed engine against its manifest, byte by byte. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readManifest, type InstalledEngine } from './installed';

/**
 * Paths of the files of an engine that are not what was installed. Loading such a library can end the process without a
 * word, so whoever looks for the cause asks first. Reads everything: about a second for the CPU engine.
 */
export async function damagedFiles({ directory }: InstalledEngine): Promise<string[]> {
  const damaged: string[] = [];
  for (const member of readManifest(directory)?.members ?? []) {
    const file = path.join(directory, member.path);
    if ((await sha256(file)) !== member.sha256) damaged.push(file);
  }
  return damaged;
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(fs.createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
