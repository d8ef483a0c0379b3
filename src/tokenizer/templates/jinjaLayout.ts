/** From a rendered conversation to tokens, their origin and their labels. */
import type { Message } from '../../dataset/types';
import { encodeTrusted } from '../bytelevel/align';
import type { ByteLevelTokenizer } from '../bytelevel/byteLevelTokenizer';
import { isData, messageOf, type Marked } from '../jinja/marked';
import type { TokenRun } from '../types';
import { addRun, IGNORED, type Segment } from './segments';
import type { AlignedIds } from './textParts';

/** Only what the template itself writes can be a control token. */
export function encodeMarked(tokenizer: ByteLevelTokenizer, text: Marked): AlignedIds {
  return encodeTrusted(tokenizer, text.text, (start, end) => {
    for (let index = start; index < end; index++) if (isData(text.marks.charCodeAt(index))) return false;
    return true;
  });
}

/** What is needed to label a conversation. */
export interface LabelRules {
  stopIds: readonly number[];
  /** Control tokens: one that begins the next turn is learnt, too. */
  controlIds: ReadonlySet<number>;
  /** What the template writes to ask for an answer; the model writes what follows it. */
  generationPrompt: string;
  /** True for messages that are trained, if they are answers. */
  trained: readonly boolean[];
  /** Index in the record of each message, where some are left out. */
  indices: readonly number[];
}

/** Segments of a row without its closing token, and that token if the template writes one after answers. */
export interface LabelledRow {
  segments: Segment[];
  closingId: number | null;
}

/** Where a message stands in the text, and where its own content does; empty where it brings none. */
interface Span {
  start: number;
  end: number;
  dataStart: number;
  dataEnd: number;
}

/** Labels a rendered conversation: one object a rendering. */
export class RenderedLabels {
  private readonly ids: readonly number[];
  private readonly starts: readonly number[];
  /** Message of each token. */
  private readonly owners: readonly (number | null)[];
  private readonly labels: number[];
  /** Token from which on each trained answer may be cut. */
  private readonly cuttable = new Map<number, number>();
  private closingId: number | null = null;

  constructor(
    private readonly rendered: Marked,
    { ids, starts }: AlignedIds,
    private readonly messages: readonly Message[],
    private readonly rules: LabelRules,
  ) {
    this.ids = ids;
    this.starts = starts;
    this.owners = starts.map((start) => messageOf(this.markAt(start)));
    this.labels = ids.map(() => IGNORED);
  }

  /** Of a trained answer everything that the model has to write, from where the prompt ends to the stop token that follows. */
  row(): LabelledRow {
    const spans = this.spans();
    for (const [index, message] of this.messages.entries()) {
      const span = spans.get(index);
      if (message.role === 'assistant' && this.rules.trained[index] && span) this.train(index, span);
    }
    const last = this.owners.findLastIndex((owner) => owner !== null);
    const segments: Segment[] = [];
    for (let from = 0; from <= last;) {
      let end = from + 1;
      while (end <= last && this.owners[end] === this.owners[from]) end++;
      segments.push(this.segment(from, end));
      from = end;
    }
    return { segments: this.withoutClosing(segments), closingId: this.closingId };
  }

  private train(index: number, span: Span): void {
    const from = this.tokenAt(this.answerStart(span));
    const end = this.answerEnd(span);
    for (let at = from; at < end; at++) this.labels[at] = this.ids[at];
    // A row that is cut keeps at least one token of the content itself.
    this.cuttable.set(index, Math.max(from, this.tokenAt(span.dataStart)));
    const owner = this.owners[end - 1];
    const isOwn = owner === index || owner === null;
    if (isOwn && this.rules.stopIds.includes(this.ids[end - 1])) this.closingId = this.ids[end - 1];
  }

  private spans(): Map<number, Span> {
    const spans = new Map<number, Span>();
    for (let at = 0; at < this.rendered.length; at++) {
      const mark = this.markAt(at);
      const message = messageOf(mark);
      if (message === null) continue;
      let span = spans.get(message);
      if (!span) spans.set(message, (span = { start: at, end: at, dataStart: -1, dataEnd: -1 }));
      span.end = at + 1;
      if (!isData(mark)) continue;
      if (span.dataStart < 0) span.dataStart = at;
      span.dataEnd = at + 1;
    }
    for (const span of spans.values()) if (span.dataStart < 0) span.dataStart = span.dataEnd = span.end;
    return spans;
  }

  /**
   * Where the model begins to write: behind the generation prompt. A template may write less of it before an answer in the
   * history (without `<think>`), so its longest beginning counts that the template itself writes there.
   */
  private answerStart({ start, end, dataStart }: Span): number {
    const { generationPrompt } = this.rules;
    const { text } = this.rendered;
    const whole = text.slice(start, dataStart + generationPrompt.length).indexOf(generationPrompt);
    if (generationPrompt !== '' && whole >= 0 && start + whole <= dataStart) {
      return Math.min(start + whole + generationPrompt.length, end);
    }
    const before = text.slice(start, dataStart);
    for (let length = generationPrompt.length - 1; length > 0; length--) {
      const at = before.indexOf(generationPrompt.slice(0, length));
      if (at >= 0) return start + at + length;
    }
    return dataStart;
  }

  /** Index of the token after the last one that the model writes: after the stop token, where there is one. */
  private answerEnd(span: Span): number {
    const end = this.tokenAt(span.end);
    for (let at = this.tokenAt(span.dataEnd); at < this.ids.length; at++) {
      const isNextTurn = at >= end && this.rules.controlIds.has(this.ids[at]);
      if (isNextTurn || this.rules.stopIds.includes(this.ids[at])) return at + 1;
      // Before a turn that begins without a control token nothing is to be stopped at.
      if (isData(this.markAt(this.starts[at]))) break;
    }
    return end;
  }

  private segment(from: number, end: number): Segment {
    const owner = this.owners[from];
    const message = owner === null ? null : this.rules.indices[owner];
    const runs: TokenRun[] = [];
    for (let at = from; at < end; at++) {
      const isContent = owner !== null && isData(this.markAt(this.starts[at]));
      addRun(runs, isContent ? this.messages[owner].role : 'control', message, 1);
    }
    const cuttable = owner === null ? undefined : this.cuttable.get(owner);
    return {
      ids: this.ids.slice(from, end),
      labels: this.labels.slice(from, end),
      runs,
      shortest: cuttable === undefined ? null : Math.max(0, cuttable - from) + 1,
    };
  }

  /** The last segment without the closing token and what follows it: `fitConversation` adds that token itself. */
  private withoutClosing(segments: Segment[]): Segment[] {
    const last = segments.at(-1);
    const at = last && this.closingId !== null ? last.ids.lastIndexOf(this.closingId) : -1;
    if (!last || at < 0) return segments;
    const rest = { ...last, ids: last.ids.slice(0, at), labels: last.labels.slice(0, at) };
    return [...segments.slice(0, -1), rest];
  }

  /** Index of the first token that begins at a character or behind it. */
  private tokenAt(character: number): number {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle] < character) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private markAt(character: number): number {
    return this.rendered.marks.charCodeAt(character);
  }
}
