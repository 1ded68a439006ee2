// Called by VS Code inside its extension host.

const path = require('node:path');
const mocha = require(path.join(process.env.INSTALL, 'node_modules/mocha'));
const Mocha = mocha.default ?? mocha;

exports.run = () =>
  new Promise((resolve, reject) => {
    const suite = new Mocha({ ui: 'tdd', timeout: 45_000, bail: true, color: false, reporter: 'spec' });
    suite.addFile(path.join(__dirname, 'extension.test.cjs'));
    suite.run(failures => (failures ? reject(new Error(`${failures} failed`)) : resolve()));
  });
