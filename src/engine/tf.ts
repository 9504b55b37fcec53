/**
 * The one door to TensorFlow.js: every other file imports it from here. It is
 * the core and the reference backend; the gradients that training needs are in
 * gradients.ts, since the whole package is five times as large.
 */

import "@tensorflow/tfjs-backend-cpu";

export * from "@tensorflow/tfjs-core";
