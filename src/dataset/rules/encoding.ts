import type { ByteRule } from './rule';

/** Bytes that are not UTF-8, often GBK. Only the file reader can see them: an editor has already decoded them. */
export const encoding: ByteRule = {
  id: 'glm/encoding',
  severity: 'error',
  stage: 'bytes',

  /** `text` has U+FFFD where the bytes could not be decoded; the first one is shown. */
  check(text) {
    const start = Math.max(0, text.indexOf('\ufffd'));
    return [{ start, end: Math.min(text.length, start + 1), message: 'notUtf8', args: {} }];
  },
};
