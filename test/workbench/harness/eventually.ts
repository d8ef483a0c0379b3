/** Waiting for something that becomes true. */

export const PATIENCE = 60_000;

/**
 * Calls `probe` until it neither throws nor returns false, null or undefined, and returns what it returned.
 * @param what named in the error when `milliseconds` have passed
 */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  milliseconds = PATIENCE,
): Promise<NonNullable<Exclude<T, false>>> {
  const end = Date.now() + milliseconds;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== false && value !== null && value !== undefined)
        return value as NonNullable<Exclude<T, false>>;
      last = value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end)
      throw new Error(`Waited ${milliseconds / 1000} s in vain: ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
