/** The chat in the side bar, as a person talks in it. */
import type { Frame, Locator } from 'playwright-core';
import { eventually, PATIENCE } from './eventually';
import type { Workbench } from './workbench';

/** Milliseconds for loading a model and answering. */
const ANSWER = 120_000;

export class ChatView {
  private constructor(private readonly frame: Frame) {}

  static async open(workbench: Workbench): Promise<ChatView> {
    const frame = await workbench.webview('vscode-dropdown');
    await frame.locator('vscode-text-area').waitFor({ timeout: PATIENCE });
    return new ChatView(frame);
  }

  get messages(): Locator {
    return this.frame.locator('.message');
  }

  get answers(): Locator {
    return this.frame.locator('.message.assistant .text');
  }

  button(action: 'send' | 'stop'): Locator {
    return this.frame.locator(`vscode-button[data-action=${action}]`);
  }

  /** The chosen model as it is shown. */
  async model(): Promise<string> {
    return (await this.frame.locator('vscode-dropdown .selected-value').textContent()) ?? '';
  }

  /** Types a message and sends it with Enter. */
  async type(text: string): Promise<void> {
    const input = this.frame.locator('vscode-text-area textarea');
    await input.click();
    await input.pressSequentially(text);
    await input.press('Enter');
  }

  /** The whole answer to a question. */
  async ask(question: string): Promise<string> {
    const before = await this.answers.count();
    await this.type(question);
    await eventually('an answer', async () => (await this.answers.count()) > before, ANSWER);
    await this.button('send').waitFor({ timeout: ANSWER });
    return (await this.answers.last().textContent()) ?? '';
  }
}
