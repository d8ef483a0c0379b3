/** What computed a run, for its provenance; the engine adds its own. */
import type { CommandContext } from './context';

export function runVersions(context: CommandContext): Record<string, string> {
  return { extension: context.version, node: process.versions.node };
}
