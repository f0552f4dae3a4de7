#!/usr/bin/env node
// docker looks for its helpers by this name: docker-credential-oidc-auth.
process.argv.splice(2, 0, "docker-credential");
await import("./main.js");
