// What Pulumi runs: index.ts and all that it needs, as one file. Where that cannot be made, the sources run as they are.
const { oneFile } = require("./components/oneFile.cjs");

function load() {
  try {
    const contents = 'module.exports = require("./index");';
    return oneFile({ name: "program", contents, resolveDir: ".", external: ["@pulumi/*"] });
  } catch (error) {
    process.stderr.write(`the program runs from its sources, which is slower: ${error.message}\n`);
    require("tsx/cjs");
    return "./index.ts";
  }
}

module.exports = require(load());
