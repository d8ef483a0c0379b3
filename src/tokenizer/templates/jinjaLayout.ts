/** From a rendered conversation to tokens, their origin and their labels. */
import type { Message } from '../../dataset/types';
import { encodeTrusted } from '../bytelevel/align';
import type { ByteLevelTokenizer } from '../bytelevel/byteLevelTokenizer';
import { isData, messageOf, type Marked } from '../jinja/marked';
import type { TokenRun } from '../types';
import { addRun, IGNORED, type Segment } from './segments';

/** Tokens of a rendered conversation. */
export interface RenderedTokens {
  ids: number[];
  /** UTF-16 index in the text at which each token begins. */
  starts: number[];
}

/** Only what the template itself writes can be a control token. */
export function encodeMarked(tokenizer: ByteLevelTokenizer, text: Marked): RenderedTokens {
  return encodeTrusted(tokenizer, text.text, (start, end) => {
    for (let index = start; index < end; index++) if (isData(text.marks.charCodeAt(index))) return false;
    return true;
  });
}

/** What is needed to label a conversation. */
export interface LabelRules {
  stopIds: readonly number[];
  /** What the template writes to ask for an answer; the model writes what follows it. */
  generationPrompt: string;
  /** True for messages that are trained; index as in `messages`. */
  trained: readonly boolean[];
  /** Number of the first message after those left out, to name them as in the record. */
  indexOf: (message: number) => number;
}

/** Segments of a row without its closing token, and that token if the template writes one after answers. */
export interface LabelledRow {
  segments: Segment[];
  closingId: number | null;
}

/**
 * Labels of a conversation: of a trained answer everything that the model has to write, from where the prompt ends to the
 * stop token that follows.
 */
export function labelRendered(
  rendered: Marked,
  { ids, starts }: RenderedTokens,
  messages: readonly Message[],
  rules: LabelRules,
): LabelledRow {
  const owners = starts.map((start) => messageOf(rendered.marks.charCodeAt(start)));
  const spans = messages.map((_, index) => spanOf(rendered, index));
  const labels = ids.map(() => IGNORED);
  const heads = new Map<number, number>();
  let closingId: number | null = null;
  for (const [index, message] of messages.entries()) {
    const span = spans[index];
    if (message.role !== 'assistant' || !rules.trained[index] || span === null) continue;
    const from = firstToken(starts, answerStart(rendered.text, span, rules.generationPrompt));
    heads.set(index, from);
    const end = answerEnd(rendered, ids, starts, span, rules.stopIds);
    for (let at = from; at < end; at++) labels[at] = ids[at];
    if (owners[end - 1] === index && rules.stopIds.includes(ids[end - 1])) closingId = ids[end - 1];
  }
  const last = owners.findLastIndex((owner) => owner !== null);
  const segments: Segment[] = [];
  for (let at = 0; at <= last;) {
    const owner = owners[at];
    let end = at + 1;
    while (end <= last && owners[end] === owner) end++;
    segments.push(makeSegment(at, end, owner, rendered, ids, starts, labels, messages, rules, heads));
    at = end;
  }
  return { segments: withoutClosing(segments, closingId), closingId };
}

/** Where a message stands in the text, and where its own content does. */
interface Span {
  start: number;
  end: number;
  /** Equal to `end` where the message brings no text. */
  dataStart: number;
  dataEnd: number;
}

function spanOf({ marks }: Marked, message: number): Span | null {
  const own = String.fromCharCode(2 + 2 * message);
  const data = String.fromCharCode(3 + 2 * message);
  const firsts = [marks.indexOf(own), marks.indexOf(data)].filter((at) => at >= 0);
  if (firsts.length === 0) return null;
  const end = Math.max(marks.lastIndexOf(own), marks.lastIndexOf(data)) + 1;
  const dataStart = marks.indexOf(data);
  return {
    start: Math.min(...firsts),
    end,
    dataStart: dataStart < 0 ? end : dataStart,
    dataEnd: dataStart < 0 ? end : marks.lastIndexOf(data) + 1,
  };
}

/**
 * Where the model begins to write: behind the generation prompt. A template may write less of it before an answer in the
 * history (without `<think>`), so its longest beginning counts that the template itself writes there.
 */
function answerStart(text: string, span: Span, generationPrompt: string): number {
  const whole = text.slice(span.start, span.dataStart + generationPrompt.length).indexOf(generationPrompt);
  if (generationPrompt !== '' && whole >= 0 && span.start + whole <= span.dataStart) {
    return Math.min(span.start + whole + generationPrompt.length, span.end);
  }
  const before = text.slice(span.start, span.dataStart);
  for (let length = generationPrompt.length - 1; length > 0; length--) {
    const at = before.indexOf(generationPrompt.slice(0, length));
    if (at >= 0) return span.start + at + length;
  }
  return span.dataStart;
}

/** Index of the token after the last one that the model writes: after the stop token, where there is one. */
function answerEnd(
  { marks }: Marked,
  ids: readonly number[],
  starts: readonly number[],
  span: Span,
  stopIds: readonly number[],
): number {
  const end = firstToken(starts, span.end);
  for (let at = firstToken(starts, span.dataEnd); at < ids.length; at++) {
    if (stopIds.includes(ids[at])) return at + 1;
    // The next message's own text, or what follows the conversation.
    const mark = marks.charCodeAt(starts[at]);
    if (isData(mark) || (at >= end && messageOf(mark) === null)) break;
  }
  return end;
}

function firstToken(starts: readonly number[], character: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle] < character) low = middle + 1;
    else high = middle;
  }
  return low;
}

function makeSegment(
  from: number,
  end: number,
  owner: number | null,
  { marks }: Marked,
  ids: readonly number[],
  starts: readonly number[],
  labels: readonly number[],
  messages: readonly Message[],
  rules: LabelRules,
  heads: ReadonlyMap<number, number>,
): Segment {
  const runs: TokenRun[] = [];
  for (let at = from; at < end; at++) {
    const isContent = owner !== null && isData(marks.charCodeAt(starts[at]));
    addRun(
      runs,
      isContent ? messages[owner].role : 'control',
      owner === null ? null : rules.indexOf(owner),
      1,
    );
  }
  const head = owner === null ? undefined : heads.get(owner);
  return {
    ids: ids.slice(from, end),
    labels: labels.slice(from, end),
    runs,
    shortest: head === undefined ? null : Math.max(0, head - from) + 1,
  };
}

/** The last segment without the closing token and what follows it, as `fitConversation` adds it. */
function withoutClosing(segments: Segment[], closingId: number | null): Segment[] {
  const last = segments.at(-1);
  if (!last || closingId === null) return segments;
  const at = last.ids.lastIndexOf(closingId);
  if (at < 0) return segments;
  return [
    ...segments.slice(0, -1),
    { ...last, ids: last.ids.slice(0, at), labels: last.labels.slice(0, at) },
  ];
}
