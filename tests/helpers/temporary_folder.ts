/** A new folder, which goes with all in it when the test file has run. */
export async function temporaryFolder(): Promise<string> {
  const folder = await Deno.makeTempDir();
  addEventListener("unload", () => {
    Deno.removeSync(folder, { recursive: true });
  });
  return folder;
}
