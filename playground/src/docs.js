// Swagger UI for OAuth and REST. "Authorize" signs in with /token.

import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";
import "./docs.css";

// Swagger UI has dark colors, but does not ask which ones the system wants.
const system = matchMedia("(prefers-color-scheme: dark)");
const apply = () => document.documentElement.classList.toggle("dark-mode", system.matches);
system.addEventListener("change", apply);
apply();

SwaggerUI({
  domNode: document.getElementById("docs"),
  url: "openapi.json",
  deepLinking: true,
  // The default theme has numbers of little contrast.
  syntaxHighlight: { theme: "tomorrow-night" },
  // The default validator is another site.
  validatorUrl: "none",
  // Schemas are shown with their operations.
  defaultModelsExpandDepth: 0,
});
