// ReDoc, to read what this server says of its OAuth and REST door. Its search runs in a worker made of a text, which the
// page's policy forbids; the browser's own finds as much.

import Redoc from "redoc/bundles/redoc.standalone.js";

Redoc.init("/openapi.json", { disableSearch: true, hideLoading: true }, document.getElementById("docs"));
