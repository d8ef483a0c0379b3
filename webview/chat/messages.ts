/** The conversation. Texts are shown as they are: never as markup. */
import type { ChatMessage } from '../../src/protocol/control';
import type { ChatState, ChatStatus, ChatStrings } from '../../src/protocol/webview';
import { element, icon } from '../shared/dom';
import { request } from '../shared/messaging';
import { button } from '../shared/ui';

/** Distance in pixels from the end within which the view keeps following the answer. */
const FOLLOW_PX = 48;

export class MessagesView {
  readonly root: HTMLElement;
  /** Finished answers, for screen readers: a growing text would be read again and again. */
  readonly live = element('div', { class: 'visually-hidden', attributes: { 'aria-live': 'polite' } });
  private readonly list = element('div', { class: 'list' });
  private readonly status = element('div', { class: 'status' });
  private answer: Text | null = null;
  private answering = false;

  constructor(private readonly strings: ChatStrings) {
    this.root = element('main', { class: 'messages', attributes: { tabindex: '-1' } }, [
      this.list,
      this.status,
    ]);
  }

  update(state: ChatState): void {
    const follow = this.following();
    const items = state.messages.map((message) => this.message(message));
    const empty = items.length === 0 && state.status.kind !== 'engineMissing';
    this.list.replaceChildren(...(empty ? [this.empty(state.targets.length > 0)] : items));
    this.status.replaceChildren(...this.statusElements(state.status));
    this.announce(state);
    if (follow) this.scrollToEnd();
  }

  append(text: string): void {
    const follow = this.following();
    this.answer?.appendData(text);
    if (follow) this.scrollToEnd();
  }

  private message({ role, content }: ChatMessage): HTMLElement {
    const user = role === 'user';
    const text = document.createTextNode(content);
    if (!user) this.answer = text;
    const body = element('div', { class: 'text' });
    body.append(text);
    return element('article', { class: `message ${user ? 'user' : 'assistant'}` }, [
      element('h2', {}, [
        icon(user ? 'account' : 'hubot'),
        document.createTextNode(user ? this.strings.you : this.strings.assistant),
      ]),
      body,
    ]);
  }

  private empty(hasTargets: boolean): HTMLElement {
    return element('div', { class: 'empty' }, [
      icon('comment-discussion'),
      element('p', { text: this.strings.emptyTitle }),
      element('p', { class: 'hint', text: hasTargets ? this.strings.emptyHint : this.strings.noModels }),
    ]);
  }

  private statusElements(status: ChatStatus): HTMLElement[] {
    switch (status.kind) {
      case 'engineMissing': {
        const install = button(this.strings.installEngine, 'primary', () => void request('installEngine'));
        install.dataset['action'] = 'installEngine';
        return [element('div', { class: 'missing' }, [element('p', { text: status.text }), install])];
      }
      case 'working': {
        const ring = document.createElement('vscode-progress-ring');
        ring.setAttribute('aria-label', status.text);
        return [element('div', { class: 'working' }, [ring, element('span', { text: status.text })])];
      }
      case 'error':
        return [
          element('div', { class: 'notice error', attributes: { role: 'alert' } }, [
            icon('error'),
            element('p', { text: status.text }),
            element('p', { class: 'remedy', text: status.remedy }),
          ]),
        ];
      default:
        return [];
    }
  }

  private announce(state: ChatState): void {
    const finished = this.answering && state.status.kind === 'idle';
    this.answering = state.status.kind === 'answering';
    this.root.setAttribute('aria-busy', String(this.answering));
    const last = state.messages.at(-1);
    if (finished && last?.role === 'assistant') this.live.textContent = last.content;
  }

  private following(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.root;
    return scrollHeight - scrollTop - clientHeight < FOLLOW_PX;
  }

  private scrollToEnd(): void {
    this.root.scrollTop = this.root.scrollHeight;
  }
}
