/** What computed a run, for its provenance. */
import { installedEngine } from '../install/installed';
import type { CommandContext } from './context';

export function runVersions(context: CommandContext): Record<string, string> {
  return {
    extension: context.version,
    node: process.versions.node,
    libtensorflow: installedEngine()?.version ?? '',
  };
}
