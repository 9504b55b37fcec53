/** Picks in the real kernel: one run of Python plays the browser. */
import assert from "node:assert/strict";
import { findChromium, findPython } from "../helpers/python.ts";

interface Output {
  readonly type?: string;
  readonly id?: string;
  readonly text: string;
  readonly png: string;
  readonly error?: string;
}

const python = await findPython("jupyter_client");
if (!python) {
  console.log(
    "skipped: no python3 with jupyter_client (or name one in SPA_PYTHON); no pick in the real kernel",
  );
}

Deno.test({
  name:
    "in the real kernel clicks pick, interrupts reject, and the kernel lives",
  ignore: !python,
  fn: async (t) => {
    const { stdout, code } = await new Deno.Command(python!, {
      args: ["tests/notebook/pick_kernel.py", Deno.execPath()],
      stderr: "inherit",
    }).output();
    assert.equal(code, 0);
    const happened = JSON.parse(new TextDecoder().decode(stdout));
    const outputs = (name: string): Output[] => happened[name].outputs;

    /** The value of the cell, and the picture that stays in its output. */
    function ended(name: string): { value: unknown; still: string } {
      const all = outputs(name);
      const result = all.find(({ type }) => type === "execute_result");
      assert.ok(result, JSON.stringify(all));
      const [first, ...later] = all.filter(({ id }) => id);
      const still = later.at(-1)!;
      assert.equal(still.type, "update_display_data");
      assert.equal(still.id, first.id);
      assert.match(still.png, /^iVBORw0KGgo/);
      return { value: JSON.parse(result.text.slice(1, -1)), still: still.text };
    }

    await t.step("a click picks, a wrong token does not", () => {
      const { value, still } = ended("click");
      assert.deepEqual(value, { kind: "choose", candidate: 2 });
      assert.match(still, /Candidate 3 picked/);
      assert.deepEqual(happened.click.statuses, [404, 200]);
    });
    await t.step("a link picks", () => {
      const { value, still } = ended("link");
      assert.deepEqual(value, {
        kind: "click",
        point: { x: 3, y: 4, label: 0 },
      });
      assert.match(still, /Click outside at \(3, 4\)/);
      assert.deepEqual(happened.link.statuses, [404, 200]);
    });
    await t.step("an interrupt rejects, and the next cell is answered", () => {
      const all = outputs("interrupt");
      assert.match(all.find(({ error }) => error)!.error!, /interrupt/);
      assert.match(
        all.findLast(({ id }) => id)!.text,
        /Nothing was picked/,
      );
      assert.deepEqual(happened.after.map(({ text }: Output) => text), ["42"]);
    });
    await t.step("a prompt answers where no browser does", () => {
      assert.deepEqual(ended("prompt").value, { kind: "choose", candidate: 1 });
    });
    await t.step("a line without the kernel's key is no answer", () => {
      assert.deepEqual(ended("forged").value, { kind: "choose", candidate: 1 });
    });
    await t.step("an interrupt at a prompt rejects", () => {
      const all = outputs("interrupted prompt");
      assert.match(all.find(({ error }) => error)!.error!, /interrupt/);
      const after = happened["after the prompt"];
      assert.deepEqual(after.map(({ text }: Output) => text), ["42"]);
    });
    await t.step("an interrupt ends a prompt that nobody answers", () => {
      const all = outputs("silent prompt");
      assert.match(all.find(({ error }) => error)!.error!, /interrupt/);
      assert.match(all.findLast(({ id }) => id)!.text, /Nothing was picked/);
      const after = happened["after the silence"];
      assert.deepEqual(after.map(({ text }: Output) => text), ["42"]);
    });
    await t.step(
      "the time ends it as well, and the next prompt gets its own line",
      () => {
        const late = happened.late.map(({ text }: Output) => text);
        assert.deepEqual(late, ['"undefined"']);
        const { value } = ended("typed after the silence");
        assert.deepEqual(value, { kind: "choose", candidate: 2 });
      },
    );
    await t.step("the rule answers where nobody does", () => {
      const { value, still } = ended("rule");
      assert.deepEqual(value, { kind: "choose", candidate: 3 });
      assert.match(still, /by a rule/);
    });
    await t.step("without a rule the error says what to pass", () => {
      const { error } = outputs("nobody").find(({ error }) => error)!;
      assert.match(error!, /passed as `auto`/);
      assert.deepEqual(happened.end.map(({ text }: Output) => text), ["42"]);
    });
    await t.step("every server is closed", () => {
      assert.deepEqual(happened.closed, [0, 0, 0]);
    });
  },
});

const browser = await findPython("jupyter_client", "playwright");
const chromium = await findChromium();
const PICKS = Number(Deno.env.get("SPA_PICKS") ?? 40);

Deno.test({
  name:
    `of ${PICKS} picks in a row, in pages loaded anew or closed at random, none is lost, and the kernel lives`,
  ignore: !browser || !chromium,
  fn: async () => {
    const { stdout, code } = await new Deno.Command(browser!, {
      args: [
        "tests/notebook/pick_reload.py",
        Deno.execPath(),
        chromium!,
        String(PICKS),
      ],
      stderr: "inherit",
    }).output();
    assert.equal(code, 0);
    const happened = JSON.parse(new TextDecoder().decode(stdout));
    const { length } = happened.clicked;
    assert.deepEqual(happened.failed, [], `after ${length} picks`);
    assert.equal(happened.clicked.length, PICKS);
    assert.deepEqual(happened.got, [`"${JSON.stringify(happened.clicked)}"`]);
    assert.ok(happened.reloads >= PICKS / 4, `${happened.reloads} reloads`);
    assert.deepEqual(happened.after, ["42"]);
    assert.deepEqual(happened.errors, []);
  },
});
