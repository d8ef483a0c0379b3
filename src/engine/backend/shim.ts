/**
 * tfjs-node 4.22.0 calls two helpers of `util` that Node 23 removed (fixed upstream in tfjs#8425, never released). Imported
 * before anything of tfjs.
 */
import util from 'node:util';

const removed: Record<string, (value: unknown) => boolean> = {
  isNullOrUndefined: (value) => value === null || value === undefined,
  isArray: Array.isArray,
};
for (const [name, value] of Object.entries(removed))
  Object.defineProperty(util, name, { value, configurable: true, writable: true });
