// Swagger UI for OAuth and REST. "Authorize" signs in with /token.

import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";

SwaggerUI({
  domNode: document.getElementById("docs"),
  url: "/openapi.json",
  deepLinking: true,
  // The default validator is another site.
  validatorUrl: "none",
  // Schemas are shown with their operations.
  defaultModelsExpandDepth: 0,
});
