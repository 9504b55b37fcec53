/**
 * All kernels of the trace backend.
 *
 * @module
 */
import "./kernels_elementwise.ts";
import "./kernels_linear.ts";
import "./kernels_reduce.ts";
import "./kernels_shape.ts";
