/** What is remembered beside the files: begun ones with what is known of them, and which are complete. */
import { createHash } from 'node:crypto';
import { lstat, mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { syncDirectory, writeDurably } from '../download/files';
import { GlmError } from '../protocol/errors';
import type { RemoteFile } from './listing';

/** Inside the directory of the model. */
export const STATE_DIRECTORY = '.glmtune-download';
const COMPLETE_FILE = 'files.json';

const beginningSchema = z.object({
  path: z.string(),
  bytes: z.number(),
  sha256: z.string().nullable(),
  gitBlob: z.string().nullable(),
  etag: z.string().nullable(),
});
/** A begun file: a part without this record is of unknown origin, and thrown away. */
export type Beginning = z.infer<typeof beginningSchema>;

const completeSchema = z.object({
  source: z.string(),
  repository: z.string(),
  revision: z.string(),
  files: z.record(
    z.string(),
    z.object({
      bytes: z.number(),
      /** Modification time; milliseconds. */
      modified: z.number(),
      sha256: z.string().nullable(),
      gitBlob: z.string().nullable(),
      etag: z.string().nullable(),
    }),
  ),
});
type Complete = z.infer<typeof completeSchema>;
export type CompleteFile = Complete['files'][string];

/** Where the files came from. */
export type Origin = Pick<Complete, 'source' | 'repository' | 'revision'>;

export class DownloadState {
  private complete: Complete;
  private writing: Promise<void> = Promise.resolve();

  private constructor(
    readonly directory: string,
    origin: Origin,
  ) {
    this.complete = { ...origin, files: {} };
  }

  /** Opens the state of a model's directory, which exists. Throws GlmError `hub.notADirectory`. */
  static async open(modelDirectory: string, origin: Origin): Promise<DownloadState> {
    const directory = path.join(modelDirectory, STATE_DIRECTORY);
    await makeRealDirectory(directory);
    const state = new DownloadState(directory, origin);
    const before = await readRecord(path.join(directory, COMPLETE_FILE), completeSchema);
    state.complete.files = before?.files ?? {};
    return state;
  }

  get lockFile(): string {
    return path.join(this.directory, 'lock');
  }

  /** The begun file: its name says nothing, whatever the server called it. */
  part(file: RemoteFile): string {
    const name = createHash('sha256').update(file.path).digest('hex').slice(0, 32);
    return path.join(this.directory, `${name}.part`);
  }

  /** What is known of a begun file; null where that is not the file that is wanted now, and then nothing is left of it. */
  async beginning(file: RemoteFile): Promise<Beginning | null> {
    const found = await readRecord(this.record(file), beginningSchema);
    const same =
      found?.path === file.path &&
      found.bytes === file.bytes &&
      found.sha256 === file.sha256 &&
      found.gitBlob === file.gitBlob;
    if (same) return found;
    await this.forget(file);
    return null;
  }

  /** Remembers what is about to be begun. */
  async begin({ path: name, bytes, sha256, gitBlob }: RemoteFile, etag: string | null): Promise<void> {
    const beginning: Beginning = { path: name, bytes, sha256, gitBlob, etag };
    await writeDurably(this.record(beginning), JSON.stringify(beginning));
  }

  /** Removes what was begun. */
  async forget(file: RemoteFile): Promise<void> {
    await rm(this.part(file), { force: true });
    await rm(this.record(file), { force: true });
  }

  completeFile(name: string): CompleteFile | null {
    return Object.hasOwn(this.complete.files, name) ? this.complete.files[name] : null;
  }

  /** Remembers that a file is here and right. Writers take turns. */
  setComplete(name: string, file: CompleteFile): Promise<void> {
    Object.defineProperty(this.complete.files, name, {
      value: file,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    const written = this.writing.then(() =>
      writeDurably(path.join(this.directory, COMPLETE_FILE), `${JSON.stringify(this.complete, null, 2)}\n`),
    );
    this.writing = written.catch(() => undefined);
    return written;
  }

  private record(file: RemoteFile): string {
    return `${this.part(file)}.json`;
  }
}

async function readRecord<T>(file: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return schema.safeParse(JSON.parse(await readFile(file, 'utf8'))).data ?? null;
  } catch {
    return null;
  }
}

/** Makes a directory below one that exists; throws GlmError `hub.notADirectory` where a link or a file has the name. */
export async function makeRealDirectory(directory: string): Promise<void> {
  const made = await mkdir(directory).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
  if (made) return syncDirectory(path.dirname(directory));
  const status = await lstat(directory);
  if (!status.isDirectory()) throw new GlmError('hub.notADirectory', { path: directory });
}
