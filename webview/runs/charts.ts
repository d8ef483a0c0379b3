/** The charts of a run and the smoothing control. */
import type { RunStrings } from '../../src/protocol/webview';
import { element } from '../shared/dom';
import { loadState, saveState } from '../shared/messaging';
import { chartColors, onThemeChange } from '../shared/theme';
import { Chart } from './chart';
import type { RunSeries } from './series';
import { smooth } from './smoothing';
import type { RunPanelState } from './state';

const DEFAULT_SMOOTHING = 0.6;
const LARGE = 240;
const SMALL = 130;

export class Charts {
  readonly root: HTMLElement;
  private readonly loss: Chart;
  private readonly learningRate: Chart;
  private readonly gradientNorm: Chart;
  private readonly tokensPerSecond: Chart;
  private smoothing: number;
  private scheduled = false;

  constructor(
    strings: RunStrings,
    private readonly series: RunSeries,
  ) {
    this.smoothing = loadState<RunPanelState>().smoothing ?? DEFAULT_SMOOTHING;
    const colors = chartColors();
    const make = (spec: ConstructorParameters<typeof Chart>[0]): Chart =>
      new Chart(spec, colors, strings.language, strings.step, strings.noPoints);
    const single = (id: string, title: string, color: 'blue' | 'green' | 'purple'): Chart =>
      make({ id, title, height: SMALL, lines: [{ label: title, color, style: 'solid' }] });
    this.loss = make({
      id: 'loss',
      title: strings.loss,
      height: LARGE,
      lines: [
        { label: strings.raw, color: 'blue', style: 'faint' },
        { label: strings.smoothed, color: 'blue', style: 'solid' },
        { label: strings.validation, color: 'orange', style: 'points' },
      ],
    });
    this.learningRate = single('learning-rate', strings.learningRate, 'green');
    this.gradientNorm = single('gradient-norm', strings.gradientNorm, 'purple');
    this.tokensPerSecond = single('tokens-per-second', strings.tokensPerSecond, 'blue');
    this.loss.root.append(this.smoothingControl(strings));
    this.root = element('div', { class: 'charts' }, [
      this.loss.root,
      element('div', { class: 'small-charts' }, [
        this.learningRate.root,
        this.gradientNorm.root,
        this.tokensPerSecond.root,
      ]),
    ]);
    onThemeChange(() => this.recolor());
  }

  /** Draws the series as it is now, at the next frame. */
  update(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.draw();
    });
  }

  private draw(): void {
    const { steps } = this.series;
    const loss = this.series.aligned([steps.loss, smooth(steps.loss, this.smoothing)]);
    this.loss.setData(loss);
    this.learningRate.setData({ x: steps.step, columns: [steps.lr] });
    this.gradientNorm.setData({ x: steps.step, columns: [steps.gradNorm] });
    this.tokensPerSecond.setData({ x: steps.step, columns: [steps.tokensPerSecond] });
  }

  private recolor(): void {
    const colors = chartColors();
    for (const chart of [this.loss, this.learningRate, this.gradientNorm, this.tokensPerSecond]) {
      chart.setColors(colors);
    }
  }

  private smoothingControl(strings: RunStrings): HTMLElement {
    const value = element('output', { text: this.smoothing.toFixed(2) });
    const slider = element('input', {
      attributes: { type: 'range', min: '0', max: '0.99', step: '0.01', id: 'smoothing' },
    });
    slider.value = String(this.smoothing);
    slider.addEventListener('input', () => {
      this.smoothing = Number(slider.value);
      value.textContent = this.smoothing.toFixed(2);
      saveState<RunPanelState>({ smoothing: this.smoothing });
      this.update();
    });
    const label = element('label', { text: strings.smoothing, attributes: { for: 'smoothing' } });
    return element('div', { class: 'smoothing' }, [label, slider, value]);
  }
}
