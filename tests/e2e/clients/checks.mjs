// Records checks for the other scripts: counts, output and exit code.

let passed = 0;
let failed = 0;

/** Records a failure. */
export function fail(what, ...details) {
  failed += 1;
  const texts = details.map((detail) => (typeof detail === "string" ? detail : JSON.stringify(detail)));
  console.log(["FAIL", what, ...texts].join(" "));
}

/** Records a check without output. */
export function pass() {
  passed += 1;
}

/** Records a check, and prints it. The details are printed if it failed. */
export function check(what, isTrue, ...details) {
  if (!isTrue) return fail(what, ...details);
  pass();
  console.log(`ok   ${what}`);
}

/** Records a check that later steps depend on. Throws if it failed. */
export function assert(what, isTrue) {
  if (!isTrue) throw new Error(`assertion failed: ${what}`);
  pass();
}

/** The number of failures so far. */
export function failures() {
  return failed;
}

/** Prints the result and ends the script: with code 0 if nothing failed, and at least `minimum` checks passed. */
export function finish(minimum = 1) {
  console.log(`${passed} passed, ${failed} failed, in ${Math.round(performance.now() / 1000)} s`);
  if (passed < minimum) console.log(`expected at least ${minimum} checks`);
  process.exit(failed === 0 && passed >= minimum ? 0 : 1);
}
