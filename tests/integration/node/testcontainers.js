// SPDX-License-Identifier: Apache-2.0
// testcontainers: what a test of somebody's does with it.  Prints one line a
// step.  argv: a word of this run's own, for names.
'use strict';

const http = require('http');
const { buffer } = require('stream/consumers');
const { GenericContainer, Network, Wait } = require('testcontainers');

const word = process.argv[2];
// It says so once it listens: without -f, httpd returns then.
const SERVER = 'echo hello > /tmp/index.html; httpd -p 80 -h /tmp && echo ready to serve; ' +
  'exec sleep 600';

function print(step, value) {
  console.log(step + ' ' + JSON.stringify(value));
}

function fetchText(url) {
  return new Promise((resolve, reject) => {
    http.get(url, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve(Buffer.concat(parts).toString()));
    }).on('error', reject);
  });
}

// Every so many ms: seldom, since a check that begins as its container ends can
// hide that end from dockerd 26.1.
function server(every = 10000) {
  return new GenericContainer('busybox:latest')
    .withCommand(['sh', '-c', SERVER])
    .withExposedPorts(80)
    .withEnvironment({ WORD: word })
    .withLabels({ word })
    .withCopyContentToContainer([{ content: 'copied at start\n', target: '/etc/given' }])
    .withTmpFs({ '/scratch': 'rw,noexec,size=65536k' })
    .withUlimits({ nofile: { hard: 1024, soft: 1024 } })
    .withResourcesQuota({ memory: 0.125, cpu: 0.5 })
    .withHealthCheck({
      test: ['CMD-SHELL', 'wget -q -O - http://127.0.0.1/ || exit 1'],
      interval: every, timeout: 5000, retries: 20, startPeriod: 100,
    })
    .withStartupTimeout(60000);
}

async function useServer(container) {
  const url = `http://${container.getHost()}:${container.getMappedPort(80)}/`;
  print('port', await fetchText(url));
  const done = await container.exec(['sh', '-c', 'echo $WORD; cat /etc/given; exit 3']);
  print('exec', [done.output, done.exitCode]);
  await container.copyContentToContainer([{ content: 'later\n', target: '/tmp/later.html' }]);
  print('copied', await fetchText(url + 'later.html'));
  const tar = await buffer(await container.copyArchiveFromContainer('/etc/given'));
  print('archive', tar.includes('copied at start'));
}

async function waits() {
  const strategies = {
    'log line': Wait.forLogMessage(/ready to .*/),
    'ports': Wait.forListeningPorts(),
    'health': Wait.forHealthCheck(),
    'http': Wait.forHttp('/', 80).forStatusCode(200),
    'command': Wait.forSuccessfulCommand('test -f /tmp/index.html'),
    'all': Wait.forAll([Wait.forLogMessage('ready'), Wait.forListeningPorts()]),
  };
  for (const [name, strategy] of Object.entries(strategies)) {
    const container = await server(name === 'health' ? 300 : undefined).withWaitStrategy(strategy).start();
    print('waited for ' + name, container.getId().length);
    if (name === 'log line') {
      await useServer(container);
    }
    await container.stop();
  }
  const short = await new GenericContainer('busybox:latest')
    .withCommand(['true']).withWaitStrategy(Wait.forOneShotStartup()).start();
  print('waited for the end', short.getId().length);
  await short.stop();
}

async function networks() {
  let consume;
  const network = await new Network().start();
  const logged = new Promise((resolve) => {
    consume = (stream) => stream.on('data', resolve);
  });
  const one = await server().withNetwork(network).withNetworkAliases('one')
    .withLogConsumer(consume)
    .withWaitStrategy(Wait.forLogMessage('ready')).start();
  const two = await new GenericContainer('busybox:latest').withNetwork(network)
    .withCommand(['sleep', '600']).start();
  print('alias', (await two.exec(['wget', '-q', '-O', '-', 'http://one/'])).output);
  await two.restart();
  print('restarted', (await two.exec(['echo', 'again'])).output);
  print('logs', (await logged).toString());
  const image = await two.commit({ repo: 'committed-' + word, tag: '1', deleteOnExit: false });
  print('committed', /[0-9a-f]{64}$/.test(image));
  await two.stop();
  await one.stop();
  await network.stop();
}

async function builds() {
  const fs = require('fs');
  const os = require('os');
  const path = require('path');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'context'));
  fs.writeFileSync(path.join(folder, 'Dockerfile'),
    'FROM busybox\nARG WORD\nRUN echo built $WORD > /output\nCMD ["cat", "/output"]\n');
  const image = await GenericContainer.fromDockerfile(folder)
    .withBuildArgs({ WORD: word }).build('built-' + word, { deleteOnExit: false });
  const container = await image.withWaitStrategy(Wait.forLogMessage('built ' + word)).start();
  print('built', container.getId().length);
  await container.stop();
  fs.rmSync(folder, { recursive: true });
}

async function main() {
  if (process.argv[3] === 'one') {
    await (await server().start()).stop();
    return;
  }
  await waits();
  await networks();
  await builds();
}

main().then(() => {
  console.log('done');
  process.exit(0);
}, (e) => {
  console.error(String(e.stack || e));
  process.exit(1);
});
