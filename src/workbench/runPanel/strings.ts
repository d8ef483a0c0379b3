import * as vscode from 'vscode';
import { t } from '../../host/translate';
import type { RunStrings } from '../../protocol/webview';

export function runStrings(): RunStrings {
  return {
    language: vscode.env.language,
    loss: t('Loss'),
    raw: t('Raw'),
    trainingLoss: t('Training loss'),
    smoothed: t('Smoothed'),
    validation: t('Validation'),
    validationLoss: t('Validation loss'),
    learningRate: t('Learning rate'),
    gradientNorm: t('Gradient norm'),
    tokensPerSecond: t('Tokens per second'),
    smoothing: t('Smoothing'),
    step: t('Step'),
    epoch: t('Epoch'),
    checkpoints: t('Checkpoints'),
    best: t('lowest validation loss'),
    table: t('Show the points as a table'),
    tableNote: t('{rows} of {count} steps, evenly spread.'),
    noPoints: t('The curve begins with the first step.'),
    progress: t('Progress of the run'),
  };
}
