/** Simulated users at work, as tensors and text for a checkpoint, and back. */

import type { HostTensor } from "../engine/tensors.ts";
import { type Choice, mapOf } from "../spa/feedback.ts";
import type { Group } from "./groups.ts";
import type { SimulatedTrainee } from "./simulation.ts";

/** What of a user is no tensor. */
type UserText =
  & Pick<SimulatedTrainee["feedback"], "points" | "frame">
  & { readonly chosen: readonly number[] };

/** What of the groups is no tensor. */
type GroupsText = readonly {
  readonly left: number;
  readonly users: readonly UserText[];
}[];

/** Groups in the form in which a checkpoint keeps them. */
export interface SavedGroups {
  /** Tensors by name, exactly as they were. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
  /** The rest, as JSON. */
  readonly text: string;
}

/** Where a group's and a user's tensors are. */
const nameOf = (g: number, u: number) => `groups.${g}.users.${u}`;

/** Takes groups apart. */
export function saveGroups(groups: readonly Group[]): SavedGroups {
  const tensors = new Map<string, HostTensor>();
  const put = (name: string, data: HostTensor["data"]) => {
    tensors.set(name, { data, shape: [data.length] });
  };
  groups.forEach(({ pixels, users }, g) => {
    put(`groups.${g}.pixels`, pixels);
    users.forEach((user, u) => {
      const name = nameOf(g, u);
      put(`${name}.target`, user.target);
      put(`${name}.kept`, user.kept);
      put(`${name}.keptComponents`, user.keptComponents);
      // float64, which safetensors here do not hold, word by word
      put(`${name}.evidence`, new Int32Array(user.evidence.slice().buffer));
      user.feedback.choices.forEach(({ recommended, candidates }, c) => {
        const maps = [recommended, ...candidates].map(({ data }) =>
          data as Float32Array
        );
        const all = new Float32Array(maps.length * user.target.length);
        maps.forEach((map, i) => all.set(map, i * map.length));
        put(`${name}.choices.${c}`, all);
      });
    });
  });
  const text: GroupsText = groups.map(({ left, users }) => ({
    left,
    users: users.map(({ feedback: { points, frame, choices } }) => ({
      points,
      frame,
      chosen: choices.map(({ chosen }) => chosen),
    })),
  }));
  return { tensors, text: JSON.stringify(text) };
}

/**
 * Puts groups together again.
 *
 * @throws {RangeError} When a tensor is missing.
 */
export function restoreGroups({ tensors, text }: SavedGroups): Group[] {
  const get = <T extends HostTensor["data"]>(name: string) => {
    const tensor = tensors.get(name);
    if (tensor) return tensor.data as T;
    throw new RangeError(
      `Cannot restore the users of a checkpoint as it must have the tensor "${name}": current names are ${
        [...tensors.keys()].join(", ")
      }`,
    );
  };
  const restoreUser = (
    { points, frame, chosen }: UserText,
    name: string,
  ): SimulatedTrainee => {
    const target = get<Float32Array>(`${name}.target`);
    const size = target.length, side = Math.sqrt(size);
    const choices = chosen.map((chosen, c): Choice => {
      const all = get<Float32Array>(`${name}.choices.${c}`);
      const maps = Array.from(
        { length: all.length / size },
        (_, i) => mapOf(all.slice(i * size, (i + 1) * size), side),
      );
      return { recommended: maps[0], candidates: maps.slice(1), chosen };
    });
    return {
      target,
      feedback: { points, frame, choices },
      evidence: new Float64Array(get<Int32Array>(`${name}.evidence`).buffer),
      kept: get(`${name}.kept`),
      keptComponents: get(`${name}.keptComponents`),
    };
  };
  return (JSON.parse(text) as GroupsText).map(({ left, users }, g) => ({
    pixels: get<Float32Array>(`groups.${g}.pixels`),
    users: users.map((user, u) => restoreUser(user, nameOf(g, u))),
    left,
  }));
}
