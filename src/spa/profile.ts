export interface Profile {
  distribution: import("./mixture.ts").GaussianMixture;
  evidence: Float64Array;
}
