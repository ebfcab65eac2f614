/**
 * Sessions and sign-in for front ends of a Hallpass server.
 *
 * @module
 */

import { Hallpass, type HallpassOptions } from "./hallpass.js";

export * from "./hallpass.js";
export { HallpassError, readErrors, type Code, type FieldProblem, type Problems, type ResponseError } from "./errors.js";
export type * from "./schema.js";

/** Creates the client of a server. */
export function createHallpass(options: HallpassOptions): Hallpass {
  return new Hallpass(options);
}
