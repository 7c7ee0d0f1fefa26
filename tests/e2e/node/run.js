'use strict';

// node -r ./resolve.js run.js VERSION FLOW < {"options": {...}, "arguments": {...}}
// Writes one JSON object a line: events, then {"result": ...} or {"error": {...}}.

const { flows, described } = require('./flows.js');

function read(stream) {
  return new Promise((resolve, reject) => {
    const pieces = [];
    stream.on('data', (piece) => pieces.push(piece));
    stream.on('end', () => resolve(Buffer.concat(pieces).toString('utf8')));
    stream.on('error', reject);
  });
}

function line(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function main() {
  const [version, flow] = process.argv.slice(2);
  const asked = JSON.parse(await read(process.stdin));
  const world = {
    OSS: require(`ali-oss-${version}`),
    options: asked.options,
    source: async (file) => file,
    emit: async (event) => line(event),
  };
  const alive = setInterval(() => {}, 60000);
  try {
    line({ result: await flows[flow](world, asked.arguments) });
  } catch (error) {
    line({ error: described(error), stack: String(error.stack) });
    process.exitCode = 3;
  } finally {
    clearInterval(alive);
  }
  process.stdout.end(() => process.exit());
}

// ali-oss warns about missing STS tokens through console.warn: stderr, not our channel.
main();
