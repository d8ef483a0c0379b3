/** Words and sentences both ways, and saying words after the user. */
import sentences from '../../corpus/sentences.json';
import words from '../../corpus/words.json';
import type { Pair } from '../pair';
import { fill } from '../pair';
import type { Random } from '../random';

const TO_ENGLISH = [
  ['zh', '“{zh}”用英语怎么说？'],
  ['zh', '{zh}的英语是什么？'],
  ['zh', '把“{zh}”翻译成英语。'],
  ['en', 'How do you say {zh} in English?'],
  ['en', 'Translate into English: {zh}'],
] as const;

const TO_CHINESE = [
  ['en', 'How do you say "{en}" in Chinese?'],
  ['en', 'What is "{en}" in Chinese?'],
  ['en', 'Translate into Chinese: {en}'],
  ['zh', '“{en}”用中文怎么说？'],
  ['zh', '把“{en}”翻译成中文。'],
] as const;

const SENTENCE_TO_ENGLISH = [
  ['zh', '把这句话翻译成英语：{zh}'],
  ['zh', '用英语怎么说：{zh}'],
  ['en', 'Translate into English: {zh}'],
] as const;

const SENTENCE_TO_CHINESE = [
  ['en', 'Translate this sentence into Chinese: {en}'],
  ['en', 'Translate into Chinese: {en}'],
  ['zh', '用中文怎么说：{en}'],
] as const;

/** Wordings of each word or sentence that are trained; the others are left to test whether wordings carry over. */
const TRAINED_WORDS = 3;
const TRAINED_SENTENCES = 2;

const REPEAT = [
  ['en', 'Repeat after me: {text}'],
  ['en', 'Say: {text}'],
  ['zh', '请跟我说：{text}'],
  ['zh', '请重复：{text}'],
] as const;

/** Characters that are no pieces of their own: they teach the byte pieces. */
const UNCOMMON = [
  ...'龙凤麒麟鹤鲤蝶蕊籁韵墨砚琴瑟笛箫舟帆岚霜露霞虹曦éüñøåßçλπωжящあいうえカキ한글😀🍵🌸🐼🚀',
];

type Wordings = readonly (readonly [Pair['language'], string])[];

/** Translations of words and sentences, both ways. */
export function translationPairs(random: Random): { train: Pair[]; heldOut: Pair[] } {
  const train: Pair[] = [];
  const heldOut: Pair[] = [];
  const add = (wordings: Wordings, trained: number, values: { en: string; zh: string }, answer: string) => {
    random.shuffled(wordings).forEach(([language, wording], index) => {
      const target = index < trained ? train : heldOut;
      target.push({ topic: 'translation', language, ask: fill(wording, values), answer });
    });
  };
  for (const [en, zh] of words) {
    const values = { en, zh };
    add(TO_ENGLISH, TRAINED_WORDS, values, values.en);
    add(TO_CHINESE, TRAINED_WORDS, values, values.zh);
  }
  for (const [en, zh] of sentences) {
    const values = { en, zh };
    add(SENTENCE_TO_ENGLISH, TRAINED_SENTENCES, values, values.en);
    add(SENTENCE_TO_CHINESE, TRAINED_SENTENCES, values, values.zh);
  }
  return { train, heldOut };
}

/** `count` requests to repeat one to three words or uncommon characters. */
export function repeatPairs(count: number, random: Random): Pair[] {
  return Array.from({ length: count }, (_, index) => {
    const [language, wording] = random.pick(REPEAT);
    const length = 1 + random.below(3);
    const text =
      index % 3 === 0
        ? Array.from({ length }, () => random.pick(UNCOMMON)).join('')
        : Array.from({ length }, () => random.pick(words)[language === 'en' ? 0 : 1]).join(
            language === 'en' ? ' ' : '',
          );
    return { topic: 'repeat', language, ask: fill(wording, { text }), answer: text };
  });
}
