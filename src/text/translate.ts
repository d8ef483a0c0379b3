/** The translate function of the surroundings: `vscode.l10n.t` in the extension host, `@vscode/l10n`'s `t` elsewhere. */
export type Translate = (message: string, args?: Record<string, string | number>) => string;
