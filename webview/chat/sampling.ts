/** Sampling settings, folded away until wanted. */
import type { SamplingSettings } from '../../src/protocol/control';
import { samplingInRange, SAMPLING_RANGES, type ChatStrings } from '../../src/protocol/webview';
import { element } from '../shared/dom';
import { send } from '../shared/messaging';
import { checkbox, textField, type Checkbox, type TextField } from '../shared/ui';

type Field = keyof typeof SAMPLING_RANGES;
const FIELDS = Object.keys(SAMPLING_RANGES) as Field[];
/** What greedy decoding ignores. */
const SAMPLED_ONLY: readonly Field[] = ['temperature', 'top_p', 'top_k', 'seed'];

export class SamplingView {
  readonly root: HTMLDetailsElement;
  private readonly greedy: Checkbox;
  private readonly fields = new Map<Field, TextField>();

  constructor(strings: ChatStrings) {
    this.greedy = checkbox(strings.greedy, false);
    this.greedy.addEventListener('change', () => {
      send({ type: 'sampling', changes: { do_sample: !this.greedy.checked } });
      this.enable(!this.greedy.checked);
    });
    for (const field of FIELDS) {
      const { label, hint } = strings.fields[field];
      const input = textField(label, '', hint);
      input.addEventListener('change', () => this.changed(field, input));
      this.fields.set(field, input);
    }
    this.root = element('details', { class: 'sampling' }, [
      element('summary', { text: strings.sampling }),
      element('div', { class: 'sampling-grid' }, [this.greedy, ...this.fields.values()]),
    ]);
  }

  update(sampling: SamplingSettings): void {
    this.greedy.checked = !sampling.do_sample;
    for (const [field, input] of this.fields) {
      // A field that is being typed into is left alone.
      if (document.activeElement !== input) input.value = String(sampling[field]);
    }
    this.enable(sampling.do_sample);
  }

  private enable(sampled: boolean): void {
    for (const field of SAMPLED_ONLY) {
      const input = this.fields.get(field);
      if (input) input.disabled = !sampled;
    }
  }

  private changed(field: Field, input: TextField): void {
    const value = Number(input.value);
    const valid = input.value.trim() !== '' && samplingInRange(field, value);
    input.classList.toggle('invalid', !valid);
    input.setAttribute('aria-invalid', String(!valid));
    if (valid) send({ type: 'sampling', changes: { [field]: value } });
  }
}
