import type { AdapterErrors, ConversionObstacle } from '../../protocol/errors';
import type { ErrorTable } from '../errors';
import type { Translate } from '../translate';

export const adapterErrors: ErrorTable<AdapterErrors> = {
  'adapter.badPattern': (t, args) => ({
    message: t('The pattern {pattern} for module names cannot be used ({detail}).', { ...args }),
    remedy: t(
      'Write a simpler regular expression without back references and look-behind, or list the modules by name.',
    ),
  }),
  'adapter.otherModel': (t, args) => ({
    message: t('{path} says {key} = {found}, but the model has {expected}.', { ...args }),
    remedy: t('Use the adapter with the model it was trained on.'),
  }),
  'adapter.projectionLost': (t, args) => ({
    message: t(
      'The prefix at {path} was trained with a projection, but only its result was saved: it cannot be trained further.',
      { ...args },
    ),
    remedy: t(
      'Use it for chat and scoring, or start from a prefix that was saved with prefix_encoder.safetensors.',
    ),
  }),
  'adapter.oldPrefix': (t, args) => ({
    message: t(
      "{path} comes from ChatGLM2's code of June 2023, whose prefixes do not fit the model: {tensor} has the shape {found} instead of {expected}.",
      { ...args },
    ),
    remedy: t('Train the prefix again.'),
  }),
  'adapter.notConvertible': (t, args) => ({
    message: t('The adapter {path} cannot be converted exactly: {reason}', {
      path: args.path,
      reason: obstacle(t, args.reason, args.detail),
    }),
    remedy: t('Use the adapter with a model in the layout it was trained on.'),
  }),
};

function obstacle(t: Translate, reason: ConversionObstacle, detail: string): string {
  switch (reason) {
    case 'notLora':
      return t('only LoRA and DoRA adapters belong to the layers of a model.');
    case 'noCounterpart':
      return t('models of the kind {detail} have only one layout.', {
        detail,
      });
    case 'sameLayout':
      return t('it is in the layout of the target model already.');
    case 'chatglmLayout':
      return t('{detail} is a layer of ChatGLM-6B, whose query, key and value rows alternate head by head.', {
        detail,
      });
    case 'perHeadLayout':
      return t(
        'with one key and value per head ({detail}), query, key and value rows alternate head by head.',
        {
          detail,
        },
      );
    case 'doraPart':
      return t('{detail} has no magnitudes for some of query, key and value.', { detail });
    case 'scale':
      return t('query, key and value of {detail} have different scales.', { detail });
    case 'module':
      return t('it changes {detail}, which has no counterpart.', { detail });
  }
}
