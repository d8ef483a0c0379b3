/** The tables of a profile: blocks by direction, operations by time. */
import type { Direction, ProfileBlock, ProfileCell, ProfileReport } from '../../engine';
import type { Translate } from '../../text/translate';

/** In the order of a step. */
const BLOCKS = ['inputs', 'embedding', 'attention', 'mlp', 'norm', 'adapter', 'residual'];
const AFTER_LAYERS = ['output', 'gradients', 'optimiser', 'other'];

const DIRECTIONS: Direction[] = ['forward', 'backward', 'recompute', 'update'];

export function blockName(t: Translate, block: string): string {
  const names: Record<string, string> = {
    inputs: t('positions and mask'),
    embedding: t('embedding'),
    attention: t('attention'),
    mlp: t('MLP'),
    norm: t('norms'),
    adapter: t('adapter'),
    residual: t('residual'),
    output: t('output layer and loss'),
    gradients: t('gradients'),
    optimiser: t('optimiser'),
    other: t('other'),
  };
  return names[block] ?? block;
}

function directionName(t: Translate, direction: Direction): string {
  const names: Record<Direction, string> = {
    forward: t('forward'),
    backward: t('backward'),
    recompute: t('again'),
    update: t('update'),
  };
  return names[direction];
}

/** One row a block, in milliseconds; every layer by itself where asked for. */
export function blockRows(t: Translate, report: ProfileReport, everyLayer: boolean): string[][] {
  const directions = DIRECTIONS.filter((direction) =>
    report.blocks.some((block) => block.direction === direction),
  );
  const head = [
    t('Milliseconds'),
    ...directions.map((direction) => directionName(t, direction)),
    t('share'),
    t('at best'),
    t('reached'),
  ];
  const rows = groupBlocks(t, report, everyLayer).map(({ name, cells }) => [
    name,
    ...directions.map((direction) => number(sum(cells.filter((cell) => cell.direction === direction)))),
    ...summary(report, cells),
  ]);
  const empty = directions.map(() => '');
  const plain = (name: string, time: number): string[] => [name, ...empty, share(report, time), '', ''];
  return [
    head,
    ...rows,
    plain(t('dispatch'), report.dispatch),
    plain(t('host'), report.host),
    [
      t('all'),
      ...directions.map((direction) =>
        number(sum(report.blocks.filter((cell) => cell.direction === direction))),
      ),
      ...summary(report, report.blocks),
    ],
  ];
}

interface BlockGroup {
  name: string;
  cells: ProfileBlock[];
}

function groupBlocks(t: Translate, { blocks, layers }: ProfileReport, everyLayer: boolean): BlockGroup[] {
  const known = [...BLOCKS, ...AFTER_LAYERS];
  const unknown = [...new Set(blocks.map(({ block }) => block))].filter((block) => !known.includes(block));
  const groups: BlockGroup[] = [];
  const add = (name: string, cells: ProfileBlock[]): void => {
    if (cells.length > 0) groups.push({ name, cells });
  };
  const ofLayer = (layer: number | null, names: readonly string[], label: (name: string) => string): void => {
    for (const name of names)
      add(
        label(blockName(t, name)),
        blocks.filter((cell) => cell.block === name && cell.layer === layer),
      );
  };
  if (everyLayer) {
    ofLayer(null, BLOCKS, (name) => name);
    for (let layer = 0; layer < layers; layer++)
      ofLayer(layer, [...BLOCKS, ...unknown], (name) => t('layer {layer} {block}', { layer, block: name }));
    ofLayer(null, [...AFTER_LAYERS, ...unknown], (name) => name);
    return groups;
  }
  for (const name of [...BLOCKS, ...AFTER_LAYERS, ...unknown])
    add(
      blockName(t, name),
      blocks.filter(({ block }) => block === name),
    );
  return groups;
}

/** The operations that take longest, forward and backward apart. */
export function operationRows(t: Translate, report: ProfileReport, most: number): string[][] {
  const { operations } = report;
  const row = (name: string, direction: string, cells: readonly ProfileCell[]): string[] => {
    const time = sum(cells);
    const flops = cells.reduce((total, cell) => total + cell.flops, 0);
    const bytes = cells.reduce((total, cell) => total + cell.bytes, 0);
    const count = cells.reduce((total, cell) => total + cell.count, 0);
    const rate = (amount: number): string => (amount > 0 && time > 0 ? (amount / time / 1e6).toFixed(1) : '');
    return [
      name,
      direction,
      String(count),
      number(time),
      ...summary(report, cells),
      rate(flops),
      rate(bytes),
    ];
  };
  const rest = operations.slice(most);
  return [
    [t('Operation'), '', t('runs'), t('ms'), t('share'), t('at best'), t('reached'), 'GFLOP/s', 'GB/s'],
    ...operations.slice(0, most).map((cell) => row(cell.operation, directionName(t, cell.direction), [cell])),
    ...(rest.length > 0 ? [row(t('{count} others', { count: rest.length }), '', rest)] : []),
  ];
}

/** Share of the step, time at best, share of the best that is reached. */
function summary(report: ProfileReport, cells: readonly ProfileCell[]): string[] {
  const time = sum(cells);
  const floor = cells.reduce((total, cell) => total + cell.floor, 0);
  const reached = time > 0 && floor > 0 ? `${((100 * floor) / time).toFixed(0)} %` : '';
  return [share(report, time), number(floor), reached];
}

function share({ traced }: ProfileReport, time: number): string {
  return `${((100 * time) / traced).toFixed(1)} %`;
}

function sum(cells: readonly ProfileCell[]): number {
  return cells.reduce((total, { milliseconds }) => total + milliseconds, 0);
}

function number(milliseconds: number): string {
  if (milliseconds === 0) return '';
  return milliseconds < 10 ? milliseconds.toFixed(2) : milliseconds.toFixed(1);
}
