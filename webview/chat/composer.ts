/** The message box with its buttons. */
import type { ChatStatus, ChatStrings } from '../../src/protocol/webview';
import { element } from '../shared/dom';
import { request, send } from '../shared/messaging';
import { iconButton, type Button, type TextArea } from '../shared/ui';

const MAX_ROWS = 8;
/** keyCode of key events that an input method has taken. */
const IME_KEY_CODE = 229;

export class Composer {
  readonly root: HTMLElement;
  private readonly input: TextArea;
  private readonly sendButton: Button;
  private readonly stopButton: Button;
  private readonly footer = element('span', { class: 'footer' });
  private status: ChatStatus = { kind: 'idle' };
  private answerable = false;

  constructor(strings: ChatStrings) {
    this.input = document.createElement('vscode-text-area') as TextArea;
    this.input.placeholder = strings.placeholder;
    this.input.ariaLabel = strings.placeholder;
    this.input.rows = 2;
    this.input.addEventListener('input', () => this.changed());
    this.input.addEventListener('keydown', (event) => this.pressed(event));
    this.sendButton = iconButton('send', strings.send, () => this.submit());
    this.sendButton.dataset['action'] = 'send';
    this.stopButton = iconButton('debug-stop', strings.stop, () => void request('stop'));
    this.stopButton.dataset['action'] = 'stop';
    this.root = element('div', { class: 'composer' }, [
      this.input,
      element('div', { class: 'composer-row' }, [this.footer, this.stopButton, this.sendButton]),
    ]);
    this.changed();
  }

  update(status: ChatStatus, footer: string, answerable: boolean): void {
    this.status = status;
    this.answerable = answerable;
    this.footer.textContent = footer;
    this.changed();
  }

  focus(): void {
    this.input.focus();
  }

  private get busy(): boolean {
    return this.status.kind === 'answering' || this.status.kind === 'working';
  }

  private changed(): void {
    this.input.rows = Math.min(MAX_ROWS, Math.max(2, this.input.value.split('\n').length));
    this.sendButton.hidden = this.busy;
    this.stopButton.hidden = !this.busy;
    this.sendButton.disabled = !this.answerable || this.input.value.trim() === '';
  }

  /** Enter sends, Shift+Enter breaks the line; Enter that confirms an input method's candidate does neither. */
  private pressed(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === IME_KEY_CODE)
      return;
    event.preventDefault();
    this.submit();
  }

  private submit(): void {
    const text = this.input.value.trim();
    if (text === '' || this.busy || !this.answerable) return;
    send({ type: 'send', text });
    this.input.value = '';
    this.changed();
  }
}
