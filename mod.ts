/**
 * SPA: segmentation preference alignment for medical images (Zhu et al., ICCV
 * 2025). One click; a recommended segmentation and four distinct candidates;
 * pick the nearest; a few picks later the segmentation is yours.
 *
 * @example Align with a click and two choices
 * ```ts no-eval
 * import * as spa from "@spa-seg/spa";
 *
 * const model = await spa.loadModel();
 * const image = await spa.readImage("slice.png");
 * const embedding = await spa.encode(model, image);
 * let preference = await spa.startPreference(model, embedding, {
 *   points: [{ x: 61, y: 40 }],
 * });
 * for (const choice of [0, 2]) {
 *   const latents = spa.sampleGMM(preference.distribution, { count: 48 });
 *   const predictions = await spa.decode(model, embedding, latents, preference);
 *   const proposal = spa.cluster(predictions, { count: 4 });
 *   preference = await spa.updatePreference(
 *     model,
 *     embedding,
 *     preference,
 *     proposal,
 *     choice,
 *   );
 * }
 * ```
 *
 * @module
 */

export * from "./src/checkpoints/load_model.ts";
export * from "./src/checkpoints/save_model.ts";
export * from "./src/datasets/folder.ts";
export * from "./src/datasets/lidc_crops.ts";
export * from "./src/datasets/phantom.ts";
export * from "./src/datasets/read_image.ts";
export * from "./src/datasets/write_image.ts";
export * from "./src/engine/engine.ts";
export * from "./src/evaluation/evaluate.ts";
export * from "./src/model/config.ts";
export * from "./src/model/model.ts";
export * from "./src/spa/add_point.ts";
export * from "./src/spa/cluster.ts";
export * from "./src/spa/decode.ts";
export * from "./src/spa/encode.ts";
export * from "./src/spa/profile.ts";
export * from "./src/spa/sample_gmm.ts";
export * from "./src/spa/session.ts";
export * from "./src/spa/simulated_user.ts";
export * from "./src/spa/start_preference.ts";
export * from "./src/spa/update_preference.ts";
export * from "./src/training/train.ts";
