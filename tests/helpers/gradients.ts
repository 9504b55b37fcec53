/**
 * Makes every gradient of tfjs known, as its whole package does. The core's
 * package has them in files that no bundle of it holds, and that name one
 * another without ".js".
 */
import module from "node:module";

type Resolve = (specifier: string, context: { parentURL?: string }) => unknown;

// Deno's types of node:module lack it
const { registerHooks } = module as unknown as {
  registerHooks(hooks: {
    resolve(
      specifier: string,
      context: { parentURL?: string },
      next: Resolve,
    ): unknown;
  }): { deregister(): void };
};

const hooks = registerHooks({
  resolve: (specifier, context, next) => {
    const short = context.parentURL?.includes("/@tensorflow/tfjs-core/") &&
      specifier.startsWith(".") && !specifier.endsWith(".js");
    return next(short ? `${specifier}.js` : specifier, context);
  },
});
await import("@tensorflow/tfjs-core/dist/register_all_gradients.js");
hooks.deregister();
