/** Below the charts: notices, result, facts, checkpoints. */
import type { RunFact, RunHeader, RunNotice, RunStrings } from '../../src/protocol/webview';
import { element, icon } from '../shared/dom';

const NOTICE_ICONS: Record<RunNotice['severity'], string> = {
  error: 'error',
  warning: 'warning',
  info: 'info',
};

export class DetailsView {
  /** Above the charts: what must not be overlooked. */
  readonly top = element('div', { class: 'top' });
  readonly root = element('div', { class: 'details' });
  private shown = '';

  constructor(private readonly strings: RunStrings) {}

  update(header: RunHeader): void {
    const { notices, summary, facts, checkpoints } = header;
    const wanted = JSON.stringify([notices, summary, facts, checkpoints]);
    if (wanted === this.shown) return;
    this.shown = wanted;
    this.top.replaceChildren(...(summary ? [summaryCard(summary)] : []), ...notices.map(noticeElement));
    this.root.replaceChildren(
      ...(checkpoints.length > 0 ? [this.checkpointCard(checkpoints)] : []),
      ...(facts.length > 0 ? [element('section', { class: 'card' }, [factList(facts)])] : []),
    );
  }

  private checkpointCard(checkpoints: RunHeader['checkpoints']): HTMLElement {
    const head = element('tr', {}, [
      headCell(this.strings.step, 'number'),
      headCell(this.strings.validationLoss, 'number'),
      headCell('', 'path'),
    ]);
    const rows = checkpoints.map(({ step, path, evaluation, best }) =>
      element('tr', {}, [
        element('td', { class: 'number', text: step }),
        element('td', { class: 'number', text: evaluation }),
        element('td', { class: 'path' }, [
          element('code', { text: path }),
          ...(best ? [element('span', { class: 'best', text: this.strings.best })] : []),
        ]),
      ]),
    );
    return element('section', { class: 'card' }, [
      element('h2', { text: this.strings.checkpoints }),
      element('table', {}, [element('thead', {}, [head]), element('tbody', {}, rows)]),
    ]);
  }
}

function summaryCard(summary: NonNullable<RunHeader['summary']>): HTMLElement {
  return element('section', { class: 'card summary' }, [
    element('h2', { text: summary.title }),
    factList(summary.facts),
  ]);
}

function noticeElement(notice: RunNotice): HTMLElement {
  return element('div', { class: `notice ${notice.severity}` }, [
    icon(NOTICE_ICONS[notice.severity]),
    element('p', { text: notice.message }),
    ...(notice.remedy ? [element('p', { class: 'remedy', text: notice.remedy })] : []),
  ]);
}

function factList(facts: readonly RunFact[]): HTMLElement {
  const items = facts.map(({ label, value }) =>
    element('div', {}, [element('dt', { text: label }), element('dd', { text: value })]),
  );
  return element('dl', { class: 'facts' }, items);
}

function headCell(text: string, className: string): HTMLElement {
  return element('th', { text, class: className, attributes: { scope: 'col' } });
}
