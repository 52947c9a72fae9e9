/** Parts of a data set that a model can be measured against. */
export const referenceSplits = ["test", "train"] as const;
export type ReferenceSplit = (typeof referenceSplits)[number];
