import type { StreamDecoder } from '../types';

/** Python's `str.strip` characters, which differ from JavaScript's `trim` (no U+FEFF, but the C0 separators and U+0085). */
const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const LEADING = new RegExp(`^${SPACE}+`);
const TRAILING = new RegExp(`${SPACE}+$`);

/** The models write this placeholder where they mean the year of their training data. */
const YEAR_PLACEHOLDER = '[[训练时间]]';
const YEAR = '2023年';

export function strip(text: string): string {
  return text.replace(LEADING, '').replace(TRAILING, '');
}

/** ChatGLM2's and ChatGLM3's clean-up of a whole answer. */
export function cleanAnswer(text: string): string {
  return strip(text).replaceAll(YEAR_PLACEHOLDER, YEAR);
}

/** The same for text that comes in parts: hands out only what later parts cannot change. */
export class AnswerCleaner {
  private held = '';
  private started = false;

  push(text: string): string {
    let buffer = (this.held + text).replaceAll(YEAR_PLACEHOLDER, YEAR);
    if (!this.started) buffer = buffer.replace(LEADING, '');
    const ready = buffer.slice(0, buffer.length - undecidedLength(buffer));
    this.held = buffer.slice(ready.length);
    if (ready !== '') this.started = true;
    return ready;
  }

  flush(): string {
    const rest = this.held.replace(TRAILING, '');
    this.held = '';
    return rest;
  }
}

const HAN = '[\\u4e00-\\u9fff]';
const MARKS: Readonly<Record<string, string>> = { ',': '，', '!': '！', ':': '：', ';': '；', '?': '？' };
const MARK_BESIDE_HAN = new RegExp(`(?<=${HAN})[,!:;?]|[,!:;?](?=${HAN})`, 'g');
const LAST_IS_HAN = new RegExp(`${HAN}$`);

/**
 * ChatGLM-6B's clean-up of punctuation, for text that comes in parts: its tokenizer makes full-width marks narrow, so a mark
 * beside a Chinese character becomes wide again.
 */
export class HanPunctuation {
  /** A mark that the next character decides on, or nothing. */
  private held = '';
  private afterHan = false;

  push(text: string): string {
    if (text === '') return '';
    // The character before is only looked at, never given out again.
    const before = this.afterHan ? '一' : '';
    const widened = (before + this.held + text)
      .replace(MARK_BESIDE_HAN, (mark) => MARKS[mark])
      .slice(before.length);
    this.held = /[,!:;?]$/.exec(widened)?.[0] ?? '';
    const ready = widened.slice(0, widened.length - this.held.length);
    if (ready !== '') this.afterHan = LAST_IS_HAN.test(ready);
    return ready;
  }

  flush(): string {
    const rest = this.held;
    this.held = '';
    return rest;
  }
}

/** Length of the end that may still vanish: trailing spaces, or the beginning of the placeholder. */
function undecidedLength(text: string): number {
  const spaces = TRAILING.exec(text);
  if (spaces) return spaces[0].length;
  for (let length = YEAR_PLACEHOLDER.length - 1; length > 0; length--) {
    if (text.endsWith(YEAR_PLACEHOLDER.slice(0, length))) return length;
  }
  return 0;
}

/** Joins what a stream gives for ids, up to the first stop token. */
export function decodeWith(stream: StreamDecoder, ids: readonly number[]): string {
  return ids.map((id) => stream.push(id)).join('') + stream.flush();
}

/** Text up to the first stop token, without the white space around it. */
export class TrimmedStream implements StreamDecoder {
  private readonly cleaner = new AnswerCleaner();
  private stopped = false;

  constructor(
    private readonly decoder: StreamDecoder,
    private readonly stopIds: readonly number[],
  ) {}

  push(id: number): string {
    this.stopped ||= this.stopIds.includes(id);
    return this.stopped ? '' : this.cleaner.push(this.decoder.push(id));
  }

  flush(): string {
    return this.cleaner.push(this.decoder.flush()) + this.cleaner.flush();
  }
}
