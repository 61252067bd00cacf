/** The page's own screen of a run with 1,000,000 steps and 1,000 checkpoints, at rest. */
import { mount } from "svelte";
import App from "../../src/ui/App.svelte";
import "../../src/ui/tokens.css";
import "../../src/ui/base.css";
import type { JournalRows, RunDetail } from "../../src/worker/protocol";
import { checkpointOf, lossOf } from "../../tests/support/fake-data";
import { FakeHoldfast } from "../../tests/support/fake-holdfast";

const STEPS = 1_000_000;
const CHECKPOINTS = 1000;

class LongRun extends FakeHoldfast {
  override async detail(run: string): Promise<RunDetail> {
    const detail = await super.detail(run);
    const checkpointList = Array.from({ length: CHECKPOINTS }, (_, at) =>
      checkpointOf(run, detail.task, ((at + 1) * STEPS) / CHECKPOINTS, detail.created + at * 1000, "policy"),
    );
    return { ...detail, step: STEPS, steps: STEPS, checkpointList };
  }

  override journal(): Promise<JournalRows> {
    const loss = Float32Array.from({ length: STEPS }, (_, row) => lossOf("spirals", row + 1));
    return Promise.resolve({
      from: 1,
      loss,
      rate: new Float32Array(STEPS).fill(1e-3),
      ms: new Float32Array(STEPS).fill(10),
    });
  }
}

const api = new LongRun("full");
const finished = (await api.runs()).find(({ status }) => status === "finished");
location.hash = `#/run/${finished?.id ?? ""}`;
mount(App, { target: document.getElementById("app") ?? document.body, props: { api } });
