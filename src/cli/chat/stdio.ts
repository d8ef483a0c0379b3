/** `chat --stdio`: requests on standard input, replies and token notes on standard output, one JSON object a line. */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { LanguageModel } from '../../engine';
import type { ChatMessage, ChatModel, ChatReply, ChatRequest, ChatResult } from '../../protocol/control';
import { GlmError, toErrorData } from '../../protocol/errors';
import { describeThrown } from '../../text/errors';
import type { Translate } from '../../text/translate';
import { answer } from './answer';

type LoadRequest = Extract<ChatRequest, { method: 'load' }>;
type ChatTurn = Extract<ChatRequest, { method: 'chat' }>;

/** Loads a model; the engine is opened by the first load. */
export type LoadModel = (params: LoadRequest['params']) => Promise<LanguageModel>;

/** Serves requests until `shutdown` or the end of the input. */
export async function serveChat(
  t: Translate,
  input: Readable,
  send: (reply: ChatReply) => void,
  load: LoadModel,
): Promise<void> {
  const service = new ChatService(t, send, load);
  const lines = createInterface({ input, crlfDelay: Infinity });
  for await (const line of lines) {
    if (line.trim() === '') continue;
    if (!service.receive(line)) break;
  }
  lines.close();
  await service.stop();
}

export class ChatService {
  private model: LanguageModel | null = null;
  private loaded: string | null = null;
  /** Loads and answers run one after the other, in the order of their requests. */
  private queue: Promise<void> = Promise.resolve();
  private readonly turns = new Map<number, AbortController>();

  constructor(
    private readonly t: Translate,
    private readonly send: (reply: ChatReply) => void,
    private readonly loadModel: LoadModel,
  ) {}

  /** Takes one request line; false after `shutdown`. Cancelling is immediate, the rest waits its turn. */
  receive(line: string): boolean {
    let request: ChatRequest;
    try {
      request = parseRequest(line);
    } catch (error) {
      this.fail(requestId(line), error);
      return true;
    }
    switch (request.method) {
      case 'load':
        this.enqueue(request.id, () => this.load(request));
        return true;
      case 'chat': {
        const controller = new AbortController();
        this.turns.set(request.id, controller);
        this.enqueue(request.id, () => this.chat(request, controller.signal));
        return true;
      }
      case 'cancel':
        this.turns.get(request.params.target)?.abort();
        this.send({ id: request.id, result: null });
        return true;
      case 'shutdown':
        this.send({ id: request.id, result: null });
        return false;
    }
  }

  /** Cancels what is running and frees the model. */
  async stop(): Promise<void> {
    for (const controller of this.turns.values()) controller.abort();
    await this.queue;
    await this.unload();
  }

  private enqueue(id: number, work: () => Promise<ChatResult | { loaded: true; parameters: number }>): void {
    this.queue = this.queue.then(async () => {
      try {
        this.send({ id, result: await work() });
      } catch (error) {
        this.fail(id, error);
      } finally {
        this.turns.delete(id);
      }
    });
  }

  private async load({ params }: LoadRequest): Promise<{ loaded: true; parameters: number }> {
    const key = JSON.stringify(params);
    if (!this.model || this.loaded !== key) {
      // Two models at once may not fit into memory.
      await this.unload();
      this.model = await this.loadModel(params);
      this.loaded = key;
    }
    return { loaded: true, parameters: this.model.parameters };
  }

  private async chat({ id, params }: ChatTurn, signal: AbortSignal): Promise<ChatResult> {
    if (!this.model) throw new GlmError('chat.notLoaded', {});
    const { messages, sampling } = params;
    return answer(this.model, {
      messages,
      sampling,
      signal,
      onText: (text) => this.send({ note: 'token', id, text }),
    });
  }

  private async unload(): Promise<void> {
    const { model } = this;
    this.model = null;
    this.loaded = null;
    await model?.dispose();
  }

  private fail(id: number, error: unknown): void {
    this.send({ id, error: toErrorData(error), message: describeThrown(this.t, error).message });
  }
}

/** A request whose parts have the types they are used as. Throws GlmError `chat.badRequest`. */
function parseRequest(line: string): ChatRequest {
  const bad = (detail: string): GlmError => new GlmError('chat.badRequest', { detail });
  let value: Partial<ChatRequest> & { params?: Record<string, unknown> };
  try {
    value = JSON.parse(line) as typeof value;
  } catch {
    throw bad(line.slice(0, 200));
  }
  if (typeof value !== 'object' || value === null || typeof value.id !== 'number') throw bad('id');
  const params = value.params ?? {};
  switch (value.method) {
    case 'load':
      if (typeof params.model !== 'string') throw bad('params.model');
      if (params.adapter !== null && typeof params.adapter !== 'string') throw bad('params.adapter');
      if (!isOneOf(params.dtype, ['float32', 'bfloat16', 'float16'])) throw bad('params.dtype');
      // Clients older than these two keys do not send them.
      params.quantization ??= null;
      params.template ??= null;
      if (!isOneOf(params.quantization, [null, 'nf4'])) throw bad('params.quantization');
      if (!isOneOf(params.template, TEMPLATES)) throw bad('params.template');
      break;
    case 'chat':
      if (!isConversation(params.messages)) throw bad('params.messages');
      if (!isSampling(params.sampling)) throw bad('params.sampling');
      break;
    case 'cancel':
      if (typeof params.target !== 'number') throw bad('params.target');
      break;
    case 'shutdown':
      break;
    default:
      throw bad(String((value as { method?: unknown }).method));
  }
  return value as ChatRequest;
}

const TEMPLATES: readonly ChatModel['template'][] = [
  null,
  'chatglm',
  'chatglm2',
  'chatglm3',
  'glm4',
  'jinja',
];

function isOneOf(value: unknown, allowed: readonly (string | null)[]): boolean {
  return allowed.includes(value as string | null);
}

function isConversation(messages: unknown): messages is ChatMessage[] {
  return (
    Array.isArray(messages) &&
    messages.length > 0 &&
    messages.every(
      (message: Partial<ChatMessage> | null) =>
        typeof message?.content === 'string' &&
        ['system', 'user', 'assistant'].includes(message.role as string),
    )
  );
}

const SAMPLING_NUMBERS = ['temperature', 'top_p', 'top_k', 'repetition_penalty', 'max_new_tokens', 'seed'];

function isSampling(sampling: unknown): boolean {
  if (typeof sampling !== 'object' || sampling === null) return false;
  const values = sampling as Record<string, unknown>;
  return (
    typeof values.do_sample === 'boolean' &&
    SAMPLING_NUMBERS.every((key) => typeof values[key] === 'number' && Number.isFinite(values[key]))
  );
}

/** The id of a request that cannot be understood, so that its sender can match the error; -1 where it has none. */
function requestId(line: string): number {
  const id = /"id"\s*:\s*(-?\d+)/.exec(line)?.[1];
  return id === undefined ? -1 : Number(id);
}
