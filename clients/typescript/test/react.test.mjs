import assert from "node:assert/strict";
import { test } from "node:test";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { createHallpass, HallpassError } from "../dist/index.js";
import { HallpassProvider, useHallpassError, useSession, useUser } from "../dist/react.js";

function render(component) {
  const client = createHallpass({ url: "http://localhost/graphql" });
  return renderToString(createElement(HallpassProvider, { client }, createElement(component)));
}

test("a page that is rendered on a server does not know the user yet", () => {
  const text = render(() => `${useSession().status} ${useUser()}`);
  assert.equal(text, "loading null");
});

test("a hook outside the provider says what is missing", () => {
  assert.throws(() => renderToString(createElement(useSession)), /HallpassProvider/);
});

test("a form shows the problem of a field and how long to wait", () => {
  const extensions = {
    code: "RATE_LIMITED",
    retryAfter: 30,
    errors: [{ code: "REQUIRED", message: "Fill in this field.", field: ["username"], limit: null }],
  };
  const error = new HallpassError("RATE_LIMITED", "Too many attempts.", [{ message: "Too many attempts.", extensions }]);
  const text = render(() => {
    const { fields, retryIn } = useHallpassError(error);
    return `${fields.username.message} ${retryIn}`;
  });
  assert.equal(text, "Fill in this field. 30");
});
