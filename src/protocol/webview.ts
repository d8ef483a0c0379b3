/**
 * Messages between the extension host and its webviews. The host sends text ready to be shown; a view sends what the user
 * did. A view says `ready` when its script runs, and gets nothing before that.
 */
import type { ChatMessage, SamplingSettings } from './control';

/** View -> host, first message of every view. */
export interface ReadyMessage {
  type: 'ready';
}

/** View -> host: do this and answer with the same id. */
export interface RequestMessage<Method extends string> {
  type: 'request';
  id: number;
  method: Method;
}

/** Host -> view: the answer to a request. A failure has been shown by the host already. */
export interface ReplyMessage {
  type: 'reply';
  id: number;
  ok: boolean;
}

// ---- Run panel ---------------------------------------------------------------------------------------------------

export type RunAction = 'stop' | 'resume' | 'chat' | 'openRunFile' | 'openLog' | 'revealOutput';

export type RunViewMessage = ReadyMessage | RequestMessage<RunAction>;

/** Fixed labels of the run panel, in the display language. */
export interface RunStrings {
  language: string;
  loss: string;
  /** Lines of the loss chart. */
  raw: string;
  smoothed: string;
  validation: string;
  /** Columns of tables. */
  trainingLoss: string;
  validationLoss: string;
  learningRate: string;
  gradientNorm: string;
  tokensPerSecond: string;
  smoothing: string;
  step: string;
  epoch: string;
  checkpoints: string;
  best: string;
  table: string;
  /** With `{count}`. */
  tableNote: string;
  noPoints: string;
  progress: string;
}

/** A notice in the panel: what happened and what to do about it. */
export interface RunNotice {
  severity: 'error' | 'warning' | 'info';
  message: string;
  remedy: string;
}

/** A name and a value, both ready to be shown. */
export interface RunFact {
  label: string;
  value: string;
}

/** Everything in the panel but the curves. */
export interface RunHeader {
  name: string;
  phase: 'preparing' | 'training' | 'stopping' | 'stopped' | 'done' | 'failed' | 'interrupted';
  phaseLabel: string;
  /** What is being trained, in one line. */
  subtitle: string;
  /** "Step 12 of 300 · epoch 0.4 of 3 · 2 min left", or what is happening instead. */
  progressText: string;
  /** 0 to 1; null while it cannot be known. */
  fraction: number | null;
  facts: RunFact[];
  notices: RunNotice[];
  checkpoints: { step: string; path: string; evaluation: string; best: boolean }[];
  summary: { title: string; facts: RunFact[] } | null;
  /** Actions offered now, in order; the first is the main one. */
  actions: { action: RunAction; label: string; primary: boolean }[];
  /** A sentence for screen readers, changed only when something worth hearing happened. */
  announcement: string;
}

/** Columns of equal length; a value that is not a finite number is null. */
export interface StepColumns {
  step: number[];
  epoch: (number | null)[];
  loss: (number | null)[];
  lr: (number | null)[];
  gradNorm: (number | null)[];
  tokensPerSecond: (number | null)[];
}

export interface EvalColumns {
  step: number[];
  loss: (number | null)[];
}

export type RunHostMessage =
  /** `directory` names the run when the panel is restored after a reload. */
  | { type: 'init'; strings: RunStrings; directory: string }
  | { type: 'header'; header: RunHeader }
  /** Append; first drop all points (`reset`) or those after step `keepThrough` (the run was resumed from there). */
  | { type: 'points'; reset: boolean; keepThrough: number | null; steps: StepColumns; evals: EvalColumns }
  | ReplyMessage;

// ---- Chat view ---------------------------------------------------------------------------------------------------

export type ChatAction = 'installEngine' | 'stop';

export type ChatViewMessage =
  | ReadyMessage
  | RequestMessage<ChatAction>
  | { type: 'send'; text: string }
  | { type: 'select'; target: string }
  | { type: 'sampling'; changes: Partial<SamplingSettings> };

