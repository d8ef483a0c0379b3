/** Records of more than one turn, made of single questions. */
import capitals from '../../corpus/capitals.json';
import type { Pair } from '../pair';
import { fill } from '../pair';
import type { Random } from '../random';
import { CAPITAL_ANSWER } from './knowledge';

export interface Turn {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

const SYSTEM = {
  en: [
    'You are a helpful assistant.',
    'Answer in a short sentence.',
    'You are a friendly assistant. Keep it short.',
  ],
  zh: ['你是一个乐于助人的助手。', '请用一句话回答。', '你是一个友好的助手，回答要简短。'],
} as const;

export function turns(pair: Pick<Pair, 'ask' | 'answer'>): Turn[] {
  return [
    { role: 'user', content: pair.ask },
    { role: 'assistant', content: pair.answer },
  ];
}

/** `count` questions that follow a system turn. */
export function systemDialogues(from: readonly Pair[], count: number, random: Random): Turn[][] {
  return Array.from({ length: count }, () => {
    const pair = random.pick(from);
    return [{ role: 'system', content: random.pick(SYSTEM[pair.language]) }, ...turns(pair)];
  });
}

/** `count` records of two unrelated questions in one language. */
export function twoTurnDialogues(from: readonly Pair[], count: number, random: Random): Turn[][] {
  return Array.from({ length: count }, () => {
    const first = random.pick(from);
    const second = random.pick(from.filter((pair) => pair.language === first.language && pair !== first));
    return [...turns(first), ...turns(second)];
  });
}

/** A capital, then a second country asked by its name alone. */
export function followUpDialogues(random: Random): Turn[][] {
  return capitals.flatMap((row) => {
    const [country, city, countryZh, cityZh] = row;
    const [before, beforeCity, beforeZh, beforeCityZh] = random.pick(
      capitals.filter((other) => other !== row),
    );
    return [
      [
        ...turns({
          ask: `What is the capital of ${before}?`,
          answer: fill(CAPITAL_ANSWER.en, { country: before, city: beforeCity }),
        }),
        ...turns({
          ask: `And ${country}?`,
          answer: fill(CAPITAL_ANSWER.en, { country, city }),
        }),
      ],
      [
        ...turns({
          ask: `${beforeZh}的首都是哪里？`,
          answer: fill(CAPITAL_ANSWER.zh, { country: beforeZh, city: beforeCityZh }),
        }),
        ...turns({
          ask: `那${countryZh}呢？`,
          answer: fill(CAPITAL_ANSWER.zh, { country: countryZh, city: cityZh }),
        }),
      ],
    ];
  });
}
