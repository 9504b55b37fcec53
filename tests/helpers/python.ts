/** What of Python and Chromium a machine has. */

/** The first of some names whose command succeeds; undefined where none does. */
export async function firstThat(
  names: string[],
  command: (name: string) => string[],
): Promise<string | undefined> {
  for (const name of names) {
    const [program, ...args] = command(name);
    try {
      const options = { args, stdout: "null", stderr: "null" } as const;
      const { success } = await new Deno.Command(program, options).output();
      if (success) return name;
    } catch {
      // not installed
    }
  }
}

/** Python with some packages; `SPA_PYTHON` names one that is not on the path. */
export function findPython(
  ...packages: string[]
): Promise<string | undefined> {
  const named = Deno.env.get("SPA_PYTHON");
  return firstThat(named ? [named] : ["python3", "python"], (name) => [
    name,
    "-c",
    `import ${packages.join(", ")}`,
  ]);
}

/** A Chromium on the path. */
export function findChromium(): Promise<string | undefined> {
  return firstThat(["chromium", "chromium-browser"], (name) => [
    name,
    "--version",
  ]);
}
