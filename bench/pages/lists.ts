/** The page's own screens over 500 runs, one of which trains and has 1,000 events. */
import { mount } from "svelte";
import App from "../../src/ui/App.svelte";
import "../../src/ui/tokens.css";
import "../../src/ui/base.css";
import type { RunDetail, RunEvent, RunInfo } from "../../src/worker/protocol";
import { FakeHoldfast } from "../../tests/support/fake-holdfast";

const RUNS = 500;
const EVENTS = 1000;

class ManyRuns extends FakeHoldfast {
  override async runs(): Promise<readonly RunInfo[]> {
    const known = await super.runs();
    const running = known.filter(({ status }) => status === "running");
    const others = known.filter(({ status }) => status !== "running");
    const more = Array.from({ length: RUNS - running.length }, (_, at): RunInfo => {
      const like = others[at % others.length] ?? known[0]!;
      return { ...like, id: `${like.id}${at}`, name: `${like.name}, ${at}` };
    });
    return [...running, ...more];
  }

  override async detail(run: string): Promise<RunDetail> {
    const detail = await super.detail(run);
    const events = Array.from({ length: EVENTS }, (_, seq): RunEvent => ({
      kind: "resumed",
      seq,
      step: seq,
      time: 0,
      from: seq,
      replayed: 0,
      why: "",
    }));
    return { ...detail, events };
  }
}

mount(App, {
  target: document.getElementById("app") ?? document.body,
  props: { api: new ManyRuns("full") },
});
