import assert from "node:assert/strict";
import {
  formatSeconds,
  lineSink,
  ProgressBar,
  progressLine,
  type ProgressSink,
  type ProgressState,
  terminalSink,
} from "../../src/notebook/progress.ts";

const STATE: ProgressState = {
  label: "Training",
  done: 50,
  total: 200,
  unit: "steps",
  rate: 2,
  seconds: 25,
  note: "loss 0.12",
  finished: false,
};

Deno.test("progressLine() says what is done, how fast, and how long it will take", () => {
  assert.equal(
    progressLine(STATE),
    "Training: 50 of 200 steps, 2.00 steps/s, 1 min 15 s left, loss 0.12",
  );
  assert.equal(
    progressLine({ ...STATE, done: 200, seconds: 100, finished: true }),
    "Training: 200 of 200 steps, 2.00 steps/s, 1 min 40 s, loss 0.12",
  );
  const slow = { ...STATE, rate: 0.04, unit: undefined, note: undefined };
  assert.equal(
    progressLine(slow),
    "Training: 50 of 200, 25 s each, 1 h 02 min left",
  );
  const unknown = { label: "Loading", done: 0, seconds: 3.2, finished: false };
  assert.equal(progressLine(unknown), "Loading: 3 s");
});

Deno.test("progressLine() fits a terminal, with a bar", () => {
  assert.equal(
    progressLine(STATE, 100),
    "Training [#####...............]: 50 of 200 steps, 2.00 steps/s, 1 min 15 s left, loss 0.12",
  );
  assert.equal(progressLine(STATE, 40).length, 39);
});

Deno.test("formatSeconds() uses the units that fit", () => {
  assert.deepEqual([0.2, 59.4, 59.6, 3599.7, 7325].map(formatSeconds), [
    "0 s",
    "59 s",
    "1 min 00 s",
    "1 h 00 min",
    "2 h 02 min",
  ]);
});

/** Runs work with a clock that stands until it is moved. */
function withClock(work: (move: (seconds: number) => void) => void): void {
  const real = performance.now;
  let now = 1000;
  performance.now = () => now;
  try {
    work((seconds) => now += 1000 * seconds);
  } finally {
    performance.now = real;
  }
}

/** A sink that keeps what it is given. */
function recorder(
  interval: number,
): ProgressSink & { states: ProgressState[] } {
  const states: ProgressState[] = [];
  return { interval, states, draw: (state) => states.push(state) };
}

Deno.test("a bar shows nothing for a second, then every interval, then the end", () => {
  withClock((move) => {
    const sink = recorder(2);
    const bar = new ProgressBar({ label: "Work", total: 100, sink });
    for (let i = 1; i <= 100; i++) {
      move(0.1);
      bar.update(i, { note: `note ${i}` });
    }
    bar.finish();
    bar.finish();
    const shown = sink.states.map(({ done, finished }) => [done, finished]);
    assert.deepEqual(shown, [
      ...[10, 30, 50, 70, 90].map((done) => [done, false]),
      [100, true],
    ]);
    const { rate, seconds, note } = sink.states.at(-1)!;
    assert(Math.abs(rate! - 10) < 1e-9 && Math.abs(seconds - 10) < 1e-9);
    assert.equal(note, "note 100");
  });
});

Deno.test("a bar of less than a second never shows", () => {
  withClock((move) => {
    const sink = recorder(0);
    const bar = new ProgressBar({ label: "Work", sink });
    move(0.9);
    bar.update(5);
    bar.finish();
    assert.deepEqual(sink.states, []);
  });
});

Deno.test("on a terminal a bar writes one line over again", () => {
  let written = "";
  const sink = terminalSink((text) => written += text, () => 60);
  sink.draw(STATE);
  sink.draw({ ...STATE, done: 200, finished: true });
  const parts = written.split("\r").slice(1);
  assert.equal(parts.length, 2);
  assert.match(parts[0], /^Training \[#####\.{15}\]: 50 /);
  assert(parts[0].endsWith("\u001b[K"));
  assert.match(parts[1], /^Training \[#{20}\]: 200 /);
  assert(parts[1].endsWith("\u001b[K\n"));
});

Deno.test("in a pipe a bar writes a line for every tenth and for the end", () => {
  const lines: string[] = [];
  const sink = lineSink((text) => lines.push(text));
  for (let done = 1; done <= 200; done++) sink.draw({ ...STATE, done });
  sink.draw({ ...STATE, done: 200, finished: true });
  const shown = lines.map((line) => Number(/: (\d+) of/.exec(line)![1]));
  assert.deepEqual(shown, [
    ...[1, 20, 40, 60, 80, 100, 120, 140, 160, 180],
    200,
  ]);
});

/** Runs code with this module's progress, its standard error as in a shell. */
async function runProgram(
  code: string,
  redirect: string,
): Promise<[number, string]> {
  const module = import.meta.resolve("../../src/notebook/progress.ts");
  const program = `
    import { loadingProgress, ProgressBar } from "${module}";
    const rest = () => new Promise((resolve) => setTimeout(resolve, 400));
    ${code}
    console.log("done");`;
  const { code: status, stdout } = await new Deno.Command("sh", {
    args: ["-c", `"$0" eval "$1" ${redirect}`, Deno.execPath(), program],
    cwd: new URL("../..", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  return [status, new TextDecoder().decode(stdout)];
}

const WORK = `
  const bar = new ProgressBar({ label: "Work", total: 4 });
  for (let i = 1; i <= 4; i++) {
    await rest();
    bar.update(i);
  }
  bar.finish();`;

Deno.test({
  name: "loadingProgress() has a bar for each phase, in megabytes",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const load = `
      const { onProgress } = loadingProgress();
      for (const phase of ["download", "read"]) {
        for (let i = 0; i <= 4; i++) {
          onProgress({ phase, bytes: i * 50e6, total: 200e6 });
          if (i < 4) await rest();
        }
      }`;
    const [status, text] = await runProgram(load, "2>&1");
    assert.equal(status, 0);
    for (const label of ["Downloading", "Reading"]) {
      const pattern = `^${label}: 200 of 200 MB, \\d+ MB/s, [12] s$`;
      assert.match(text, new RegExp(pattern, "m"));
    }
  },
});

Deno.test({
  name: "a bar outlives a closed output, and is plain text in a pipe",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    assert.deepEqual(await runProgram(WORK, "2>&-"), [0, "done\n"]);
    // every write there fails
    assert.deepEqual(await runProgram(WORK, "2> /dev/full"), [0, "done\n"]);
    const [code, piped] = await runProgram(WORK, "2>&1");
    assert.equal(code, 0);
    assert.match(piped, /^Work: \d of 4, .*\n(Work: .*\n)*done\n$/);
    assert(!piped.includes("\r") && !piped.includes("\u001b"));
  },
});
