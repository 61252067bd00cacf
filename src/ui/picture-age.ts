/** More often a picture is not drawn at a normal pace, unless drawing takes long. */
const USUAL_SECONDS = 30;
/** Of the last gap: a picture that takes longer than the one before it is not late yet. */
const LATE_GAPS = 3;

/** Where a run's picture and the run itself stand. */
export interface PictureAge {
  /** Steps of the picture and of the run. */
  readonly of: number;
  readonly step: number;
  /** Between this picture and the one before it, in steps; 0 where there was none. */
  readonly gap: number;
  /** Null at rest. */
  readonly stepsPerSecond: number | null;
}

/** How many steps ago it was drawn, where that is longer than pictures usually take; else null. */
export function stepsBehind({ of, step, gap, stepsPerSecond }: PictureAge): number | null {
  const usual = Math.max(LATE_GAPS * gap, USUAL_SECONDS * (stepsPerSecond ?? 0));
  return step - of > usual ? step - of : null;
}
