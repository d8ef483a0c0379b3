/** What the run panel remembers across window reloads; the host reads `directory` to restore the panel. */
export interface RunPanelState {
  directory: string;
  smoothing: number;
}
