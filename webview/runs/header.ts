/** Name, state, progress and actions of a run. */
import type { RunAction, RunHeader } from '../../src/protocol/webview';
import { element, icon } from '../shared/dom';
import { request } from '../shared/messaging';
import { button } from '../shared/ui';

const PHASE_ICONS: Record<RunHeader['phase'], string> = {
  preparing: 'loading',
  training: 'loading',
  stopping: 'loading',
  stopped: 'debug-pause',
  done: 'pass-filled',
  failed: 'error',
  interrupted: 'debug-disconnect',
};

export class HeaderView {
  readonly root: HTMLElement;
  private readonly name = element('h1');
  private readonly phase = element('span', { class: 'phase' });
  private readonly subtitle = element('p', { class: 'subtitle' });
  private readonly actions = element('div', { class: 'actions' });
  private readonly bar = element('div', { class: 'bar' });
  private readonly track: HTMLElement;
  private readonly progressText = element('p', { class: 'progress-text' });
  private shownActions = '';

  constructor(progressLabel: string) {
    this.track = element(
      'div',
      {
        class: 'track',
        attributes: {
          role: 'progressbar',
          'aria-label': progressLabel,
          'aria-valuemin': '0',
          'aria-valuemax': '100',
        },
      },
      [this.bar],
    );
    this.root = element('header', {}, [
      element('div', { class: 'title' }, [
        element('div', { class: 'names' }, [this.name, this.phase]),
        this.actions,
      ]),
      this.subtitle,
      this.track,
      this.progressText,
    ]);
  }

  update(header: RunHeader): void {
    this.name.textContent = header.name;
    this.root.dataset['phase'] = header.phase;
    const glyph = icon(PHASE_ICONS[header.phase]);
    glyph.classList.toggle('spin', PHASE_ICONS[header.phase] === 'loading');
    this.phase.replaceChildren(glyph, document.createTextNode(header.phaseLabel));
    this.subtitle.textContent = header.subtitle;
    this.progressText.textContent = header.progressText;
    this.updateBar(header);
    this.updateActions(header);
  }

  private updateBar(header: RunHeader): void {
    const unknown = header.fraction === null;
    this.track.classList.toggle('unknown', unknown);
    this.track.hidden = unknown && header.phase !== 'preparing';
    if (header.fraction === null) {
      this.track.removeAttribute('aria-valuenow');
      this.bar.style.width = '';
    } else {
      const percent = Math.round(header.fraction * 1000) / 10;
      this.track.setAttribute('aria-valuenow', String(Math.round(percent)));
      this.bar.style.width = `${percent}%`;
    }
    this.track.setAttribute('aria-valuetext', header.progressText);
  }

  /** Buttons are rebuilt only when they differ, so that focus stays. */
  private updateActions(header: RunHeader): void {
    const wanted = JSON.stringify(header.actions);
    if (wanted === this.shownActions) return;
    this.shownActions = wanted;
    this.actions.replaceChildren(
      ...header.actions.map(({ action, label, primary }) => actionButton(action, label, primary)),
    );
  }
}

/** A button that is disabled while the host does what it says. */
export function actionButton(action: RunAction, label: string, primary: boolean): HTMLElement {
  const made = button(label, primary ? 'primary' : 'secondary', () => {
    made.disabled = true;
    void request(action).then(() => (made.disabled = false));
  });
  made.dataset['action'] = action;
  return made;
}
