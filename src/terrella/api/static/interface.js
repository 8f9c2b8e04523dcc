// Starts Swagger UI on this site's own description; asks no other server for anything.
window.addEventListener("load", () => {
  window.ui = SwaggerUIBundle({
    url: "api",
    dom_id: "#interface",
    deepLinking: true,
    validatorUrl: null,
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    filter: true,
    presets: [SwaggerUIBundle.presets.apis],
  });
});
