import * as vscode from 'vscode';
import type { Translate } from '../text/translate';

/** Translates through VS Code's own bundle, in the display language. */
export const t: Translate = (message, args) => (args ? vscode.l10n.t(message, args) : vscode.l10n.t(message));
