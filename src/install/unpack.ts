/** From packed bytes on the disk to a checked file: inflated, counted and hashed in a stream. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { GlmError } from '../protocol/errors';
import type { MemberPin } from './pins';

export interface PackedBytes {
  file: string;
  offset: number;
  length: number;
  method: 0 | 8;
}

/**
 * Unpacks a member to `target`, which appears only when size and hash are right and the data is on the disk.
 * @param wheel name of the wheel, for messages
 * @throws GlmError `install.hashMismatch` or `install.badArchive`
 */
export async function unpackMember(
  packed: PackedBytes,
  pin: MemberPin,
  wheel: string,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true });
  const temporary = `${target}.tmp`;
  const check = new Check(pin, wheel);
  try {
    const source = createReadStream(packed.file, {
      start: packed.offset,
      end: packed.offset + packed.length - 1,
      highWaterMark: 1 << 20,
    });
    const sink = createWriteStream(temporary, { highWaterMark: 1 << 20 });
    if (packed.method === 8)
      await pipeline(source, createInflateRaw({ chunkSize: 1 << 20 }), check, sink, { signal });
    else await pipeline(source, check, sink, { signal });
    check.finish();
    await makeDurable(temporary);
    if (pin.executable) await chmod(temporary, 0o755);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw explain(error, pin, wheel, temporary, signal);
  }
}

function explain(error: unknown, pin: MemberPin, wheel: string, file: string, signal: AbortSignal): unknown {
  if (signal.aborted) return new GlmError('install.cancelled', {}, { cause: error });
  const system = error as NodeJS.ErrnoException;
  if (system.code?.startsWith('Z_')) {
    return new GlmError('install.badArchive', { file: wheel, detail: `${pin.member}: ${system.message}` });
  }
  if (system.syscall) system.path ??= file;
  return error;
}

/** Passes data through, never more than the pinned size. */
class Check extends Transform {
  private readonly hash: Hash = createHash('sha256');
  private bytes = 0;

  constructor(
    private readonly pin: MemberPin,
    private readonly wheel: string,
  ) {
    super();
  }

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += piece.length;
    if (this.bytes > this.pin.bytes) {
      done(this.mismatch(`> ${this.pin.bytes} B`));
      return;
    }
    this.hash.update(piece);
    done(null, piece);
  }

  finish(): void {
    const found = this.hash.digest('hex');
    if (found !== this.pin.sha256) throw this.mismatch(found);
  }

  private mismatch(found: string): GlmError {
    const { member, sha256: expected } = this.pin;
    return new GlmError('install.hashMismatch', { file: this.wheel, member, expected, found });
  }
}

async function makeDurable(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
