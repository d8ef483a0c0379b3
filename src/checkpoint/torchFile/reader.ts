/**
 * `pytorch_model*.bin`: a zip archive with one directory, in it `data.pkl` (a pickled dict of tensors) and `data/<key>` (the
 * values of each storage). Values are read from where they lie in the archive.
 */
import {
  openTensorFiles,
  readBytes,
  type OpenFile,
  type ParsedHeader,
  type WeightsReader,
} from '../tensorFiles';
import { torchFault } from './fault';
import { unpickle } from './pickleReader';
import { stateDictEntries } from './stateDict';
import { readZipDirectory, storedMember, type ZipDirectory } from './zipReader';

/** Far above any real one (about 150 bytes a tensor). */
const MAX_PICKLE_BYTES = 32 * 1024 * 1024;
const START_BYTES = 265;
const TAR_MAGIC_AT = 257;

/**
 * Opens files that `torch.save` wrote (torch 1.6 or later) as one set of tensors. No code in them is run.
 * @returns a reader that holds the files open until `close()`; throws GlmError `checkpoint.*`
 */
export function openTorchFiles(files: readonly string[]): WeightsReader {
  return openTensorFiles(files, readArchive);
}

function readArchive(open: OpenFile): ParsedHeader {
  const { file } = open;
  checkStart(readBytes(open, 0, Math.min(START_BYTES, open.bytes)), file);
  const zip = readZipDirectory(open);
  const root = findRoot(zip, file);
  checkByteOrder(open, zip, root);
  const pickle = storedMember(zip, `${root}/data.pkl`, file);
  if (!pickle || pickle.bytes > MAX_PICKLE_BYTES) throw torchFault(file, 'limit');
  const value = unpickle(readBytes(open, pickle.offset, pickle.bytes), file);
  const entries = stateDictEntries(value, file, (key) => storedMember(zip, `${root}/data/${key}`, file));
  // The directory holds a checksum of every storage.
  return { format: 'torch', entries, headers: [pickle, zip.directory], metadata: {} };
}

/** Says what a file is that is no zip archive. */
function checkStart(start: Buffer, file: string): void {
  const latin = start.toString('latin1');
  if (latin.startsWith('PK\x03\x04')) return;
  if (latin.startsWith('version ')) throw torchFault(file, 'gitLfs');
  const isPickle = start[0] === 0x80;
  const isTar = latin.slice(TAR_MAGIC_AT).startsWith('ustar');
  throw torchFault(file, isPickle || isTar ? 'legacy' : 'notZip');
}

/** The archive's only directory. */
function findRoot({ members }: ZipDirectory, file: string): string {
  const pickles = [...members.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const root = pickles[0]?.slice(0, -'/data.pkl'.length);
  if (root === undefined || pickles.length > 1) throw torchFault(file, 'noStateDict');
  if (members.has(`${root}/constants.pkl`)) throw torchFault(file, 'script');
  return root;
}

/** Archives older than torch 2.0 do not say it: they come from little-endian machines. */
function checkByteOrder(open: OpenFile, zip: ZipDirectory, root: string): void {
  const range = storedMember(zip, `${root}/byteorder`, open.file);
  if (!range) return;
  const order = range.bytes <= 16 ? readBytes(open, range.offset, range.bytes).toString('latin1') : '';
  if (order !== 'little') throw torchFault(open.file, 'byteOrder', order);
}
