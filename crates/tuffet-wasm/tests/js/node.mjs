// Prints the trace of everything that the server at the given address has.
import { traceAll } from "./trace.mjs";

const lines = [];
await traceAll(process.argv[2], (line) => lines.push(line));
process.stdout.write(lines.map((line) => `${line}\n`).join(""));
