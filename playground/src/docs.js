// Swagger UI over what this server says of its OAuth and REST door. "Authorize" signs in by /token.

import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";

SwaggerUI({
  domNode: document.getElementById("docs"),
  url: "/openapi.json",
  deepLinking: true,
  // It would ask a site elsewhere whether the document is good.
  validatorUrl: "none",
  // Schemas are beside the operations that have them.
  defaultModelsExpandDepth: 0,
});
