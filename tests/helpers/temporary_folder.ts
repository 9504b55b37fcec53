/** A new folder, which goes with all in it when the test file has run. */
export async function temporaryFolder(): Promise<string> {
  const folder = await Deno.makeTempDir();
  addEventListener("unload", () => {
    Deno.removeSync(folder, { recursive: true });
  });
  return folder;
}

/** Runs a test in a new folder, which goes with all in it afterwards. */
export async function inFolder(
  test: (out: string) => Promise<void>,
): Promise<void> {
  const out = await Deno.makeTempDir();
  try {
    await test(out);
  } finally {
    await Deno.remove(out, { recursive: true });
  }
}
