/** Brings the pinned files of an engine together in a staging directory. What is there already is kept. */
import fs from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { requireSpace, type FreeBytes } from '../download/files';
import type { Network } from '../download/network';
import { downloadRange, downloadWhole } from '../download/partFile';
import { GlmError } from '../protocol/errors';
import type { PackageIndex } from './indexUrl';
import { findFile } from './packageIndex';
import type { MemberPin, WheelPin } from './pins';
import { packedBytes, type ProgressTracker } from './progress';
import { LocalSource, NoRanges, openRemote, type RemoteSource } from './sources';
import { unpackMember } from './unpack';
import { dataOffset, findEntries, type ByteSource, type ZipEntry } from './zip';

export interface AssemblyOptions {
  /** Holds `tree/`, the files of the engine, and `.part` files. */
  staging: string;
  network: Network;
  index: PackageIndex;
  /** A wheel the user has, for each wheel that he has. */
  localWheels: ReadonlyMap<WheelPin, string>;
  progress: ProgressTracker;
  free: FreeBytes;
  signal: AbortSignal;
}

export class Assembly {
  readonly tree: string;

  constructor(private readonly options: AssemblyOptions) {
    this.tree = path.join(options.staging, 'tree');
  }

  /** Fetches, checks and unpacks what is missing. Throws GlmError; everything complete so far stays for the next try. */
  async run(wheels: readonly WheelPin[]): Promise<void> {
    await mkdir(this.tree, { recursive: true });
    await this.requireSpace(wheels);
    for (const wheel of wheels) await this.addWheel(wheel);
  }

  private async addWheel(wheel: WheelPin): Promise<void> {
    const missing = this.missing(wheel);
    this.options.progress.finish(packedBytes(wheel) - packedBytes({ ...wheel, members: missing }));
    if (missing.length === 0) return;
    this.options.progress.report('preparing', wheel.file);
    const local = this.options.localWheels.get(wheel);
    if (local === undefined) await this.fetchWheel(wheel, missing);
    else await this.unpackLocal(local, wheel, missing, null);
  }

  private async fetchWheel(wheel: WheelPin, missing: readonly MemberPin[]): Promise<void> {
    const { network, index, signal } = this.options;
    const url = await findFile(network, index, wheel.project, wheel.file, signal);
    const remote = await openRemote(network, url, signal);
    if (remote) {
      try {
        await this.fetchMembers(remote, wheel, missing);
        return;
      } catch (error) {
        if (!(error instanceof NoRanges)) throw error;
      }
    }
    await this.fetchWhole(url, wheel, this.missing(wheel));
  }

  private async fetchMembers(
    remote: RemoteSource,
    wheel: WheelPin,
    members: readonly MemberPin[],
  ): Promise<void> {
    const { signal, progress } = this.options;
    const entries = await findMembers(remote, members, signal);
    for (const pin of members) {
      const entry = entries.get(pin.member)!;
      const offset = await dataOffset(remote, entry, signal);
      await this.twice(this.part(pin.sha256), async (part) => {
        await downloadRange(this.options.network, remote, offset, entry.packedBytes, part, signal, (bytes) =>
          progress.report('downloading', wheel.file, bytes),
        );
        progress.report('unpacking', pin.path, pin.packedBytes);
        await this.unpack({ file: part, offset: 0 }, entry, pin, wheel);
        await rm(part);
      });
      progress.finish(pin.packedBytes);
    }
  }

  /** For servers without ranges: the whole wheel to the disk, then its members out of it. */
  private async fetchWhole(url: string, wheel: WheelPin, members: readonly MemberPin[]): Promise<void> {
    const { network, progress, signal, staging, free } = this.options;
    let total: number | null = null;
    const announce = (bytes: number): void => {
      total = bytes;
      progress.enlarge(bytes - packedBytes({ ...wheel, members }));
    };
    await this.twice(this.part(wheel.file), async (part) => {
      await downloadWhole(network, url, part, signal, (bytes, size) => {
        if (total === null && size !== null) announce(size);
        progress.report('downloading', wheel.file, bytes);
      });
      await requireSpace('install', staging, unpackedBytes(members), free);
      await this.unpackLocal(part, wheel, members, total ?? 0);
      await rm(part);
    });
    progress.finish(total ?? packedBytes({ ...wheel, members }));
  }

  /** @param received bytes of the wheel that were downloaded and counted; null: count members as they are unpacked */
  private async unpackLocal(
    file: string,
    wheel: WheelPin,
    members: readonly MemberPin[],
    received: number | null,
  ): Promise<void> {
    const { signal, progress } = this.options;
    const source = await LocalSource.open(file);
    try {
      const entries = await findMembers(source, members, signal);
      for (const pin of members) {
        const entry = entries.get(pin.member)!;
        const offset = await dataOffset(source, entry, signal);
        progress.report('unpacking', pin.path, received ?? pin.packedBytes);
        await this.unpack({ file, offset }, entry, pin, wheel);
        if (received === null) progress.finish(pin.packedBytes);
      }
    } finally {
      await source.close();
    }
  }

  private unpack(
    packed: { file: string; offset: number },
    entry: ZipEntry,
    pin: MemberPin,
    wheel: WheelPin,
  ): Promise<void> {
    return unpackMember(
      { ...packed, length: entry.packedBytes, method: entry.method },
      pin,
      wheel.file,
      path.join(this.tree, pin.path),
      this.options.signal,
    );
  }

  /** A part that was begun earlier, perhaps from another server, may be the reason of a failed check: once more from zero. */
  private async twice(part: string, work: (part: string) => Promise<void>): Promise<void> {
    const resumed = fs.existsSync(part);
    try {
      await work(part);
    } catch (error) {
      if (!isDamage(error)) throw error;
      await rm(part, { force: true });
      if (!resumed) throw error;
      await work(part);
    }
  }

  private part(name: string): string {
    return path.join(this.options.staging, `${name}.part`);
  }

  private missing(wheel: WheelPin): MemberPin[] {
    return wheel.members.filter(
      (pin) => fs.statSync(path.join(this.tree, pin.path), { throwIfNoEntry: false })?.size !== pin.bytes,
    );
  }

  private requireSpace(wheels: readonly WheelPin[]): Promise<void> {
    const { staging, free, localWheels } = this.options;
    const missing = wheels.flatMap((wheel) => this.missing(wheel));
    const fetched = wheels.filter((wheel) => !localWheels.has(wheel)).flatMap((wheel) => this.missing(wheel));
    const largest = fetched.reduce((most, pin) => Math.max(most, pin.packedBytes), 0);
    return requireSpace('install', staging, unpackedBytes(missing) + largest, free);
  }
}

function unpackedBytes(members: readonly MemberPin[]): number {
  return members.reduce((sum, pin) => sum + pin.bytes, 0);
}

function findMembers(
  source: ByteSource,
  members: readonly MemberPin[],
  signal: AbortSignal,
): Promise<Map<string, ZipEntry>> {
  return findEntries(source, new Set(members.map((pin) => pin.member)), signal);
}

function isDamage(error: unknown): boolean {
  return (
    error instanceof GlmError &&
    (error.code === 'install.hashMismatch' || error.code === 'install.badArchive')
  );
}
