/** What computed a run, for its provenance. */
import type { CommandContext } from './context';
import type { Engine } from './engineLoader';

/** Versions of the program, of Node and of what the open engine computes with. */
export function runVersions(context: CommandContext, engine: Engine): Record<string, string> {
  return {
    extension: context.version,
    node: process.versions.node,
    ...engine.engineVersions(),
  };
}
