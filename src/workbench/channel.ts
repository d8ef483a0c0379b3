/** The host's end of the channel to a webview. */
import type * as vscode from 'vscode';
import type { ReplyMessage } from '../protocol/webview';
import { Disposable } from '../host/lifecycle';

export interface ChannelHandlers<Incoming> {
  isMessage(value: unknown): value is Incoming;
  /** The view's script runs (again): send it everything. */
  ready(): unknown;
  /** Anything else. A request is answered with whether this resolves to something other than false. */
  receive(message: Exclude<Incoming, { type: 'ready' }>): unknown;
}

interface Message {
  type: string;
}

/** Sends nothing before the view is ready, ignores what is not a message, and answers requests. */
export class Channel<Incoming extends Message, Outgoing extends Message> extends Disposable {
  private ready = false;

  constructor(
    private readonly webview: vscode.Webview,
    private readonly handlers: ChannelHandlers<Incoming>,
    private readonly onError: (error: unknown) => void,
  ) {
    super();
    this._register(webview.onDidReceiveMessage((value: unknown) => void this.handle(value)));
  }

  get isReady(): boolean {
    return this.ready;
  }

  /** Dropped while the view is not ready: `ready` then asks for everything. */
  send(message: Outgoing | ReplyMessage): void {
    if (this.ready && !this.isDisposed) void this.webview.postMessage(message);
  }

  private async handle(value: unknown): Promise<void> {
    if (!this.handlers.isMessage(value)) return;
    if (value.type === 'ready') {
      this.ready = true;
      await this.attempt(() => this.handlers.ready());
      return;
    }
    const ok = await this.attempt(() => this.handlers.receive(value as Exclude<Incoming, { type: 'ready' }>));
    if (value.type === 'request') this.send({ type: 'reply', id: (value as { id?: number }).id ?? 0, ok });
  }

  private async attempt(work: () => unknown): Promise<boolean> {
    try {
      return (await work()) !== false;
    } catch (error) {
      this.onError(error);
      return false;
    }
  }
}
