import assert from 'node:assert/strict';
import { test } from 'node:test';
import { learningRateFactor, scheduleOf, type Schedule } from '../../../src/engine/train/schedule';
import { trainingSchema, type TrainingSettings } from '../../../src/protocol/run';

const RATE = 2e-3;

/** Rates of 15 updates from 2e-3, computed with transformers 4.57.6 (`get_scheduler`), to twelve digits. */
const reference: { schedule: Schedule; rates: number[] }[] = [
  {
    schedule: { type: 'linear', warmupSteps: 3, totalSteps: 15, cycles: 1, power: 1, end: 0 },
    rates: [
      0.0, 0.000666666666667, 0.00133333333333, 0.002, 0.00183333333333, 0.00166666666667, 0.0015,
      0.00133333333333, 0.00116666666667, 0.001, 0.000833333333333, 0.000666666666667, 0.0005,
      0.000333333333333, 0.000166666666667,
    ],
  },
  {
    schedule: { type: 'linear', warmupSteps: 0, totalSteps: 15, cycles: 1, power: 1, end: 0 },
    rates: [
      0.002, 0.00186666666667, 0.00173333333333, 0.0016, 0.00146666666667, 0.00133333333333, 0.0012,
      0.00106666666667, 0.000933333333333, 0.0008, 0.000666666666667, 0.000533333333333, 0.0004,
      0.000266666666667, 0.000133333333333,
    ],
  },
  {
    schedule: { type: 'cosine', warmupSteps: 3, totalSteps: 15, cycles: 1, power: 1, end: 0 },
    rates: [
      0.0, 0.000666666666667, 0.00133333333333, 0.002, 0.00196592582629, 0.00186602540378, 0.00170710678119,
      0.0015, 0.0012588190451, 0.001, 0.000741180954897, 0.0005, 0.000292893218813, 0.000133974596216,
      3.40741737109e-5,
    ],
  },
  {
    schedule: { type: 'constant', warmupSteps: 0, totalSteps: 15, cycles: 1, power: 1, end: 0 },
    rates: [
      0.002, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002,
    ],
  },
  {
    schedule: { type: 'constant_with_warmup', warmupSteps: 4, totalSteps: 15, cycles: 1, power: 1, end: 0 },
    rates: [
      0.0, 0.0005, 0.001, 0.0015, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002,
    ],
  },
  {
    schedule: { type: 'cosine_with_restarts', warmupSteps: 2, totalSteps: 15, cycles: 3, power: 1, end: 0 },
    rates: [
      0.0, 0.001, 0.002, 0.00174851074817, 0.00112053668026, 0.000431935253269, 2.90581825739e-5,
      0.00188545602565, 0.00135460488704, 0.000645395112957, 0.000114543974347, 0.00197094181743,
      0.00156806474673, 0.000879463319745, 0.000251489251829,
    ],
  },
  {
    schedule: { type: 'cosine_with_restarts', warmupSteps: 0, totalSteps: 15, cycles: 1, power: 1, end: 0 },
    rates: [
      0.002, 0.00197814760073, 0.00191354545764, 0.00180901699437, 0.00166913060636, 0.0015, 0.00130901699437,
      0.00110452846327, 0.000895471536732, 0.000690983005625, 0.0005, 0.000330869393641, 0.000190983005625,
      8.64545423574e-5, 2.18523992662e-5,
    ],
  },
  {
    schedule: { type: 'polynomial', warmupSteps: 3, totalSteps: 15, cycles: 1, power: 2.0, end: 1e-5 / RATE },
    rates: [
      0.0, 0.000666666666667, 0.00133333333333, 0.002, 0.00168215277778, 0.00139194444444, 0.001129375,
      0.000894444444444, 0.000687152777778, 0.0005075, 0.000355486111111, 0.000231111111111, 0.000134375,
      6.52777777778e-5, 2.38194444444e-5,
    ],
  },
  {
    schedule: { type: 'polynomial', warmupSteps: 0, totalSteps: 15, cycles: 1, power: 0.5, end: 0 },
    rates: [
      0.002, 0.00193218356616, 0.0018618986725, 0.001788854382, 0.00171269767716, 0.00163299316186,
      0.00154919333848, 0.00146059348668, 0.00136626010213, 0.00126491106407, 0.00115470053838,
      0.00103279555899, 0.000894427191, 0.00073029674334, 0.000516397779494,
    ],
  },
  {
    schedule: { type: 'inverse_sqrt', warmupSteps: 4, totalSteps: 15, cycles: 1, power: 1, end: 0 },
    rates: [
      0.0, 0.0005, 0.001, 0.0015, 0.002, 0.001788854382, 0.00163299316186, 0.00151185789204, 0.00141421356237,
      0.00133333333333, 0.00126491106407, 0.00120604537831, 0.00115470053838, 0.00110940039245,
      0.00106904496765,
    ],
  },
  {
    schedule: { type: 'inverse_sqrt', warmupSteps: 0, totalSteps: 15, cycles: 1, power: 1, end: 0 },
    rates: [
      0.002, 0.0019999000075, 0.00199980003, 0.00199970006748, 0.00199960011996, 0.00199950018742,
      0.00199940026987, 0.00199930036729, 0.00199920047968, 0.00199910060704, 0.00199900074938,
      0.00199890090667, 0.00199880107892, 0.00199870126613, 0.00199860146829,
    ],
  },
];

for (const { schedule, rates } of reference)
  test(`${schedule.type}, ${schedule.warmupSteps} steps of warm-up: as transformers`, () => {
    rates.forEach((wanted, done) => {
      const found = RATE * learningRateFactor(schedule, done);
      assert.ok(Math.abs(found - wanted) <= 1e-11 * RATE, `update ${done}: ${found}, not ${wanted}`);
    });
  });

function settingsOf(settings: object): TrainingSettings {
  const parsed = trainingSchema.parse(settings);
  return { ...parsed, learning_rate: parsed.learning_rate ?? RATE };
}

test('a run file gives the warm-up in steps or as a ratio of them', () => {
  const warmup = (settings: object): number => scheduleOf(settingsOf(settings), 50).warmupSteps;
  assert.equal(warmup({}), 0);
  assert.equal(warmup({ warmup_ratio: 0.05 }), 3);
  assert.equal(warmup({ warmup_ratio: 0.05, warmup_steps: 7 }), 7);
});

test('constant takes the warm-up that is set', () => {
  const schedule = scheduleOf(settingsOf({ lr_scheduler_type: 'constant', warmup_steps: 4 }), 10);
  assert.equal(learningRateFactor(schedule, 1), 0.25);
  assert.equal(learningRateFactor(schedule, 9), 1);
});

test('polynomial ends at lr_end', () => {
  const settings = { lr_scheduler_type: 'polynomial', learning_rate: 0.1, lr_end: 0.02 };
  const schedule = scheduleOf(settingsOf(settings), 10);
  assert.ok(Math.abs(0.1 * learningRateFactor(schedule, 10) - 0.02) < 1e-15);
});
