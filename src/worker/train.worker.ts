/** The trainer worker: unpacks messages, and says twice a second that it is alive. All logic is in `trainer.ts`. */
import { expose } from "comlink";
import { HoldfastError } from "../errors";
import { doJob } from "./job";
import { holdLife } from "./life";
import type { RunStorageApi, TrainApi, TrainEvent } from "./protocol";
import { Remote } from "./remote";
import { Trainer } from "./trainer";
import { installErrorTransfer } from "./wire-errors";

const ALIVE_MS = 500;

installErrorTransfer();

let connected: Trainer | null = null;

function trainer(): Trainer {
  if (connected !== null) return connected;
  throw new HoldfastError("internal", "The trainer worker was asked before it was connected to the store.");
}

const api: TrainApi = {
  alive: holdLife,
  connect(storage, events) {
    const emit = (event: TrainEvent, transfer: Transferable[] = []): void => {
      events.postMessage(event, transfer);
    };
    connected = new Trainer(new Remote<RunStorageApi>(storage).api, emit);
    setInterval(() => {
      emit({ kind: "alive" });
    }, ALIVE_MS);
    return Promise.resolve();
  },
  backend: () => trainer().backend(),
  addData: (task, config, files) => trainer().addData(task, config, files),
  previewData: (task, config, hash) => trainer().previewData(task, config, hash),
  madeUpProblem: (task, config, seed) => trainer().madeUpProblem(task, config, seed),
  create: (spec) => trainer().create(spec),
  fork: (spec) => trainer().fork(spec),
  open: (run, options) => trainer().open(run, options),
  go: () => trainer().go(),
  pause: (why) => trainer().pause(why),
  step: () => trainer().step(),
  stop: () => trainer().stop(),
  change: (changes, from) => trainer().change(changes, from),
  extend: (steps, horizon) => trainer().extend(steps, horizon),
  hide: () => trainer().hide(),
  show: () => trainer().show(),
  state: () => trainer().state(),
  digest: () => trainer().digest(),
  visit: (at) => trainer().visit(at),
  look: (at, options) => trainer().look(at, options),
  pictureOf: (at) => trainer().pictureOf(at),
  askAt: (at, question) => trainer().askAt(at, question),
  askNow: (at, question) => trainer().askNow(at, question),
  example: (run, index) => trainer().example(run, index),
  answersAt: (at) => trainer().answersAt(at),
  evaluateAt: (at) => trainer().evaluateAt(at),
  deploy: (at, options) => trainer().deploy(at, options),
  interpolate: (from, to, port) => doJob(port, (watcher) => trainer().interpolate(from, to, watcher)),
  leave: () => trainer().leave(),
  keep: (at) => trainer().keep(at),
  rehearse: (run, step) => trainer().rehearse(run, step),
  setPolicy: (policy) => trainer().setPolicy(policy),
  close: () => trainer().close(),
};

expose(api);
