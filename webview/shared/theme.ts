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

/** Some themes' chart colours are half transparent, meant for areas; a thin line needs them whole. */
function opaque(color: string): string {
  return color.replace(/^(#[\da-f]{6})[\da-f]{2}$/i, '$1').replace(/^rgba\((.*),[^,]*\)$/, 'rgb($1)');
}

/** A colour as faint as a grid line has to be. */
function faint(color: string): string {
  return `color-mix(in srgb, ${color} 18%, transparent)`;
}

export function chartColors(): ChartColors {
  const foreground = variable('--vscode-foreground', '#888888');
  const highContrast = document.body.className.includes('vscode-high-contrast');
  return {
    foreground,
    muted: highContrast ? foreground : variable('--vscode-descriptionForeground', foreground),
    grid: faint(variable('--vscode-descriptionForeground', foreground)),
    blue: opaque(variable('--vscode-charts-blue', '#3794ff')),
    orange: opaque(variable('--vscode-charts-orange', '#d18616')),
    green: opaque(variable('--vscode-charts-green', '#89d185')),
    purple: opaque(variable('--vscode-charts-purple', '#b180d7')),
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
