/** All work that can be measured, in the order of the table. */
import type { Bench } from '../harness/bench';
import type { Work } from '../harness/types';
import { decodeRows } from './decode';
import { fullRows } from './full';
import { growthRows } from './growth';
import { loadRows } from './load';
import { loraRows } from './lora';
import { memoryRows } from './memory';
import { prefixRows } from './prefix';
import { quantisedRows } from './quantised';
import { startRows } from './start';

export function allWork(bench: Bench): Work[] {
  return [
    ...loraRows(bench),
    ...quantisedRows(bench),
    ...prefixRows(bench),
    ...fullRows(bench),
    ...decodeRows(bench),
    ...startRows(bench),
    ...loadRows(bench),
    ...memoryRows(bench),
    ...growthRows(bench),
  ];
}
