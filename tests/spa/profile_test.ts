import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import {
  addToProfile,
  type Profile,
  profileFromJSON,
  profileToJSON,
  withProfile,
} from "../../src/spa/profile.ts";
import { close } from "../helpers/close.ts";

const profile: Profile = { evidence: Float64Array.of(-0.1, -1 / 3, -2e-7) };

Deno.test("a profile comes back from JSON exactly", () => {
  assert.deepEqual(profileFromJSON(profileToJSON(profile)), profile);
});

Deno.test("a profile's evidence is added to log weights, which then sum to 1", () => {
  const values = ndarray(new Float32Array(2), [2, 1]);
  const mixture = {
    logWeights: Float64Array.of(Math.log(0.75), Math.log(0.25)),
    means: values,
    deviations: values,
  };
  const evidence = Float64Array.of(0, Math.log(3));
  const { logWeights, means } = withProfile(mixture, { evidence });
  close(logWeights.map(Math.exp), [0.5, 0.5], 1e-12);
  assert.equal(means, values);
  assert.equal(withProfile(mixture, undefined), mixture);
});

Deno.test("a twentieth of a choice's log likelihood counts, and four fifths of what was known", () => {
  const components = Int32Array.of(0, 1);
  const lead = ({ evidence }: Profile) => evidence[0] - evidence[1];
  const first = addToProfile(
    undefined,
    Float64Array.of(-20, -60),
    components,
    2,
  );
  close([lead(first)], [2], 1e-12);
  const second = addToProfile(first, Float64Array.of(-60, -40), components, 2);
  close([lead(second)], [0.8 * 2 - 1], 1e-12);
});

/** A profile's JSON with other members. */
function changed(members: Record<string, unknown>): string {
  return JSON.stringify({ ...JSON.parse(profileToJSON(profile)), ...members });
}

const refused: [string, string, RegExp][] = [
  ["text", "not JSON {", /as it must be JSON: current value is not JSON \{$/],
  ["an empty file", "", /as it must be JSON/],
  ["null", "null", /format must be "spa-profile", version 2/],
  ["a number", "5", /format must be "spa-profile", version 2/],
  ["a list", "[]", /format must be "spa-profile"/],
  ["another format", changed({ format: "svg" }), /is svg, version 2$/],
  ["an older version", changed({ version: 1 }), /is spa-profile, version 1$/],
  ["no evidence", changed({ evidence: undefined }), /"evidence" .* undefined$/],
  ["evidence of nothing", changed({ evidence: [] }), /is no values$/],
  [
    "NaN, which JSON writes as null",
    changed({ evidence: [1, 2, NaN] }),
    /one finite number for each component: current value is null at 2$/,
  ],
  [
    "a number too large for float32",
    changed({ evidence: [1, 2, 1e300] }),
    /"evidence" .* 1e\+300 at 2$/,
  ],
  [
    "a number as text",
    changed({ evidence: ["0", 0, 0] }),
    /"evidence" .* "0" at 0$/,
  ],
];

for (const [what, text, message] of refused) {
  Deno.test(`profileFromJSON() refuses ${what}`, () => {
    assert.throws(() => profileFromJSON(text), (error) => {
      assert.ok(error instanceof RangeError);
      assert.match(error.message, /^Cannot read the profile as .* must /);
      assert.match(error.message, message);
      return true;
    });
  });
}
