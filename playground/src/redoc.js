// ReDoc for OAuth and REST. Its search is off: it runs in a worker made of a text, which the page's policy forbids.

import Redoc from "redoc/bundles/redoc.standalone.js";

const system = matchMedia("(prefers-color-scheme: dark)");
// ReDoc computes colors from its theme when it renders.
system.addEventListener("change", () => location.reload());

const dark = {
  colors: {
    primary: { main: "#a8b4ff" },
    success: { main: "#7ddb8a" },
    warning: { main: "#ffc46b" },
    error: { main: "#ff8f8c" },
    text: { primary: "#e4e6e6", secondary: "#b7bcbf" },
    border: { dark: "#545d61", light: "#2a2e30" },
    responses: { info: { color: "#7cc8e8" } },
  },
  schema: { nestedBackground: "#24292c", linesColor: "#545d61", typeNameColor: "#b7bcbf" },
  typography: { code: { color: "#ff9d9d", backgroundColor: "#2a2e30" } },
  sidebar: { backgroundColor: "#24292c", textColor: "#e4e6e6" },
  rightPanel: { backgroundColor: "#262c30" },
};

const options = { disableSearch: true, hideLoading: true, theme: system.matches ? dark : {} };
Redoc.init("openapi.json", options, document.getElementById("docs"));
