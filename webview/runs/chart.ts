/** One line chart in a card: title, read-out of the point under the cursor, and the plot. */
import uPlot from 'uplot';
import { element } from '../shared/dom';
import type { ChartColors } from '../shared/theme';
import { formatNumber, formatTick } from './format';

export interface ChartLine {
  label: string;
  color: keyof ChartColors & ('blue' | 'orange' | 'green' | 'purple');
  /** `faint`: the raw values behind their smoothed line. `points`: few values, each marked. */
  style: 'solid' | 'faint' | 'points';
}

export interface ChartSpec {
  id: string;
  title: string;
  lines: ChartLine[];
  /** Plot height in CSS pixels. */
  height: number;
}

export interface ChartData {
  x: number[];
  columns: (number | null)[][];
}

const SYNC_KEY = 'run';
const FAINT_ALPHA = 0.4;

export class Chart {
  readonly root: HTMLElement;
  private readonly readout: HTMLElement;
  private readonly plotArea: HTMLElement;
  private plot: uPlot | null = null;
  private data: ChartData = { x: [], columns: [] };
  private readonly lastIndexes: (number | null)[];

  constructor(
    private readonly spec: ChartSpec,
    private colors: ChartColors,
    private readonly language: string,
    private readonly stepLabel: string,
    emptyText: string,
  ) {
    this.lastIndexes = spec.lines.map(() => null);
    this.readout = element('div', { class: 'readout' });
    this.plotArea = element('div', { class: 'plot', attributes: { 'data-empty': emptyText } });
    this.plotArea.style.height = `${spec.height}px`;
    const heading = element('h2', { text: spec.title });
    this.root = element('section', { class: 'card chart', attributes: { id: `chart-${spec.id}` } }, [
      element('div', { class: 'chart-head' }, [heading, this.readout]),
      this.plotArea,
    ]);
    new ResizeObserver(() => this.resize()).observe(this.plotArea);
  }

  setData(data: ChartData): void {
    this.data = data;
    this.plotArea.classList.toggle('empty', data.x.length === 0);
    for (const index of this.spec.lines.keys()) this.lastIndexes[index] = lastValue(data.columns[index]);
    if (this.plot) this.plot.setData(this.aligned());
    else this.create();
    this.describe();
    if (this.plot?.cursor.idx == null) this.showReadout(null);
  }

  /** Draws anew in other colours. */
  setColors(colors: ChartColors): void {
    this.colors = colors;
    this.plot?.destroy();
    this.plot = null;
    this.create();
    this.showReadout(null);
  }

  private aligned(): uPlot.AlignedData {
    return [this.data.x, ...this.data.columns];
  }

  private create(): void {
    const width = this.plotArea.clientWidth;
    if (width === 0 || this.data.x.length === 0) return;
    const options: uPlot.Options = {
      width,
      height: this.spec.height,
      padding: [8, 14, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: SYNC_KEY }, points: { size: 7 }, drag: { x: true, y: false }, y: false },
      scales: { x: { time: false, range: stepRange }, y: { range: valueRange } },
      axes: [this.axis(false), this.axis(true)],
      series: [{}, ...this.spec.lines.map((line) => this.series(line))],
      hooks: { setCursor: [(plot) => this.showReadout(plot.cursor.idx ?? null)] },
    };
    this.plot = new uPlot(options, this.aligned(), this.plotArea);
    this.plot.root.setAttribute('aria-hidden', 'true');
  }

  private axis(vertical: boolean): uPlot.Axis {
    const { muted, grid, font } = this.colors;
    return {
      stroke: muted,
      font,
      size: vertical ? 48 : 24,
      gap: 4,
      space: vertical ? 24 : 48,
      grid: { stroke: grid, width: 1, show: vertical },
      ticks: { stroke: grid, width: 1, size: 4 },
      values: (_plot, splits) =>
        splits.map((split) => (isLabelled(split, vertical) ? formatTick(split) : '')),
    };
  }

  private series(line: ChartLine): uPlot.Series {
    const color = this.colors[line.color];
    const points = line.style === 'points';
    return {
      label: line.label,
      stroke: color,
      width: line.style === 'faint' ? 1 : 2,
      alpha: line.style === 'faint' && !this.colors.highContrast ? FAINT_ALPHA : 1,
      spanGaps: points,
      ...(points ? { dash: [5, 4] } : {}),
      points: points ? { show: true, size: 7, fill: color, stroke: color } : { show: isLonePoint },
    };
  }

  private resize(): void {
    const width = this.plotArea.clientWidth;
    if (width === 0) return;
    if (this.plot) this.plot.setSize({ width, height: this.spec.height });
    else this.create();
  }

  /** Values at `index`, or the newest ones. */
  private showReadout(index: number | null): void {
    const step = index === null ? undefined : this.data.x[index];
    const parts = this.spec.lines.map((line, at) => {
      const place = index ?? this.lastIndexes[at] ?? -1;
      const value = formatNumber(this.data.columns[at]?.[place], this.language);
      const swatch = element('span', { class: `swatch ${line.style}` });
      swatch.style.setProperty('--swatch', this.colors[line.color]);
      const name = this.spec.lines.length > 1 ? [element('span', { class: 'name', text: line.label })] : [];
      return element('span', { class: 'value' }, [
        ...(this.spec.lines.length > 1 ? [swatch] : []),
        ...name,
        element('span', { class: 'number', text: value }),
      ]);
    });
    const where = element('span', {
      class: 'value step',
      text: step === undefined ? '' : `${this.stepLabel} ${step.toLocaleString(this.language)}`,
    });
    this.readout.replaceChildren(...(step === undefined ? [] : [where]), ...parts);
  }

  /** The newest values as the plot's description: the picture itself cannot be read aloud. */
  private describe(): void {
    const values = this.spec.lines.map((line, at) => {
      const value = this.data.columns[at]?.[this.lastIndexes[at] ?? -1];
      return `${line.label} ${formatNumber(value, this.language)}`;
    });
    this.plotArea.setAttribute('role', 'img');
    this.plotArea.setAttribute('aria-label', `${this.spec.title}: ${values.join(', ')}`);
  }
}

function lastValue(column: readonly (number | null)[] | undefined): number | null {
  if (!column) return null;
  const at = column.findLastIndex((value) => value !== null);
  return at < 0 ? null : at;
}

/** Steps are whole numbers: a fractional split gets no label. */
function isLabelled(split: number, vertical: boolean): boolean {
  return vertical || Number.isInteger(split);
}

/** A line needs two points; a single one is drawn as a dot. */
function isLonePoint(plot: uPlot): boolean {
  return plot.data[0].length === 1;
}

function stepRange(_plot: uPlot, from: number, to: number): uPlot.Range.MinMax {
  return from === to ? [from - 1, to + 1] : [from, to];
}

/** The values with a little air, never a range of nothing. */
function valueRange(_plot: uPlot, from: number | null, to: number | null): uPlot.Range.MinMax {
  if (from === null || to === null) return [0, 1];
  const air = (to - from) * 0.08 || Math.abs(to) * 0.1 || 1;
  const low = from >= 0 ? Math.max(0, from - air) : from - air;
  return [low, to + air];
}
