/**
 * Channels to child processes, newline-delimited JSON both ways.
 *
 * A training process listens on a local socket whose path stands in `process.json` of its run directory, so that an
 * editor can come and go. A chat process speaks over its standard input and output and ends with them.
 */
import type { ErrorData } from './errors';

/** `process.json` of a run directory while its process lives. */
export interface ProcessFile {
  pid: number;
  /** ISO 8601, for people. */
  started: string;
  /** Path of the local socket (a named pipe on Windows). Only the run's own process answers there: process ids are reused. */
  socket: string;
}

/** Requests to a training process. `stop` writes a checkpoint first; `stopNow` does not. */
export type ControlMethod = 'status' | 'stop' | 'stopNow';

export interface ControlRequest {
  id: number;
  method: ControlMethod;
}

export interface ControlReply {
  id: number;
  result?: { state: RunState; step: number };
  error?: ErrorData;
}

export type RunState = 'preparing' | 'training' | 'stopping' | 'stopped' | 'done' | 'failed';

/** Sampling settings; the filters apply in the order repetition penalty, temperature, top-k, top-p. */
export interface SamplingSettings {
  /** False: greedy, the others (but the repetition penalty) are ignored. */
  do_sample: boolean;
  temperature: number;
  top_p: number;
  /** 0: off. */
  top_k: number;
  repetition_penalty: number;
  max_new_tokens: number;
  seed: number;
}

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** What a chat process loads; the last two are as in a run file. */
export interface ChatModel {
  /** Checkpoint directory. */
  model: string;
  /** Adapter directory, or null. */
  adapter: string | null;
  dtype: 'float32' | 'bfloat16' | 'float16';
  quantization: 'nf4' | null;
  template: 'chatglm' | 'chatglm2' | 'chatglm3' | 'glm4' | 'jinja' | null;
}

/** Editor -> chat process. One reply (`result` or `error`) per id; `chat` also sends `token` notes before it. */
export type ChatRequest =
  | {
      id: number;
      method: 'load';
      params: ChatModel;
    }
  | { id: number; method: 'chat'; params: { messages: ChatMessage[]; sampling: SamplingSettings } }
  | { id: number; method: 'cancel'; params: { target: number } }
  | { id: number; method: 'shutdown' };

export interface ChatResult {
  text: string;
  finish_reason: 'stop' | 'length' | 'cancelled';
  prompt_tokens: number;
  completion_tokens: number;
  /** Of the whole answer, the prompt's processing included. */
  tokens_per_second: number;
  /** From the question to the first token of the answer; null where there is none. */
  first_token_seconds: number | null;
}

/** Chat process -> editor. `text` of a token note is what to append. */
export type ChatReply =
  | { id: number; result: ChatResult | { loaded: true; parameters: number } | null }
  | { id: number; error: ErrorData; message: string }
  | { note: 'token'; id: number; text: string };
