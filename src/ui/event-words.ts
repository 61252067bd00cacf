/** What happened to a run, in words a person would say. */
import type { BestStep, Policy, RunEvent } from "../worker/protocol";
import { count, counted, loss, rate } from "./format";
import { type Tone, metricWords } from "./words";

/** An event and how it is toned. */
export function eventWords(event: RunEvent): { readonly text: string; readonly tone: Tone } {
  switch (event.kind) {
    case "started":
      return { text: "started", tone: "plain" };
    case "paused":
      return {
        text: event.why === "" || event.why === "asked" ? "paused" : `paused: ${event.why}`,
        tone: "plain",
      };
    case "resumed":
      return { text: resumedWords(event.step, event.from, event.replayed), tone: "good" };
    case "changed":
      return { text: changedWords(event.changes), tone: "plain" };
    case "extended":
      return { text: `extended to ${counted(event.steps, "step")}`, tone: "plain" };
    case "evaluated":
      return { text: `evaluated: ${metricsWords(event.metrics)}`, tone: "plain" };
    case "finished":
      return { text: "finished", tone: "good" };
    case "stopped":
      return {
        text: event.best === undefined ? "stopped" : `stopped early: ${bestWords(event.best)}`,
        tone: "plain",
      };
    case "forked":
      return { text: "forked", tone: "plain" };
    case "trouble":
      return { text: event.message, tone: "bad" };
    default:
      return event satisfies never;
  }
}

function resumedWords(step: number, from: number, replayed: number): string {
  if (replayed === 0) return `resumed at step ${count(step)}, straight from its checkpoint`;
  return `resumed at step ${count(step)} from the checkpoint at ${count(from)}: ${count(replayed)} replayed, all equal`;
}

function changedWords(changes: { readonly learningRate?: number; readonly clipNorm?: number }): string {
  const parts: string[] = [];
  if (changes.learningRate !== undefined)
    parts.push(`learning rate changed to ${rate(changes.learningRate)}`);
  if (changes.clipNorm !== undefined) {
    parts.push(
      changes.clipNorm === 0 ? "clipping turned off" : `gradients clipped at ${rate(changes.clipNorm)}`,
    );
  }
  return parts.join(", ");
}

function metricsWords(metrics: Readonly<Record<string, number>>): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${metricWords(name)} ${loss(value)}`)
    .join(", ");
}

/** Which state was the best by a metric. */
export function bestWords({ metric, step, value }: BestStep): string {
  return `${metricWords(metric)} was best at step ${count(step)}, ${loss(value)}`;
}

/** What a run is watched for from now on. */
export function watchWords({ evaluate, stop, spike }: Policy): string {
  const parts = [
    evaluate === undefined ? "Not evaluated while it trains" : `Evaluated every ${counted(evaluate, "step")}`,
    ...(stop === undefined ? [] : [`stopped after ${count(stop.patience)} without a better one`]),
    ...(spike === undefined ? [] : [`paused where the loss is ${spike} times the usual`]),
  ];
  return `${parts.join(", ")}.`;
}
