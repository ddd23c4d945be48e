// Reads Mermaid diagrams with Mermaid's own parser: node mermaid.mjs FILE...
// It is run where the packages mermaid and jsdom are installed.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const here = createRequire(join(process.cwd(), 'package.json'));
const { JSDOM } = here('jsdom');
const { window } = new JSDOM('<!doctype html><body></body>');
globalThis.window = window;
globalThis.document = window.document;
const folder = join(process.cwd(), 'node_modules', 'mermaid', 'dist', 'mermaid.core.mjs');
const { default: mermaid } = await import(pathToFileURL(folder).href);

let failed = 0;
for (const file of process.argv.slice(2)) {
  try {
    const { diagramType } = await mermaid.parse(readFileSync(file, 'utf8'));
    if (diagramType !== 'sequence') throw new Error(`it is taken for: ${diagramType}`);
  } catch (wrong) {
    failed += 1;
    console.log(`${file}: ${wrong.message ?? wrong}`);
  }
}
console.log(`mermaid: ${process.argv.length - 2 - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
