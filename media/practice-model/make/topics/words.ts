/** Words both ways, and saying words after the user. */
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

const TRAINED_WORDINGS = 3;

const REPEAT = [
  ['en', 'Repeat after me: {text}'],
  ['en', 'Say: {text}'],
  ['zh', '请跟我说：{text}'],
  ['zh', '请重复：{text}'],
] as const;

/** Characters that are no pieces of their own: they teach the byte pieces. */
const UNCOMMON = [...'龙凤麒麟鹤鲤蝶蕊籁韵墨砚琴瑟笛箫舟帆岚霜露霞虹曦éüñøåßçλπωжящあいうえカキ한글😀🍵🌸🐼🚀'];

/** Translations; of the five wordings of a word three are trained and two are left to test whether wordings carry over. */
export function translationPairs(random: Random): { train: Pair[]; heldOut: Pair[] } {
  const train: Pair[] = [];
  const heldOut: Pair[] = [];
  for (const [en, zh] of words) {
    for (const [wordings, answer] of [
      [TO_ENGLISH, en!],
      [TO_CHINESE, zh!],
    ] as const) {
      random.shuffled(wordings).forEach(([language, wording], index) => {
        const target = index < TRAINED_WORDINGS ? train : heldOut;
        target.push({
          topic: 'translation',
          language,
          ask: fill(wording, { en: en!, zh: zh! }),
          answer,
        });
      });
    }
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
        : Array.from({ length }, () => random.pick(words)[language === 'en' ? 0 : 1]!).join(
            language === 'en' ? ' ' : '',
          );
    return { topic: 'repeat', language, ask: fill(wording, { text }), answer: text };
  });
}
