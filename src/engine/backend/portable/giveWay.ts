/**
 * This engine computes on the JavaScript thread. So that signals, control requests and timers are heard, it lets the event loop turn
 * every few milliseconds.
 */
import { setImmediate } from 'node:timers/promises';

const INTERVAL_MS = 20;

let last = 0;

/** Waits for one turn of the event loop where none has been for a while. */
export function giveWay(): Promise<void> | undefined {
  if (performance.now() - last < INTERVAL_MS) return undefined;
  return setImmediate().then(() => {
    last = performance.now();
  });
}
