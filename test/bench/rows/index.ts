/** All work that can be measured, in the order of the table. */
import type { Bench } from '../harness/bench';
import type { Work } from '../harness/types';
import { loraRows } from './lora';

export function allWork(bench: Bench): Work[] {
  return [...loraRows(bench)];
}
