/** What both entries export: everything that runs in Node and in browsers. */
export { UnnoiseError, type ErrorCode } from "./math/error.ts";
export { Random, type Stream } from "./math/random.ts";
export { floatTensor, type DType, type FloatTensor, type Shape, type Tensor } from "./tensor/tensor.ts";

export * as graph from "./graph.ts";
export type { Device } from "./runtime/backend.ts";

export { linearSchedule, scheduleFromBetas, logSnr, snr, type NoiseSchedule } from "./diffusion/schedule.ts";
export {
  lintSchedule,
  scheduleFigures,
  scheduleSeverity,
  type LintOptions,
  type ScheduleFigures,
} from "./diffusion/lint.ts";
export { lintSteps } from "./diffusion/lint-steps.ts";
export { priorKl } from "./diffusion/prior.ts";
export { constantSchedule } from "./diffusion/schedules/constant.ts";
export { cosineSchedule, type CosineScheduleOptions } from "./diffusion/schedules/cosine.ts";
export { exponentialSchedule } from "./diffusion/schedules/exponential.ts";
export { jsdSchedule } from "./diffusion/schedules/jsd.ts";
export type { BetaRangeOptions } from "./diffusion/schedules/range.ts";
export { quadraticSchedule, scaledLinearSchedule } from "./diffusion/schedules/scaled-linear.ts";
export {
  scheduleConfig,
  scheduleFromConfig,
  scheduleNames,
  type ScheduleConfig,
  type ScheduleName,
} from "./diffusion/schedules/schedule-config.ts";
export {
  geometricSchedule,
  karrasSchedule,
  karrasSigmas,
  scheduleFromSigmas,
  type KarrasScheduleOptions,
  type SigmaRangeOptions,
} from "./diffusion/schedules/sigmas.ts";
export { sigmoidSchedule } from "./diffusion/schedules/sigmoid.ts";
export { warmupSchedule, type WarmupScheduleOptions } from "./diffusion/schedules/warmup.ts";
export { rescaleToZeroTerminalSnr } from "./diffusion/schedules/zero-terminal-snr.ts";
export { forwardStep, qSample } from "./diffusion/forward.ts";
export { posteriorMean, posteriorVariance } from "./diffusion/posterior.ts";
export {
  conversionBetween,
  conversionOf,
  convertPrediction,
  meanFromEps,
  parameterisations,
  predictEpsFromX0,
  predictX0FromEps,
  type Conversion,
  type LinearForm,
  type Parameterisation,
} from "./diffusion/parameterisation.ts";
export {
  fixedLogVariance,
  learnedLogVariance,
  posteriorLogVariance,
  type FirstLogVariance,
  type FixedVariance,
  type ReverseStep,
} from "./diffusion/variance.ts";
export {
  batchLoss,
  lossReductions,
  objectiveNames,
  type BatchLoss,
  type LossInputs,
  type LossReduction,
  type ObjectiveName,
  type ObjectiveOptions,
  type Predict,
} from "./diffusion/objectives/objective.ts";
export { varianceKinds, type VarianceKind } from "./diffusion/objectives/bound-terms.ts";
export { learnedScheduleLoss, scheduleFromGammas, type NoiseCurve } from "./diffusion/objectives/learned-schedule.ts";
export { lossNorms, type LossNorm } from "./diffusion/objectives/loss-norm.ts";
export { simpleLoss } from "./diffusion/objectives/simple-loss.ts";
export { timestepDraws, type TimestepDraw } from "./diffusion/objectives/timestep-draw.ts";
export { stepWeights, weightingNames, type Weighting, type WeightingName } from "./diffusion/objectives/weighting.ts";
export { explicitSteps, leadingSteps, linspaceSteps, quadraticSteps, trailingSteps } from "./diffusion/steps.ts";
export { karrasSteps, logSnrSteps, type KarrasStepsOptions } from "./diffusion/noise-level-steps.ts";
export { spacingNames, spacings, type Spacing, type SpacingName } from "./diffusion/spacings.ts";
export {
  ddimQuadraticSteps,
  ddimUniformSteps,
  diffusersLeadingSteps,
  diffusersLinspaceSteps,
  diffusersTrailingSteps,
  openaiDdimSteps,
  openaiSteps,
} from "./diffusion/preset-steps.ts";
export { seededNoise, type NoiseSource, type SamplerNoise } from "./diffusion/noise.ts";
export {
  finalSample,
  type Denoiser,
  type DynamicThreshold,
  type EpsDenoiser,
  type LearnedVariance,
  type Prediction,
  type Sampler,
  type SamplerOptions,
  type SamplerStep,
  type SamplingMethod,
} from "./diffusion/sampler.ts";
export { samplerOf } from "./diffusion/linear-method.ts";
export {
  samplerFrom,
  type Advance,
  type Move,
  type Position,
  type SamplingProcedure,
} from "./diffusion/sampling-loop.ts";
export { ddim, type DdimOptions } from "./diffusion/samplers/ddim.ts";
export { ddimInversion, type DdimInversionOptions } from "./diffusion/samplers/ddim-inversion.ts";
export { langevin, type LangevinOptions } from "./diffusion/samplers/langevin.ts";
export {
  predictorCorrector,
  type CorrectorNorms,
  type PredictorCorrectorOptions,
  type PredictorName,
} from "./diffusion/samplers/predictor-corrector.ts";
export { interpolateLatents } from "./diffusion/interpolate.ts";
export { ddpm, type DdpmOptions, type ReverseVariance } from "./diffusion/samplers/ddpm.ts";
export { dpmpp2m } from "./diffusion/samplers/dpmpp-2m.ts";
export { dpmpp2mSde } from "./diffusion/samplers/dpmpp-2m-sde.ts";
export type { ChurnOptions } from "./diffusion/samplers/edm-churn.ts";
export { euler } from "./diffusion/samplers/euler.ts";
export { heun } from "./diffusion/samplers/heun.ts";
export { repaint, repaintRoute, type RepaintOptions, type ResamplingOptions } from "./diffusion/samplers/repaint.ts";
export { uniPc, type UniPcOptions, type UniPcVariant } from "./diffusion/samplers/unipc.ts";
export { presetNames, presets, samplingOptions, type Preset, type PresetName } from "./diffusion/presets.ts";
export { comparePresets, type PresetComparison, type PresetDifference } from "./diffusion/preset-difference.ts";
export { gaussianDenoiser, idealDenoiser } from "./diffusion/oracle.ts";
export {
  gaussianMixture,
  pointMixture,
  type Covariance,
  type GaussianMixture,
  type GaussianMixtureOptions,
} from "./diffusion/oracles/mixture.ts";
export {
  mixtureDenoiser,
  mixtureEpsTrace,
  mixtureEpsVjp,
  mixtureLogDensity,
  mixturePosteriorMean,
  mixturePosteriorTrace,
  mixtureScore,
} from "./diffusion/oracles/mixture-denoiser.ts";
export {
  bayesLoss,
  mixtureEntropy,
  optimalVariance,
  sampleMixture,
  type EstimateOptions,
  type OptimalVarianceOptions,
} from "./diffusion/oracles/mixture-draws.ts";
export { kernelDensity, leaveOneOutBandwidth } from "./diffusion/oracles/kernel-density.ts";
export { meanOf, type MeanEstimate, type SpreadEstimate } from "./math/running-mean.ts";
export {
  decoders,
  discretisedGaussianLogLikelihood,
  gaussianLogDensity,
  tanhNormalCdf,
  type Decoder,
  type DecoderName,
} from "./diffusion/decoder.ts";
export { gaussianKl, priorTerm } from "./diffusion/gaussian-kl.ts";
export {
  bitsPerDimension,
  variationalBound,
  type BoundTerm,
  type NegativeLogLikelihood,
  type VariationalBound,
  type VariationalBoundOptions,
} from "./diffusion/bound.ts";
export type { BoundOptions } from "./diffusion/bound-options.ts";
export type { ModelVariance } from "./diffusion/reverse-transition.ts";
export { trajectoryBound } from "./diffusion/trajectory-bound.ts";
export { boundGap, type BoundGap, type BoundGapOptions, type StepLoss } from "./diffusion/bound-gap.ts";
export { rateDistortion, type RateDistortion } from "./diffusion/rate-distortion.ts";
export {
  odeLikelihood,
  type DenoiserWithVjp,
  type HutchinsonProbes,
  type OdeLikelihood,
  type OdeLikelihoodOptions,
  type PredictionWithVjp,
} from "./diffusion/ode-likelihood.ts";