/** Fixed labels of the chat view, in the display language. */
export interface ChatStrings {
  language: string;
  model: string;
  noModels: string;
  placeholder: string;
  send: string;
  stop: string;
  you: string;
  assistant: string;
  emptyTitle: string;
  emptyHint: string;
  sampling: string;
  installEngine: string;
  greedy: string;
  /** Names and one-line explanations of the sampling values. */
  fields: Record<Exclude<keyof SamplingSettings, 'do_sample'>, { label: string; hint: string }>;
}

export interface ChatTargetItem {
  id: string;
  label: string;
}

/** `working`: a model is being loaded, or has not begun to answer. */
export type ChatStatus =
  | { kind: 'idle' }
  | { kind: 'engineMissing'; text: string }
  | { kind: 'working'; text: string }
  | { kind: 'answering' }
  | { kind: 'error'; text: string; remedy: string };

export interface ChatState {
  targets: ChatTargetItem[];
  selected: string | null;
  messages: ChatMessage[];
  status: ChatStatus;
  sampling: SamplingSettings;
  /** "12.3 tokens/s · 48 tokens" of the last answer; empty before one. */
  footer: string;
}

export type ChatHostMessage =
  | { type: 'init'; strings: ChatStrings }
  | { type: 'state'; state: ChatState }
  /** Appends to the answer being written. */
  | { type: 'token'; text: string }
  /** Puts the cursor into the message box. */
  | { type: 'focus' }
  | ReplyMessage;

// ---- Guards: a message from a view is foreign data ------------------------------------------------------------------

const RUN_ACTIONS: readonly string[] = ['stop', 'resume', 'chat', 'openRunFile', 'openLog', 'revealOutput'];
const CHAT_ACTIONS: readonly string[] = ['installEngine', 'stop'];

/** Ranges of sampling values that a view may set: [least, most, whole numbers only]. */
export const SAMPLING_RANGES: Record<
  Exclude<keyof SamplingSettings, 'do_sample'>,
  readonly [number, number, boolean]
> = {
  temperature: [0.01, 2, false],
  top_p: [0.01, 1, false],
  top_k: [0, 1000, true],
  repetition_penalty: [0.5, 2, false],
  max_new_tokens: [1, 32768, true],
  seed: [0, 0xffffffff, true],
};

type Plain = Record<string, unknown>;

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null;
}

function isRequest(value: Plain, actions: readonly string[]): boolean {
  return value['type'] === 'request' && typeof value['id'] === 'number' && isOneOf(value['method'], actions);
}

function isOneOf(value: unknown, allowed: readonly string[]): boolean {
  return typeof value === 'string' && allowed.includes(value);
}

export function isRunViewMessage(value: unknown): value is RunViewMessage {
  return isPlain(value) && (value['type'] === 'ready' || isRequest(value, RUN_ACTIONS));
}

export function isChatViewMessage(value: unknown): value is ChatViewMessage {
  if (!isPlain(value)) return false;
  switch (value['type']) {
    case 'ready':
      return true;
    case 'send':
      return typeof value['text'] === 'string';
    case 'select':
      return typeof value['target'] === 'string';
    case 'sampling':
      return isPlain(value['changes']) && Object.entries(value['changes']).every(isSamplingEntry);
    default:
      return isRequest(value, CHAT_ACTIONS);
  }
}

function isSamplingEntry([key, value]: [string, unknown]): boolean {
  if (key === 'do_sample') return typeof value === 'boolean';
  return isSamplingField(key) && typeof value === 'number' && samplingInRange(key, value);
}

function isSamplingField(key: string): key is keyof typeof SAMPLING_RANGES {
  return Object.hasOwn(SAMPLING_RANGES, key);
}

export function samplingInRange(key: keyof typeof SAMPLING_RANGES, value: number): boolean {
  const [least, most, whole] = SAMPLING_RANGES[key];
  return value >= least && value <= most && (!whole || Number.isInteger(value));
}
