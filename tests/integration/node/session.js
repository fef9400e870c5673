// SPDX-License-Identifier: Apache-2.0
// dockerode: attaches and starts execs without an Upgrade header, so that
// dockerd answers with the old 200 raw stream.  Prints one line a step.
'use strict';

const Docker = require('dockerode');
const { PassThrough } = require('stream');

const docker = new Docker(); // from DOCKER_HOST, DOCKER_CERT_PATH

function text(stream) {
  return new Promise((resolve, reject) => {
    const parts = [];
    stream.on('data', (part) => parts.push(part));
    stream.on('end', () => resolve(Buffer.concat(parts).toString()));
    stream.on('error', reject);
  });
}

// Both streams of a multiplexed one, to its end.
function demultiplexed(stream) {
  const out = new PassThrough();
  const err = new PassThrough();
  docker.modem.demuxStream(stream, out, err);
  stream.on('end', () => { out.end(); err.end(); });
  stream.on('close', () => { out.end(); err.end(); });
  return Promise.all([text(out), text(err)]);
}

function print(step, value) {
  console.log(step + ' ' + JSON.stringify(value));
}

async function attach(hijack) {
  const container = await docker.createContainer({
    Image: 'busybox', Cmd: ['sh', '-c', 'cat; echo end >&2; exit 4'],
    OpenStdin: true, StdinOnce: true,
    AttachStdin: true, AttachStdout: true, AttachStderr: true,
  });
  const stream = await container.attach(
    { stream: true, stdin: true, stdout: true, stderr: true, hijack });
  const said = demultiplexed(stream);
  await container.start();
  stream.write('foo\n');
  stream.end();
  const { StatusCode } = await container.wait();
  print('attach hijack=' + hijack, [await said, StatusCode]);
  await container.remove();
}

async function attachOutput() {
  const container = await docker.createContainer({
    Image: 'busybox', Cmd: ['sh', '-c', 'echo out; echo err >&2'],
  });
  const stream = await container.attach({ stream: true, stdout: true, stderr: true });
  const said = demultiplexed(stream);
  await container.start();
  print('attach output', await said);
  await container.remove({ force: true });
}

async function execs(container) {
  for (const hijack of [false, true]) {
    const exec = await container.exec({
      Cmd: ['sh', '-c', 'echo out; echo err >&2; exit 5'],
      AttachStdout: true, AttachStderr: true,
    });
    const stream = await exec.start({ hijack, stdin: false });
    print('exec hijack=' + hijack, await demultiplexed(stream));
    print('exec status', (await exec.inspect()).ExitCode);
  }
  const exec = await container.exec({
    Cmd: ['cat'], AttachStdin: true, AttachStdout: true, AttachStderr: true,
  });
  const stream = await exec.start({ hijack: true, stdin: true });
  const said = demultiplexed(stream);
  stream.write('through exec\n');
  stream.end();
  print('exec stdin', await said);
}

async function events(name) {
  const stream = await docker.getEvents({
    filters: { container: [name], event: ['create', 'die', 'destroy'] },
  });
  const seen = [];
  const over = new Promise((resolve) => {
    stream.on('data', (part) => {
      for (const line of part.toString().split('\n').filter(Boolean)) {
        seen.push(JSON.parse(line).Action);
      }
      if (seen.includes('destroy')) {
        resolve();
      }
    });
  });
  const container = await docker.createContainer({
    Image: 'busybox', name, Cmd: ['seq', '5'],
  });
  await container.start();
  const logs = await container.logs({ follow: true, stdout: true, stderr: true });
  print('logs', await demultiplexed(logs));
  await container.wait();
  await container.remove();
  await over;
  stream.destroy();
  print('events', seen);
}

async function main() {
  print('ping', (await docker.ping()).toString());
  await attach(true);
  await attachOutput();
  const container = await docker.createContainer({
    Image: 'busybox', Cmd: ['sleep', '600'],
  });
  await container.start();
  await execs(container);
  await container.stop({ t: 1 });
  await container.remove({ force: true });
  await events(process.argv[2]);
  const [output] = await docker.run('busybox', ['sh', '-c', 'exit 6'],
    new PassThrough().resume(), { HostConfig: { AutoRemove: true } });
  print('run', output.StatusCode);
  try {
    await docker.getContainer('none').inspect();
  } catch (e) {
    print('error', [e.statusCode, e.json.message]);
  }
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
