/** The only importer of the component toolkit: replacing it means replacing this file. */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
  vsCodeTextArea,
  vsCodeTextField,
  type Button,
  type Checkbox,
  type Dropdown,
  type Option,
  type TextArea,
  type TextField,
} from '@vscode/webview-ui-toolkit';

export type { Button, Checkbox, Dropdown, Option, TextArea, TextField };

/** Registers what the run panel uses. */
export function registerRunComponents(): void {
  provideVSCodeDesignSystem().register(vsCodeButton());
}

/** Registers what the chat view uses. */
export function registerChatComponents(): void {
  provideVSCodeDesignSystem().register(
    vsCodeButton(),
    vsCodeCheckbox(),
    vsCodeDropdown(),
    vsCodeOption(),
    vsCodeProgressRing(),
    vsCodeTextArea(),
    vsCodeTextField(),
  );
}

export type ButtonAppearance = 'primary' | 'secondary' | 'icon';

export function button(label: string, appearance: ButtonAppearance, onClick: () => void): Button {
  const made = document.createElement('vscode-button') as Button;
  made.appearance = appearance;
  made.textContent = label;
  made.addEventListener('click', onClick);
  return made;
}

/** A button that shows a codicon; `label` is its accessible name and tooltip. */
export function iconButton(icon: string, label: string, onClick: () => void): Button {
  const made = button('', 'icon', onClick);
  made.title = label;
  made.ariaLabel = label;
  const glyph = document.createElement('span');
  glyph.className = `codicon codicon-${icon}`;
  made.append(glyph);
  return made;
}

export function dropdownOption(value: string, label: string, selected: boolean): Option {
  const made = document.createElement('vscode-option') as Option;
  made.value = value;
  made.textContent = label;
  made.selected = selected;
  return made;
}

export function textField(label: string, value: string, hint: string): TextField {
  const made = document.createElement('vscode-text-field') as TextField;
  made.textContent = label;
  made.value = value;
  made.title = hint;
  return made;
}

export function checkbox(label: string, checked: boolean): Checkbox {
  const made = document.createElement('vscode-checkbox') as Checkbox;
  made.textContent = label;
  made.checked = checked;
  return made;
}
