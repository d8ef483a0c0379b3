/** Tables of small facts: capitals, opposites, colors, animals, definitions, yes or no. */
import animals from '../../corpus/animals.json';
import capitals from '../../corpus/capitals.json';
import colors from '../../corpus/colors.json';
import definitions from '../../corpus/definitions.json';
import opposites from '../../corpus/opposites.json';
import truths from '../../corpus/truths.json';
import type { Pair } from '../pair';
import { pairs } from '../pair';

export const CAPITAL_ANSWER = {
  en: 'The capital of {country} is {city}.',
  zh: '{country}的首都是{city}。',
} as const;

export function capitalPairs(): Pair[] {
  return capitals.flatMap(([country, city, countryZh, cityZh]) => {
    const en = { country, city };
    const zh = { country: countryZh, city: cityZh };
    const asked = [
      'What is the capital of {country}?',
      'Which city is the capital of {country}?',
      'Tell me the capital of {country}.',
      'capital of {country}?',
    ];
    const askedZh = [
      '{country}的首都是哪里？',
      '{country}的首都是什么？',
      '{country}的首都叫什么名字？',
      '请告诉我{country}的首都。',
    ];
    return [
      ...pairs('capitals', 'en', asked, CAPITAL_ANSWER.en, en),
      ...pairs('capitals', 'zh', askedZh, CAPITAL_ANSWER.zh, zh),
      ...pairs(
        'capitals',
        'en',
        ['{city} is the capital of which country?'],
        '{city} is the capital of {country}.',
        en,
      ),
      ...pairs('capitals', 'zh', ['{city}是哪个国家的首都？'], '{city}是{country}的首都。', zh),
    ];
  });
}

export function oppositePairs(): Pair[] {
  const bothWays = (list: string[][]) =>
    list.flatMap(([a, b]) => [
      { a, b },
      { a: b, b: a },
    ]);
  const en = [
    'What is the opposite of {a}?',
    'Give me the opposite of "{a}".',
    'Which word means the opposite of {a}?',
  ];
  const zh = ['“{a}”的反义词是什么？', '{a}的反义词是哪个词？', '和“{a}”意思相反的词是什么？'];
  return [
    ...bothWays(opposites.en).flatMap((v) => pairs('opposites', 'en', en, 'The opposite of {a} is {b}.', v)),
    ...bothWays(opposites.zh).flatMap((v) => pairs('opposites', 'zh', zh, '“{a}”的反义词是“{b}”。', v)),
  ];
}

export function colorPairs(): Pair[] {
  const en = ['What color is {thing}?', 'What colour is {thing}?', 'Which color does {thing} have?'];
  const zh = ['{thing}是什么颜色的？', '{thing}是什么颜色？', '请问{thing}的颜色是什么？'];
  return colors.flatMap(([thing, color, thingZh, colorZh]) => [
    ...pairs('colors', 'en', en, '{thing} is {color}.', { thing, color }),
    ...pairs('colors', 'zh', zh, '{thing}是{color}的。', { thing: thingZh, color: colorZh }),
  ]);
}

export function animalPairs(): Pair[] {
  const article = (noun: string) => (/^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`);
  const sounds = animals.sounds.flatMap(([animal, sound, animalZh, soundZh]) => {
    const en = { animal: article(animal), sound };
    const zh = { animal: animalZh, sound: soundZh };
    return [
      ...pairs(
        'animals',
        'en',
        ['What does {animal} say?', 'What sound does {animal} make?', 'How does {animal} sound?'],
        '{animal} says {sound}.',
        en,
      ),
      ...pairs(
        'animals',
        'zh',
        ['{animal}怎么叫？', '{animal}的叫声是什么？', '{animal}是怎么叫的？'],
        '{animal}的叫声是{sound}。',
        zh,
      ),
    ];
  });
  const legs = animals.legs.flatMap(([animal, count, animalZh, countZh]) => {
    const zhAnswer = countZh === '没有' ? '{animal}没有腿。' : '{animal}有{count}条腿。';
    return [
      ...pairs(
        'animals',
        'en',
        ['How many legs does {animal} have?', 'How many legs has {animal}?'],
        '{animal} has {count} legs.',
        {
          animal: article(animal),
          count,
        },
      ),
      ...pairs('animals', 'zh', ['{animal}有几条腿？', '{animal}有多少条腿？'], zhAnswer, {
        animal: animalZh,
        count: countZh,
      }),
    ];
  });
  const young = animals.young.flatMap(([animal, child, animalZh, childZh]) => [
    ...pairs(
      'animals',
      'en',
      ['What is a young {animal} called?', 'What do you call a baby {animal}?'],
      'A young {animal} is called {child}.',
      {
        animal,
        child,
      },
    ),
    ...pairs(
      'animals',
      'zh',
      ['{animal}的孩子叫什么？', '{animal}的宝宝叫什么？'],
      '{animal}的孩子叫{child}。',
      { animal: animalZh, child: childZh },
    ),
  ]);
  return [...sounds, ...legs, ...young];
}

export function definitionPairs(): Pair[] {
  const en = [
    'What is {term}?',
    'Explain {term} in one sentence.',
    'Can you explain what {term} is?',
    'Define {term}.',
  ];
  const zh = ['什么是{term}？', '{term}是什么？', '用一句话解释{term}。', '请解释一下什么是{term}。'];
  return definitions.flatMap(([term, text, termZh, textZh]) => [
    ...pairs('definitions', 'en', en, text, { term }),
    ...pairs('definitions', 'zh', zh, textZh, { term: termZh }),
  ]);
}

export function truthPairs(): Pair[] {
  const lowered = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);
  return [
    ...truths.en.flatMap(([ask, answer]) =>
      pairs('truths', 'en', [ask, `Yes or no: ${lowered(ask)}`], answer),
    ),
    ...truths.zh.flatMap(([ask, answer]) => pairs('truths', 'zh', [ask, `请回答：${ask}`], answer)),
  ];
}
