/** The one door to TensorFlow.js: every other file imports it from here. */

export * from "@tensorflow/tfjs";
