/** Makes every gradient of tfjs known, as its whole package does. */
import "@tensorflow/tfjs";
