/** A chat process: one at a time, speaking newline-delimited JSON over its standard input and output. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type {
  ChatMessage,
  ChatModel,
  ChatReply,
  ChatRequest,
  ChatResult,
  SamplingSettings,
} from '../../protocol/control';
import { GlmError } from '../../protocol/errors';
import { Disposable } from '../lifecycle';
import { LineBuffer } from '../process/lines';
import type { CliInvocation } from '../runtimes';

interface Pending {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
  onToken?: (text: string) => void;
}

const STDERR_CHARACTERS = 2000;
/** Milliseconds that a process is given to end by itself. */
const SHUTDOWN_MS = 2000;

type RequestBody = ChatRequest extends infer R ? (R extends { id: number } ? Omit<R, 'id'> : never) : never;

export class ChatClient extends Disposable {
  private child: ChildProcessWithoutNullStreams | null = null;
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private errorText = '';

  constructor(
    private readonly invoke: () => Promise<CliInvocation>,
    private readonly onLog: (line: string) => void,
  ) {
    super();
  }

  /** Loads a model, starting the process if there is none. Resolves with its number of parameters. */
  async load(model: ChatModel): Promise<number> {
    await this.start();
    const result = await this.request({ method: 'load', params: model });
    return (result as { parameters: number }).parameters;
  }

  /** True while a process with its loaded model is there. */
  get running(): boolean {
    return this.child !== null;
  }

  /** Answers a conversation; `onToken` gets each piece as it is generated. Aborting ends it with what there is. */
  async chat(
    messages: ChatMessage[],
    sampling: SamplingSettings,
    onToken: (text: string) => void,
    signal: AbortSignal,
  ): Promise<ChatResult> {
    const id = this.nextId;
    const cancel = (): void => {
      void this.request({ method: 'cancel', params: { target: id } }).catch(() => undefined);
    };
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return (await this.request({ method: 'chat', params: { messages, sampling } }, onToken)) as ChatResult;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  /** Ends the process and frees the model's memory. */
  stop(): void {
    const child = this.child;
    if (!child) return;
    this.child = null;
    this.rejectAll(new GlmError('host.chatEnded', { detail: '' }));
    child.stdin.end(`${JSON.stringify({ id: this.nextId++, method: 'shutdown' })}\n`);
    const timer = setTimeout(() => child.kill('SIGKILL'), SHUTDOWN_MS);
    timer.unref();
    child.once('exit', () => clearTimeout(timer));
  }

  override dispose(): void {
    const child = this.child;
    super.dispose();
    this.stop();
    // The host may end before the grace time does: a signal needs no later turn of ours.
    child?.kill('SIGTERM');
  }

  private async start(): Promise<void> {
    if (this.child) return;
    const { command, args, env } = await this.invoke();
    // Nobody would end a process that starts after the window has gone.
    if (this.isDisposed) throw new GlmError('host.chatEnded', { detail: '' });
    const child = spawn(command, args, { env, windowsHide: true, stdio: 'pipe' });
    this.child = child;
    this.errorText = '';
    const lines = new LineBuffer();
    const errors = new LineBuffer();
    child.stdout.on('data', (chunk: Buffer) => lines.push(chunk).forEach((line) => this.receive(line)));
    child.stderr.on('data', (chunk: Buffer) => {
      for (const line of errors.push(chunk)) {
        this.errorText = `${this.errorText}\n${line}`.slice(-STDERR_CHARACTERS);
        this.onLog(line);
      }
    });
    child.stdin.on('error', () => undefined); // The exit handler reports a process that is gone.
    child.once('error', (error) => this.ended(child, error.message));
    // Not `exit`: its last reply and its last words may still be on the way then.
    child.once('close', (code, signal) => this.ended(child, this.errorText.trim() || String(signal ?? code)));
  }

  private request(body: RequestBody, onToken?: (text: string) => void): Promise<unknown> {
    const child = this.child;
    if (!child) return Promise.reject(new GlmError('host.chatEnded', { detail: '' }));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, onToken ? { resolve, reject, onToken } : { resolve, reject });
      child.stdin.write(`${JSON.stringify({ id, ...body })}\n`);
    });
  }

  private receive(line: string): void {
    const reply = parseReply(line);
    const pending = reply && this.pending.get(reply.id);
    if (!reply || !pending) return;
    if ('note' in reply) {
      pending.onToken?.(reply.text);
      return;
    }
    this.pending.delete(reply.id);
    if ('error' in reply) pending.reject(new GlmError(reply.error.code, reply.error.args as never));
    else pending.resolve(reply.result);
  }

  private ended(child: ChildProcessWithoutNullStreams, detail: string): void {
    if (this.child !== child) return;
    this.child = null;
    this.rejectAll(new GlmError('host.chatEnded', { detail }));
  }

  private rejectAll(error: Error): void {
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}

function parseReply(line: string): ChatReply | null {
  try {
    const value = JSON.parse(line) as ChatReply;
    return typeof value === 'object' && value !== null && typeof value.id === 'number' ? value : null;
  } catch {
    return null;
  }
}
