/** Switching the colour theme as a person does. */
import { PATIENCE } from './eventually';
import type { Workbench } from './workbench';

/** Theme -> the class of the workbench under it. */
const THEMES = {
  'Dark Modern': 'vs-dark',
  'Light Modern': 'vs',
  'Dark High Contrast': 'hc-black',
  'Light High Contrast': 'hc-light',
} as const;

export type Theme = keyof typeof THEMES;

export async function switchTheme(workbench: Workbench, theme: Theme): Promise<void> {
  await workbench.command('Preferences: Color Theme');
  await workbench.pick(theme);
  await workbench.page.locator(`.monaco-workbench.${THEMES[theme]}`).waitFor({ timeout: PATIENCE });
}
