// jsforce under Node does the work of a scenario in virtual time. The Go side
// (../jsforce.go) is the org: of each request that jsforce sends, this process
// writes one line with its time, {"at": ns}, and reads one line with the answer,
// {"took": ns, "status": 200 or 429, "retryAfter": s}. Its last line is {"done": …}.
//
// Only the fetch that jsforce calls is replaced. Its connection, its retries with
// their sleeps, its timeout and its reading of the answer are those of the package.
'use strict';

const fs = require('node:fs');
const { createRequire } = require('node:module');
const { PassThrough } = require('node:stream');
const FakeTimers = require('@sinonjs/fake-timers');

const scenario = JSON.parse(process.argv[2]); // {workers, processes, calls, most}

// The clock is there before jsforce is loaded, so that no part of jsforce can
// hold on to a real timer. process.nextTick, promises and setImmediate stay
// real: they are what jsforce does at one instant, and take no virtual time.
const clock = FakeTimers.install({
  now: 0,
  toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'],
});

// jsforce calls the default export of the node-fetch that it finds itself. Its
// Response stays, by which jsforce tells an answer from an error.
const nodeFetch = createRequire(require.resolve('jsforce'))('node-fetch');
nodeFetch.default = send;
const { Connection } = require('jsforce');

// Timers of Node count whole milliseconds, answers from a network do not. The
// clock has the former; of the latter, delivered is when the newest one came.
let delivered = 0;
const now = () => Math.max(delivered, clock.now * 1e6); // ns

let requests = 0; // that jsforce really sent
let asked = 0; // calls to jsforce; the requests above that are its own retries
let working = 0;
let todo = scenario.calls;
let end = 0;
const took = [];
const due = []; // answers that come within the clock's present millisecond

// send is the network: the org says at once what it will answer and when, and
// the answer is due in the millisecond in which that time lies.
function send() {
  requests++;
  const answer = ask({ at: now() });
  const at = now() + answer.took;
  return new Promise((resolve) => {
    setTimeout(() => due.push({ at, deliver: () => resolve(response(answer)) }), Math.floor(at / 1e6) - clock.now);
  });
}

// ask blocks until the org has said what it answers, so that no real time and
// no other event comes between. A line is short enough that a pipe hands it
// over whole.
const line = Buffer.alloc(512);
function ask(question) {
  fs.writeSync(1, JSON.stringify(question) + '\n');
  const n = fs.readSync(0, line);
  if (n === 0) throw new Error('the org is gone');
  return JSON.parse(line.toString('utf8', 0, n));
}

function response({ status, retryAfter }) {
  const headers = { 'Content-Type': 'application/json' };
  if (retryAfter > 0) headers['Retry-After'] = String(retryAfter);
  const body = new PassThrough();
  body.end(status === 200 ? '{}' : '[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"refused"}]');
  return new nodeFetch.Response(body, { status, headers });
}

// work is a worker as in ../peers.go: a call that jsforce gives up is asked for
// again, until the org has seen as many requests as a run may have.
async function work(connection) {
  while (todo > 0) {
    todo--;
    const began = now();
    while (!(await taken(connection))) {
      if (requests >= scenario.most) return;
    }
    end = now();
    took.push(end - began);
  }
}

// taken makes one call and says whether the org took it. It is a GET, which
// jsforce retries; POST and PATCH it does not retry.
async function taken(connection) {
  asked++;
  try {
    await connection.request('/limits');
    return true;
  } catch (err) {
    if (err.errorCode === 'REQUEST_LIMIT_EXCEEDED') return false;
    throw err;
  }
}

// settled waits until jsforce has done all that it can do without time passing:
// Node empties its queues of ticks and promises before it turns to immediates.
const settled = () => new Promise((resolve) => setImmediate(resolve));

// live lets time pass from one instant at which something happens to the next.
async function live() {
  await settled();
  while (working > 0) {
    if (clock.countTimers() === 0) throw new Error('jsforce waits for something that is no timer');
    clock.next(); // the clock goes to the next timer,
    clock.tick(0); // and the others of the same millisecond fire, too
    await settled();
    for (const answer of due.splice(0).sort((a, b) => a.at - b.at)) {
      delivered = answer.at;
      answer.deliver();
      await settled();
    }
  }
}

// Processes that know nothing of each other share no Connection. They may share
// this process: jsforce keeps nothing about a refusal beyond its request.
const processes = Math.max(scenario.processes, 1);
for (let p = 0; p < processes; p++) {
  const connection = new Connection({ instanceUrl: 'https://org.invalid', accessToken: 'token' });
  for (let w = 0; w < Math.floor(scenario.workers / processes); w++) {
    working++;
    work(connection).then(() => working--); // an error that is no refusal ends this process, and Go reports it
  }
}
// The last line may be longer than a pipe holds: this write waits until it is gone.
live().then(() => process.stdout.write(JSON.stringify({ done: { end, left: now(), took, requests, asked } }) + '\n'));
