import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { createRandom } from "../../src/random.ts";
import { normalizeLogWeights } from "../../src/spa/mixture.ts";
import {
  type Profile,
  profileFromJSON,
  profileToJSON,
} from "../../src/spa/profile.ts";

const [M, d] = [3, 2];
const random = createRandom(1);
const draw = (count: number) =>
  Float32Array.from({ length: count }, () => random.normal());
const profile: Profile = {
  distribution: {
    logWeights: normalizeLogWeights(draw(M)),
    means: ndarray(draw(M * d), [M, d]),
    deviations: ndarray(draw(M * d).map((v) => Math.abs(v) + 0.1), [M, d]),
  },
  evidence: normalizeLogWeights(draw(M)),
};

Deno.test("a profile comes back from JSON exactly", () => {
  const { distribution, evidence } = profileFromJSON(profileToJSON(profile));
  const { logWeights, means, deviations } = profile.distribution;
  assert.deepEqual(distribution.logWeights, logWeights);
  assert.deepEqual(evidence, profile.evidence);
  assert.deepEqual(distribution.means.shape, [M, d]);
  assert.deepEqual(distribution.means.data, means.data);
  assert.deepEqual(distribution.deviations.shape, [M, d]);
  assert.deepEqual(distribution.deviations.data, deviations.data);
});

Deno.test("weights that the network rounded come back exactly as well", () => {
  // float32 log weights sum to 1 only within 1e-7
  const logWeights = Float64Array.from(
    Float32Array.from(profile.distribution.logWeights),
  );
  const rounded = {
    ...profile,
    distribution: { ...profile.distribution, logWeights },
  };
  const back = profileFromJSON(profileToJSON(rounded));
  assert.deepEqual(back.distribution.logWeights, logWeights);
});

/** A profile's JSON with other members. */
function changed(members: Record<string, unknown>): string {
  return JSON.stringify({ ...JSON.parse(profileToJSON(profile)), ...members });
}

const refused: [string, string, RegExp][] = [
  ["text", "not JSON {", /as it must be JSON: current value is not JSON \{$/],
  ["an empty file", "", /as it must be JSON/],
  ["null", "null", /format must be "spa-profile", version 1/],
  ["a number", "5", /format must be "spa-profile", version 1/],
  ["a list", "[]", /format must be "spa-profile"/],
  ["another format", changed({ format: "svg" }), /is svg, version 1$/],
  ["another version", changed({ version: 2 }), /is spa-profile, version 2$/],
  [
    "no components",
    changed({ components: 0, logWeights: [], means: [], deviations: [] }),
    /"components" must be an integer >= 1: current value is 0$/,
  ],
  ["a missing count", changed({ channels: undefined }), /"channels" must be/],
  ["half a channel", changed({ channels: 1.5 }), /"channels" .* 1\.5$/],
  ["a count as text", changed({ components: "3" }), /"components" .* "3"$/],
  [
    "too few means",
    changed({ means: [1, 2, 3] }),
    /"means" must be 6 finite numbers: current value is 3 values$/,
  ],
  [
    "too many weights",
    changed({ logWeights: [0, 0, 0, 0] }),
    /"logWeights" must be 3 finite numbers: current value is 4 values$/,
  ],
  [
    "more components than numbers",
    changed({ components: 4 }),
    /must be (8|4) finite numbers/,
  ],
  ["no evidence", changed({ evidence: undefined }), /"evidence" .* undefined$/],
  [
    "NaN, which JSON writes as null",
    changed({ means: [1, 2, NaN, 4, 5, 6] }),
    /"means" must be 6 finite numbers: current value is null at 2$/,
  ],
  [
    "a number too large for float32",
    changed({ means: [1, 2, 3, 4, 5, 1e300] }),
    /"means" .* 1e\+300 at 5$/,
  ],
  [
    "a number as text",
    changed({ evidence: ["0", 0, 0] }),
    /"evidence" .* "0" at 0$/,
  ],
  [
    "a negative deviation",
    changed({ deviations: [1, 1, -0.5, 1, 1, 1] }),
    /"deviations" must be positive: current value is -0\.5$/,
  ],
  [
    "a deviation of zero",
    changed({ deviations: [1, 1, 0, 1, 1, 1] }),
    /"deviations" must be positive: current value is 0$/,
  ],
  [
    "weights that do not sum to 1",
    changed({ logWeights: [0, 0, 0] }),
    /"logWeights" must be of weights that sum to 1: current value is (3|2\.9999\d+|3\.0000\d+)$/,
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
