#!/usr/bin/env node
// Opens an address, follows where it leads, and looks at nothing.
const answer = await fetch(process.argv[2]);
await answer.text();
