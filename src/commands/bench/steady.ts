/** Child process of the benchmark: times of one setting, as JSON. */

import { runCommand } from "../command_line.ts";
import {
  encodeAndWait,
  iterate,
  type IterationTimes,
  SESSION,
  start,
  time,
} from "./alignment.ts";
import { openSetting } from "./setting.ts";

/** What the child prints. */
export interface SteadyTimes {
  /** Milliseconds of every encoding but the first. */
  readonly encode: readonly number[];
  /** Every iteration but the first. */
  readonly iterations: readonly IterationTimes[];
  /** Milliseconds that the first calls took more than the later ones. */
  readonly compile: number;
}

/** Slow engines do not repeat as often: no more begins after this, in ms. */
const PATIENCE = 20_000;

async function measure(): Promise<SteadyTimes> {
  const { line, model, image } = await openSetting(Deno.args);
  const repeats = line.integer("repeats", 12, { min: 2, max: 1000 });
  const begin = performance.now();
  const patient = () => performance.now() - begin < PATIENCE;

  const [firstEncode, embedding] = await time(() =>
    encodeAndWait(model, image)
  );
  const [firstStart, first] = await time(() => start(model, embedding));
  let { times: firstTimes, preference } = await iterate(
    model,
    embedding,
    first,
    0,
  );
  const iterations: IterationTimes[] = [];
  for (let i = 1; i <= repeats && (patient() || i < 3); i++) {
    if (i % SESSION === 0) preference = first;
    const result = await iterate(model, embedding, preference, i);
    iterations.push(result.times);
    preference = result.preference;
  }
  const encodings: number[] = [];
  for (let i = 1; i <= repeats && (patient() || i < 3); i++) {
    const [milliseconds, again] = await time(() => encodeAndWait(model, image));
    again.dispose();
    encodings.push(milliseconds);
  }
  // The start runs the same program as an update.
  const compile = Math.max(0, firstEncode - Math.min(...encodings)) +
    Math.max(
      0,
      firstStart - Math.min(...iterations.map(({ update }) => update)),
    ) +
    Math.max(
      0,
      firstTimes.decode - Math.min(...iterations.map(({ decode }) => decode)),
    );
  return { encode: encodings, iterations, compile };
}

await runCommand(async () => console.log(JSON.stringify(await measure())));
