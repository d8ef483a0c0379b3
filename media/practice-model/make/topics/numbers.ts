/** Sums, differences, counting and the calendar. */
import calendar from '../../corpus/calendar.json';
import type { Pair } from '../pair';
import { pairs } from '../pair';

const LARGEST_TERM = 10;
const LARGEST_COUNT = 30;

export function sumPairs(): Pair[] {
  const result: Pair[] = [];
  for (let left = 0; left <= LARGEST_TERM; left += 1) {
    for (let right = 0; right <= LARGEST_TERM; right += 1) {
      const values = { a: `${left}`, b: `${right}`, sum: `${left + right}`, difference: `${left - right}` };
      result.push(
        ...pairs('sums', 'en', ['What is {a} plus {b}?'], '{a} plus {b} is {sum}.', values),
        ...pairs('sums', 'zh', ['{a}加{b}等于几？', '{a}加{b}是多少？'], '{a}加{b}等于{sum}。', values),
        ...pairs('sums', 'en', ['{a} + {b} = ?'], '{a} + {b} = {sum}', values),
      );
      if (left < right) continue;
      result.push(
        ...pairs('sums', 'en', ['What is {a} minus {b}?'], '{a} minus {b} is {difference}.', values),
        ...pairs('sums', 'zh', ['{a}减{b}等于几？'], '{a}减{b}等于{difference}。', values),
      );
    }
  }
  return result;
}

export function countingPairs(): Pair[] {
  const result: Pair[] = [];
  for (let number = 1; number < LARGEST_COUNT; number += 1) {
    const values = { n: `${number}`, next: `${number + 1}`, before: `${number - 1}` };
    result.push(
      ...pairs('counting', 'en', ['What number comes after {n}?'], '{next} comes after {n}.', values),
      ...pairs('counting', 'zh', ['{n}后面是几？'], '{n}后面是{next}。', values),
      ...pairs('counting', 'en', ['What number comes before {n}?'], '{before} comes before {n}.', values),
      ...pairs('counting', 'zh', ['{n}前面是几？'], '{n}前面是{before}。', values),
    );
  }
  for (let last = 3; last <= 12; last += 1) {
    const list = Array.from({ length: last }, (_, index) => `${index + 1}`);
    const values = { last: `${last}` };
    result.push(
      ...pairs('counting', 'en', ['Count to {last}.', 'Count from 1 to {last}.'], list.join(', '), values),
      ...pairs('counting', 'zh', ['从1数到{last}。', '请数到{last}。'], list.join('、'), values),
    );
  }
  return result;
}

function neighbours(list: readonly string[]): { item: string; next: string; before: string }[] {
  const { length } = list;
  return list.map((item, index) => ({
    item,
    next: list[(index + 1) % length],
    before: list[(index + length - 1) % length],
  }));
}

export function calendarPairs(): Pair[] {
  const { days, months } = calendar;
  const dayPairs = neighbours(days.en).flatMap((v) => [
    ...pairs(
      'calendar',
      'en',
      ['What day comes after {item}?', 'Which day follows {item}?'],
      '{next} comes after {item}.',
      v,
    ),
    ...pairs('calendar', 'en', ['What day comes before {item}?'], '{before} comes before {item}.', v),
  ]);
  const dayPairsZh = neighbours(days.zh).flatMap((v) => [
    ...pairs(
      'calendar',
      'zh',
      ['{item}的后一天是星期几？', '{item}后面是星期几？'],
      '{item}的后一天是{next}。',
      v,
    ),
    ...pairs('calendar', 'zh', ['{item}的前一天是星期几？'], '{item}的前一天是{before}。', v),
  ]);
  const monthPairs = neighbours(months.en).flatMap((v, index) => [
    ...pairs(
      'calendar',
      'en',
      ['What month comes after {item}?', 'Which month follows {item}?'],
      '{next} comes after {item}.',
      v,
    ),
    ...pairs('calendar', 'en', ['How many days does {item} have?'], '{item} has {days} days.', {
      ...v,
      days: `${months.days[index]}`,
    }),
    ...pairs('calendar', 'en', ['Which season is {item} in?'], '{item} is in {season}.', {
      ...v,
      season: months.season[index],
    }),
  ]);
  const monthPairsZh = neighbours(months.zh).flatMap((v, index) => [
    ...pairs(
      'calendar',
      'zh',
      ['{item}的下一个月是几月？', '{item}后面是几月？'],
      '{item}的下一个月是{next}。',
      v,
    ),
    ...pairs('calendar', 'zh', ['{item}有多少天？'], '{item}有{days}天。', {
      ...v,
      days: `${months.days[index]}`,
    }),
    ...pairs('calendar', 'zh', ['{item}是什么季节？'], '{item}是{season}。', {
      ...v,
      season: months.seasonZh[index],
    }),
  ]);
  return [...dayPairs, ...dayPairsZh, ...monthPairs, ...monthPairsZh];
}
