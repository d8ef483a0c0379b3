/** Bytes of files in memory outside JavaScript: read into it, or mapped. */
import { promisify } from 'node:util';
import { GlmError } from '../../protocol/errors';
import { native } from './native';
import type { StoredTensor } from './storedTensor';

const PROT_READ = 1;
const MAP_PRIVATE = 2;
const MADV_WILLNEED = 3;
const MADV_POPULATE_READ = 22;
const PAGE = 4096;

type Address = bigint;
type Aside = (...args: unknown[]) => Promise<unknown>;

/** Copies bytes of a tensor to `target`, off the JavaScript thread. Throws `checkpoint.truncated`. */
export async function readAside(
  { file }: StoredTensor,
  offset: number,
  target: Address,
  bytes: number,
): Promise<void> {
  const pread = promisify<unknown[], unknown>(native().pread.async) as Aside;
  let done = 0;
  while (done < bytes) {
    const position = file.position + offset + done;
    const count = Number(await pread(file.descriptor, target + BigInt(done), bytes - done, position));
    if (count <= 0)
      throw new GlmError('checkpoint.truncated', {
        file: file.path,
        bytes: position,
        expected: file.position + offset + bytes,
      });
    done += count;
  }
}

/** A tensor's bytes where the system keeps those of files: nothing is copied, and memory that runs short is given back first. */
export class MappedBytes {
  private constructor(
    private readonly start: Address,
    private readonly bytes: bigint,
    /** Of the tensor's first byte. */
    readonly address: Address,
  ) {}

  /** Null where the system has no room for it. */
  static map({ file, byteLength }: StoredTensor): MappedBytes | null {
    const lead = file.position % PAGE;
    const bytes = BigInt(lead + byteLength);
    const start = native().mmap(
      null,
      bytes,
      PROT_READ,
      MAP_PRIVATE,
      file.descriptor,
      file.position - lead,
    ) as Address;
    // MAP_FAILED is -1.
    if (start % BigInt(PAGE) !== 0n) return null;
    return new MappedBytes(start, bytes, start + BigInt(lead));
  }

  /** Brings the bytes into memory, off the JavaScript thread; where that is not known to the system, using them does it. */
  async populate(): Promise<void> {
    const { start, bytes } = this;
    const madvise = promisify<unknown[], unknown>(native().madvise.async) as Aside;
    await madvise(start, bytes, MADV_WILLNEED);
    await madvise(start, bytes, MADV_POPULATE_READ);
  }

  unmap(): void {
    native().munmap(this.start, this.bytes);
  }
}
