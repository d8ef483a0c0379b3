/** The points as a table: for those who cannot see the charts, or want the numbers. */
import type { RunStrings } from '../../src/protocol/webview';
import { element } from '../shared/dom';
import { fill, formatNumber } from './format';
import type { RunSeries } from './series';

const MAX_ROWS = 100;

export class DataTable {
  readonly root: HTMLDetailsElement;
  private readonly body = element('tbody');
  private readonly note = element('p', { class: 'subtitle' });

  constructor(
    private readonly strings: RunStrings,
    private readonly series: RunSeries,
  ) {
    const columns = [
      strings.step,
      strings.epoch,
      strings.trainingLoss,
      strings.validationLoss,
      strings.learningRate,
      strings.gradientNorm,
      strings.tokensPerSecond,
    ];
    const cells = columns.map((text) =>
      element('th', { text, class: 'number', attributes: { scope: 'col' } }),
    );
    const table = element('table', {}, [element('thead', {}, [element('tr', {}, cells)]), this.body]);
    this.root = element('details', { class: 'card' }, [
      element('summary', { text: strings.table }),
      this.note,
      element('div', { class: 'scroll' }, [table]),
    ]);
    this.root.addEventListener('toggle', () => this.update());
  }

  /** Costs nothing while closed. */
  update(): void {
    if (!this.root.open) return;
    const { steps, evals } = this.series;
    const evalLoss = new Map(evals.step.map((step, at) => [step, evals.loss[at] ?? null]));
    const rows = sample(steps.step.length).map((at) => {
      const step = steps.step[at] ?? 0;
      const values = [
        steps.epoch[at],
        steps.loss[at],
        evalLoss.get(step),
        steps.lr[at],
        steps.gradNorm[at],
        steps.tokensPerSecond[at],
      ];
      const cells = values.map((value) => this.cell(formatNumber(value, this.strings.language)));
      return element('tr', {}, [this.cell(step.toLocaleString(this.strings.language)), ...cells]);
    });
    const count = steps.step.length.toLocaleString(this.strings.language);
    this.note.textContent = fill(this.strings.tableNote, { count, rows: String(rows.length) });
    this.note.hidden = steps.step.length <= MAX_ROWS;
    this.body.replaceChildren(...rows);
  }

  private cell(text: string): HTMLElement {
    return element('td', { class: 'number', text });
  }
}

/** Up to `MAX_ROWS` places out of `count`, evenly spread, newest first, with both ends. */
function sample(count: number): number[] {
  const rows = Math.min(count, MAX_ROWS);
  return Array.from({ length: rows }, (_, row) =>
    rows === 1 ? count - 1 : Math.round(((rows - 1 - row) * (count - 1)) / (rows - 1)),
  );
}
