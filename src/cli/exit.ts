/** Exit codes of every command. */
export const EXIT_OK = 0;
/** The work failed, or `lint` found errors. */
export const EXIT_FAILURE = 1;
/** The command line itself is wrong. */
export const EXIT_USAGE = 2;
/** Ctrl-C or SIGTERM. */
export const EXIT_INTERRUPTED = 130;

/** The command line is wrong; `message` is a sentence in the user's language. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The user interrupted the command. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}
