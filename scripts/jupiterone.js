// Holds an export against JupiterOne's schemas, an upload against an upload before it, and an export against one of
// JupiterOne's own integration.
// usage: node scripts/jupiterone.js schemas EXPORT PACKAGE-FOLDER… | unchanged UPLOAD.json | original THEIRS OURS

const fs = require('fs');
const path = require('path');

const [, , doing, ...rest] = process.argv;

// Every object of an export, entities and relationships.
function objects(folder) {
  const found = { entities: [], relationships: [] };
  const graph = path.join(folder, 'graph');
  for (const step of fs.readdirSync(graph)) {
    for (const part of fs.readdirSync(path.join(graph, step))) {
      for (const file of fs.readdirSync(path.join(graph, step, part))) {
        const held = JSON.parse(fs.readFileSync(path.join(graph, step, part, file), 'utf8'));
        found[part].push(...held[part]);
      }
    }
  }
  return found;
}

function fail(lines) {
  for (const line of lines.slice(0, 20)) console.error(line);
  console.error(`${lines.length} differences`);
  process.exit(1);
}

function schemas([folder, ...packages]) {
  const { entities, relationships } = objects(folder);
  for (const place of packages) {
    const packaged = path.resolve(place, 'node_modules/@jupiterone/data-model');
    const { IntegrationSchema } = require(packaged);
    const { version } = require(path.join(packaged, 'package.json'));
    const wrong = [];
    for (const entity of entities) {
      for (const name of entity._class) {
        const validate = IntegrationSchema.getSchema(`#${name}`);
        if (!validate) wrong.push(`${entity._type}: ${version} has no class ${name}`);
        else if (!validate(entity)) wrong.push(`${entity._type} ${entity._key}: ${JSON.stringify(validate.errors)}`);
      }
    }
    if (wrong.length > 0) fail(wrong);
    const types = new Set(entities.map((entity) => entity._type)).size;
    console.log(`data-model ${version}: ${entities.length} entities of ${types} types are valid, ${relationships.length} relationships`);
  }
}

function unchanged([file]) {
  const told = JSON.parse(fs.readFileSync(file, 'utf8'));
  const wrong = [];
  for (const part of ['entities', 'relationships']) {
    for (const name of ['created', 'updated', 'deleted', 'failed']) {
      if (told[part][name]) wrong.push(`${part}: ${told[part][name]} ${name}`);
    }
  }
  if (told.status !== 'FINISHED') wrong.push(`the job is ${told.status}`);
  if (wrong.length > 0) fail(wrong);
  console.log(`after \`j1-integration sync\`: ${told.entities.uploaded} entities and ${told.relationships.uploaded} relationships uploaded again, nothing changed`);
}

// The same objects, and every property of theirs in ours with the same value; ours may have more.
function original([theirs, ours]) {
  const [left, right] = [objects(theirs), objects(ours)];
  const wrong = [];
  let properties = 0;
  for (const part of ['entities', 'relationships']) {
    const known = new Map(right[part].map((object) => [object._key, object]));
    for (const object of left[part]) {
      const mine = known.get(object._key);
      known.delete(object._key);
      if (!mine) {
        wrong.push(`${object._type} ${object._key} is missing`);
        continue;
      }
      for (const [name, value] of Object.entries(object)) {
        if (name === '_rawData' || value === null) continue;
        properties += 1;
        if (JSON.stringify(value) !== JSON.stringify(mine[name])) {
          wrong.push(`${object._type} ${object._key} ${name}: ${JSON.stringify(value)}, ours ${JSON.stringify(mine[name])}`);
        }
      }
    }
    for (const object of known.values()) wrong.push(`${object._type} ${object._key} is only ours`);
  }
  if (wrong.length > 0) fail(wrong);
  console.log(`the original: ${left.entities.length} entities and ${left.relationships.length} relationships, ${properties} properties are the same`);
}

const steps = { schemas, unchanged, original };
if (!steps[doing]) {
  console.error('usage: node scripts/jupiterone.js schemas | unchanged | original');
  process.exit(2);
}
steps[doing](rest);
