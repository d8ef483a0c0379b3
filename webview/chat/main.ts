/** The chat view. */
import '@vscode/codicons/dist/codicon.css';
import type { ChatHostMessage, ChatState, ChatStrings, ChatTargetItem } from '../../src/protocol/webview';
import '../shared/base.css';
import { byId, element } from '../shared/dom';
import { connect, send } from '../shared/messaging';
import { dropdownOption, registerChatComponents, type Dropdown } from '../shared/ui';
import './chat.css';
import { Composer } from './composer';
import { MessagesView } from './messages';
import { SamplingView } from './sampling';

class ChatView {
  private readonly models: Dropdown;
  private readonly messages: MessagesView;
  private readonly composer: Composer;
  private readonly sampling: SamplingView;
  private shownTargets = '';

  constructor(private readonly strings: ChatStrings) {
    document.documentElement.lang = strings.language;
    this.models = document.createElement('vscode-dropdown') as Dropdown;
    this.models.ariaLabel = strings.model;
    this.models.addEventListener('change', () => send({ type: 'select', target: this.models.value }));
    this.messages = new MessagesView(strings);
    this.composer = new Composer(strings);
    this.sampling = new SamplingView(strings);
    byId('root').replaceChildren(
      element('header', {}, [this.models]),
      this.messages.root,
      this.messages.live,
      this.composer.root,
      this.sampling.root,
    );
  }

  update(state: ChatState): void {
    this.showTargets(state.targets, state.selected);
    this.messages.update(state);
    const answerable = state.selected !== null && state.status.kind !== 'engineMissing';
    this.composer.update(state.status, state.footer, answerable);
    this.sampling.update(state.sampling);
  }

  append(text: string): void {
    this.messages.append(text);
  }

  focus(): void {
    this.composer.focus();
  }

  /** Options are rebuilt only when they differ: a list the user has open must not close. */
  private showTargets(targets: ChatTargetItem[], selected: string | null): void {
    const wanted = JSON.stringify([targets, selected]);
    if (wanted === this.shownTargets) return;
    this.shownTargets = wanted;
    const options = targets.map(({ id, label }) => dropdownOption(id, label, id === selected));
    const none = dropdownOption('', this.strings.noModels, true);
    this.models.disabled = targets.length === 0;
    this.models.replaceChildren(...(options.length > 0 ? options : [none]));
    // The list takes up its options in a later task; only then can one be chosen.
    requestAnimationFrame(() => (this.models.value = selected ?? ''));
  }
}

registerChatComponents();
let view: ChatView | null = null;
connect<ChatHostMessage>((message) => {
  switch (message.type) {
    case 'init':
      view = new ChatView(message.strings);
      break;
    case 'state':
      view?.update(message.state);
      break;
    case 'token':
      view?.append(message.text);
      break;
    case 'focus':
      view?.focus();
      break;
  }
});
