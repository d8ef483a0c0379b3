/** Colours of the user's theme, for what CSS cannot reach (canvas). */

export interface ChartColors {
  foreground: string;
  muted: string;
  grid: string;
  blue: string;
  orange: string;
  green: string;
  purple: string;
  highContrast: boolean;
  font: string;
}

function variable(name: string, fallback: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || fallback;
}

export function chartColors(): ChartColors {
  const foreground = variable('--vscode-foreground', '#888888');
  const highContrast = document.body.className.includes('vscode-high-contrast');
  return {
    foreground,
    muted: highContrast ? foreground : variable('--vscode-descriptionForeground', foreground),
    grid: variable('--vscode-editorWidget-border', variable('--vscode-contrastBorder', foreground)),
    blue: variable('--vscode-charts-blue', '#3794ff'),
    orange: variable('--vscode-charts-orange', '#d18616'),
    green: variable('--vscode-charts-green', '#89d185'),
    purple: variable('--vscode-charts-purple', '#b180d7'),
    highContrast,
    font: `11px ${variable('--vscode-font-family', 'sans-serif')}`,
  };
}

/** Calls `listener` after the theme changed: VS Code then rewrites the body's class and the root's variables. */
export function onThemeChange(listener: () => void): void {
  let scheduled = false;
  const observer = new MutationObserver(() => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      listener();
    });
  });
  observer.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
}
