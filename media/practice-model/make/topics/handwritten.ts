/** Facts and texts written one by one, each with several wordings of its question. */
import factsEn from '../../corpus/facts.en.json';
import factsZh from '../../corpus/facts.zh.json';
import texts from '../../corpus/texts.json';
import type { Pair } from '../pair';

export function handwrittenPairs(): Pair[] {
  const facts = [
    ...factsEn.map((fact) => ({ ...fact, language: 'en' as const, topic: 'facts' })),
    ...factsZh.map((fact) => ({ ...fact, language: 'zh' as const, topic: 'facts' })),
    ...texts.map((text) => ({
      ...text,
      language: /^[ -~\s]+$/.test(text.answer) ? ('en' as const) : ('zh' as const),
      topic: 'texts',
    })),
  ];
  return facts.flatMap(({ ask, answer, language, topic }) =>
    ask.map((wording) => ({ topic, language, ask: wording, answer })),
  );
}
