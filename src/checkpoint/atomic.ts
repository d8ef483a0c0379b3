/** Writing so that a crash, a full disk or a cut power line leaves the old file or the new one, never half of one. */
import fs from 'node:fs';
import path from 'node:path';

/**
 * Makes a directory and those above it. Node's recursive `mkdir` calls a read-only disk ENOENT; here the error is the real
 * one, with the path of the directory that could not be made.
 */
export function makeDirectories(directory: string): void {
  if (isDirectory(directory)) return;
  const parent = path.dirname(directory);
  if (parent !== directory) makeDirectories(parent);
  try {
    fs.mkdirSync(directory);
  } catch (error) {
    // Another process may have been quicker.
    if (!isDirectory(directory)) throw error;
  }
}

function isDirectory(candidate: string): boolean {
  return fs.existsSync(candidate) && fs.statSync(candidate).isDirectory();
}

/** Makes the names in a directory durable. A file system that cannot do it (some network shares) is left as it is. */
export function fsyncDirectory(directory: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = fs.openSync(directory, 'r');
    fs.fsyncSync(descriptor);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EINVAL' && code !== 'EPERM' && code !== 'EISDIR' && code !== 'ENOTSUP') throw error;
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

/**
 * Writes a file under a temporary name, makes it durable and renames it to `file`. On any error the temporary file is
 * removed and `file` is as it was.
 */
export function writeFileAtomic(file: string, write: (descriptor: number) => void): void {
  const pending = beginFile(file);
  try {
    write(pending.descriptor);
    pending.commit();
  } catch (error) {
    pending.abandon();
    throw withPath(error, file);
  }
}

/** The same where writing waits for something. */
export async function writeFileAtomicAsync(
  file: string,
  write: (descriptor: number) => Promise<void>,
): Promise<void> {
  const pending = beginFile(file);
  try {
    await write(pending.descriptor);
    pending.commit();
  } catch (error) {
    pending.abandon();
    throw withPath(error, file);
  }
}

/** A file that is being written under a temporary name. */
interface PendingFile {
  descriptor: number;
  /** Makes it durable and gives it its name. */
  commit(): void;
  /** Removes it; an older file is as it was. */
  abandon(): void;
}

function beginFile(file: string): PendingFile {
  const temporary = `${file}.tmp-${process.pid}`;
  const descriptor = fs.openSync(temporary, 'w');
  let open = true;
  const close = (): void => {
    open = false;
    fs.closeSync(descriptor);
  };
  return {
    descriptor,
    commit() {
      fs.fsyncSync(descriptor);
      close();
      fs.renameSync(temporary, file);
      fsyncDirectory(path.dirname(file));
    },
    abandon() {
      if (open) close();
      fs.rmSync(temporary, { force: true });
    },
  };
}

/** Writes JSON, two spaces, newline at the end, atomically. */
export function writeJsonAtomic(file: string, value: unknown): void {
  writeFileAtomic(file, (descriptor) =>
    writeFully(descriptor, Buffer.from(`${JSON.stringify(value, null, 2)}\n`)),
  );
}

/** Writes all of `data` at the current position. */
export function writeFully(descriptor: number, data: Uint8Array): void {
  let done = 0;
  while (done < data.byteLength) {
    done += fs.writeSync(descriptor, data, done, Math.min(data.byteLength - done, 0x40000000));
  }
}

/** A directory that is being filled under a temporary name. */
export interface PendingDirectory {
  /** Where its files go; the writers of this room make them durable. */
  temporary: string;
  /** Gives it its name; an older directory of that name is removed when the new one stands. */
  commit(): void;
  /** Removes it; an older directory is as it was. */
  abandon(): void;
}

export function beginDirectory(directory: string): PendingDirectory {
  const temporary = `${directory}.tmp-${process.pid}`;
  const aside = `${directory}.old-${process.pid}`;
  fs.rmSync(temporary, { recursive: true, force: true });
  makeDirectories(temporary);
  return {
    temporary,
    commit() {
      fsyncDirectory(temporary);
      const replaces = fs.existsSync(directory);
      if (replaces) fs.renameSync(directory, aside);
      try {
        fs.renameSync(temporary, directory);
      } catch (error) {
        if (replaces) fs.renameSync(aside, directory);
        throw error;
      }
      fsyncDirectory(path.dirname(directory));
      fs.rmSync(aside, { recursive: true, force: true });
    },
    abandon() {
      fs.rmSync(temporary, { recursive: true, force: true });
    },
  };
}

/** Fills a directory under a temporary name and renames it to `directory`; on any error an older one is where it was. */
export function writeDirectoryAtomic(directory: string, fill: (temporary: string) => void): void {
  const pending = beginDirectory(directory);
  try {
    fill(pending.temporary);
    pending.commit();
  } catch (error) {
    pending.abandon();
    throw error;
  }
}

/** The same where filling waits for something. */
export async function writeDirectoryAtomicAsync(
  directory: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  const pending = beginDirectory(directory);
  try {
    await fill(pending.temporary);
    pending.commit();
  } catch (error) {
    pending.abandon();
    throw error;
  }
}

/** `write` and `fsync` errors carry no path; the message to the user needs one. */
function withPath(error: unknown, file: string): unknown {
  const system = error as NodeJS.ErrnoException;
  if (system.syscall && !system.path) system.path = file;
  return error;
}