export { toyDataset, type Dataset, type ToyDatasetOptions } from "./data/dataset.ts";
export { isToyName, toyDatasets, toyNames, type ToyName } from "./data/toy.ts";
export { toySupport, type ToySupport } from "./data/toy-support.ts";
export { memoryImages, pickImages, type ImageDataset, type ImageFacts } from "./data/images.ts";
export { fitStandardiser, standardise, unstandardise, type Standardiser } from "./data/standardise.ts";

export { wasserstein2 } from "./metrics/wasserstein.ts";
export { slicedWasserstein2 } from "./metrics/sliced-wasserstein.ts";
export { mmd } from "./metrics/mmd.ts";
export { energyDistance } from "./metrics/energy.ts";
export { coverage } from "./metrics/coverage.ts";
export { evaluateSamples, measureFloors, type Floors, type MetricRow, type MetricTable } from "./metrics/evaluate.ts";

export { featureMoments, FeatureStatistics, type FeatureMoments } from "./metrics/feature-statistics.ts";
export { fid, frechetDistance } from "./metrics/fid.ts";
export { kid, type Kid, type KidOptions } from "./metrics/kid.ts";
export { precisionRecall, type PrecisionRecall, type PrecisionRecallOptions } from "./metrics/precision-recall.ts";

export { networkPreset, networkPresetNames, type PresetOptions } from "./nn/network-presets.ts";
export type { DenoiserConfig } from "./nn/networks.ts";
export type { Network, NetworkInputs } from "./nn/network.ts";
export { imageGrid, levelsOf, type GridOptions } from "./formats/pixels.ts";

export { parseTrainingConfig, type TrainingConfig, type TrainingOptions } from "./train/config.ts";
export { Trainer, type StepReport, type TrainingState } from "./train/trainer.ts";
export { train, type TrainOptions } from "./train/train.ts";
export { sample, sampleGroups, type SampleOptions } from "./train/sample.ts";
export type { DrawOptions, SampleGroup } from "./train/draw-samples.ts";
export { imageBound, type ImageBound, type ImageBoundOptions } from "./train/image-bound.ts";
export { classCountOf, sampleImages, type SampleImagesOptions } from "./train/sample-images.ts";
export { toyMixture, type ToyMixtureOptions } from "./train/toy-oracle.ts";
export { VjpSession } from "./train/vjp-session.ts";
export {
  DenoiserSession,
  type Condition,
  reverseVarianceOf,
  scheduleOf,
  type AnyModel,
  type DiffusionModel,
  type ImageModel,
  type PointModel,
} from "./train/model.ts";
