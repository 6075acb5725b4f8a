'use strict';

// The emulator as a process of its own, for the tests of one file.

const { spawn } = require('node:child_process');
const { createInterface } = require('node:readline');

// start runs the program that EMULATOR names on a free port. It resolves when the
// emulator is ready, to where it is, the keys, and a function that stops it.
async function start(...args) {
    const program = process.env.EMULATOR;
    if (!program) {
        throw new Error('EMULATOR does not name the emulator; run `make compat`');
    }
    const child = spawn(program, ['--listen', '127.0.0.1:0', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = new Promise(resolve => child.once('exit', resolve));
    const settings = {};
    for await (const line of createInterface({ input: child.stdout })) {
        const [, name, value] = line.match(/^export (\w+)=(.*)$/) || [];
        if (name) {
            settings[name] = value;
        }
        if (line.startsWith('# Ready')) {
            break;
        }
    }
    const stop = () => {
        child.kill('SIGTERM');
        return exit;
    };
    if (!settings.QINIU_ENDPOINT) {
        await stop();
        throw new Error('the emulator did not start');
    }
    return {
        host: new URL(settings.QINIU_ENDPOINT).host,
        accessKey: settings.QINIU_ACCESS_KEY,
        secretKey: settings.QINIU_SECRET_KEY,
        stop
    };
}

module.exports = { start };
