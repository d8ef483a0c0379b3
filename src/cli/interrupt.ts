/** Ctrl-C and SIGTERM as a function call, for as long as a command wants them. */

const SIGNALS: NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];

/**
 * Calls `interrupted` with 1 for the first signal, 2 for the second, and so on.
 * @returns a function that gives the signals their usual meaning back
 */
export function onInterrupt(interrupted: (count: number) => void): () => void {
  let count = 0;
  const listener = (): void => interrupted(++count);
  for (const signal of SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener);
  };
}

/** A signal that is aborted by Ctrl-C or SIGTERM; a second one ends the process at once. */
export function interruptSignal(): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController();
  const dispose = onInterrupt((count) => {
    if (count > 1) process.exit(130);
    controller.abort();
  });
  return { signal: controller.signal, dispose };
}

/** A lost terminal must not end a training run. */
export function ignoreHangup(): void {
  if (process.platform !== 'win32') process.on('SIGHUP', () => undefined);
}
