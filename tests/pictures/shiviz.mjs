// Reads ShiViz logs with ShiViz's own parser and builds its graph of them: node shiviz.mjs CLONE FILE...
// CLONE is a clone of https://github.com/DistributedClocks/shiviz.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import vm from 'node:vm';

const [clone, ...files] = process.argv.slice(2);

const scripts = [];
const walk = (folder) => {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) walk(path);
    else if (name.endsWith('.js')) scripts.push(path);
  }
};
walk(join(clone, 'js'));

// What both are made of, wherever it lies, each from the file that declares it.
const context = vm.createContext({ console });
const parser = ['Exception', 'Util', 'NamedRegExp', 'VectorTimestamp', 'LogEvent', 'LogParser'];
const graph = ['AbstractNode', 'AddNodeEvent', 'AbstractGraph', 'ModelNode', 'ModelGraph'];
for (const name of [...parser, ...graph]) {
  const declares = new RegExp(`^(function|class) ${name}\\b|^var ${name} =`, 'm');
  const found = scripts.find((path) => declares.test(readFileSync(path, 'utf8')));
  if (!found) throw new Error(`no file of ShiViz declares ${name}`);
  vm.runInContext(readFileSync(found, 'utf8'), context, { filename: found });
}

// ShiViz's default: an event in a line, then its host and clock.
context.pattern = '(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})';
let failed = 0;
for (const file of files) {
  context.text = readFileSync(file, 'utf8');
  try {
    const read = vm.runInContext(
      "new ModelGraph(new LogParser(text, null, new NamedRegExp(pattern, 'm')).getLogEvents(''))"
        + '.getNodes().filter((node) => !node.isHead() && !node.isTail()).length',
      context,
    );
    const expected = context.text.trim().split('\n').length / 2;
    if (read !== expected) throw new Error(`${read} events of ${expected}`);
  } catch (wrong) {
    failed += 1;
    console.log(`${file}: ${wrong.message ?? wrong.getMessage?.() ?? wrong}`);
  }
}
console.log(`shiviz: ${files.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
