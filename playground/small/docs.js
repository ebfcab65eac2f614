// The documentation of OAuth and REST of a build without npm: the operations, and trying those that only read.

const at = (id) => document.getElementById(id);
let bearer;

function element(name, text, ...children) {
  const made = document.createElement(name);
  made.textContent = text;
  made.append(...children);
  return made;
}

async function show(request) {
  try {
    const response = await request;
    const text = await response.text();
    at("answer").textContent = `${response.status}\n\n${text}`;
    return response.ok ? JSON.parse(text) : undefined;
  } catch (error) {
    at("answer").textContent = error.message;
  }
}

at("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = new URLSearchParams({ username: at("username").value, password: at("password").value });
  const tokens = await show(fetch("token", { method: "POST", body }));
  bearer = tokens?.access_token;
  at("password").value = "";
  at("status").textContent = bearer ? "Signed in" : "Not signed in";
  at("status").dataset.signedIn = Boolean(bearer);
});

const { paths } = await (await fetch("openapi.json")).json();
for (const [path, methods] of Object.entries(paths)) {
  for (const [method, { summary, description, responses }] of Object.entries(methods)) {
    const told = Object.entries(responses).map(([status, { description }]) => element("li", `${status}: ${description}`));
    const parts = [element("p", description ?? ""), element("ul", "", ...told)];
    if (method === "get") {
      const run = element("button", "Run");
      run.addEventListener("click", () => show(fetch(`.${path}`, { headers: bearer ? { authorization: `Bearer ${bearer}` } : {} })));
      parts.push(run);
    }
    at("operations").append(element("details", "", element("summary", `${method.toUpperCase()} ${path}: ${summary}`), ...parts));
  }
}
