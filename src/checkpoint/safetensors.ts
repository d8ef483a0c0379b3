/** Safetensors files as a set of tensors. */
import { headerLength, parseHeader } from './safetensorsHeader';
import {
  openTensorFiles,
  readBytes,
  type OpenFile,
  type ParsedHeader,
  type WeightsReader,
} from './tensorFiles';

/**
 * Opens safetensors files as one set of tensors.
 * @param files paths; their headers are read and checked now, data only when asked for
 * @returns a reader that holds the files open until `close()`; throws GlmError `checkpoint.*`
 */
export function openSafetensors(files: readonly string[]): WeightsReader {
  return openTensorFiles(files, readHeader);
}

function readHeader(open: OpenFile): ParsedHeader {
  const { file, bytes } = open;
  const prefix = readBytes(open, 0, Math.min(8, bytes));
  const json = readBytes(open, 8, headerLength(prefix, file, bytes));
  const { entries, metadata } = parseHeader(json, file, bytes);
  const headers = [{ offset: 0, bytes: 8 + json.byteLength }];
  return { format: 'safetensors', entries, headers, metadata };
}
