/** Runs the worker that trains without session, store or page. */
import { wrap } from "comlink";
import type { Course, CourseApi, Recorded } from "./uninterrupted.worker";

declare global {
  var train: (course: Course) => Promise<Recorded>;
}

globalThis.train = async (course) => {
  const worker = new Worker(new URL("./uninterrupted.worker.ts", import.meta.url), { type: "module" });
  try {
    return await wrap<CourseApi>(worker).train(course);
  } finally {
    worker.terminate();
  }
};
