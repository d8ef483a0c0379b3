/** The view's end of the channel to the extension host. */
import type { ReplyMessage } from '../../src/protocol/webview';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

// VS Code hands the API out once; nobody else gets it.
const api = acquireVsCodeApi();

/** Every message of a host has a type; only the host can post to this frame. */
interface HostMessage {
  type: string;
}

let nextId = 1;
const waiting = new Map<number, (ok: boolean) => void>();

/** Listens to the host, then tells it that the view can be sent to. */
export function connect<Incoming extends HostMessage>(
  receive: (message: Exclude<Incoming, ReplyMessage>) => void,
): void {
  window.addEventListener('message', (event: MessageEvent<Incoming | ReplyMessage>) => {
    const message = event.data;
    if (isReply(message)) {
      waiting.get(message.id)?.(message.ok);
      waiting.delete(message.id);
    } else {
      receive(message as Exclude<Incoming, ReplyMessage>);
    }
  });
  send({ type: 'ready' });
}

export function send<Outgoing extends HostMessage>(message: Outgoing): void {
  api.postMessage(message);
}

/** Asks the host to do something; resolves when it is done, with whether it was. */
export function request<Method extends string>(method: Method): Promise<boolean> {
  const id = nextId++;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    send({ type: 'request', id, method });
  });
}

/** What the view remembers across reloads. */
export function loadState<State extends object>(): Partial<State> {
  const state = api.getState();
  return typeof state === 'object' && state !== null ? state : {};
}

export function saveState<State extends object>(changes: Partial<State>): void {
  api.setState({ ...loadState<State>(), ...changes });
}

function isReply(message: HostMessage): message is ReplyMessage {
  return message.type === 'reply';
}
