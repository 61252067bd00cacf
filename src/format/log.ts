/**
 * The log of a run: small frames that say what the catalogue says, so that packs alone are enough.
 *
 * The catalogue is fast and is the truth while it is there. Browsers lose it at times: a damaged database is emptied,
 * a restored profile is an old one. Then the record, the events, the journal and what a person did to the run (its
 * name, the trash) are read from here, in the order of their numbers.
 */
import { HoldfastError } from "../errors";
import type { Bytes } from "./bytes";
import { encodeJson, parseJson } from "./json";
import { byKind, finite, integer, list, nullable, object, oneOf, pattern, text, type Parse } from "./parse";
import type { Edit, RunEvent, RunRecord, RunStatus } from "./run";
import { hashText, mark, note, policy, runEvent, runRecord, tags } from "./run-parse";
import type { Place } from "./stored";

/** What a frame of JSON holds at most: a message of a mebibyte, and its surroundings. */
const MAX_JSON_BYTES = 4 * 1024 * 1024;
/** What an import may add: an id, a longer name, all letters escaped. */
const RENAMING_BYTES = 8 * 1024;
const MAX_NAME = 512;
const MAX_PLACES = 100_000;

/** An event, and what the run became with it; null where it stayed what it was. */
export interface LoggedEvent {
  readonly event: RunEvent;
  readonly status: RunStatus | null;
}

/** One copy of the bytes that runs train on: which frames, in their order, make it up. */
export interface Dataset {
  /** SHA-256 of all bytes, hex. */
  readonly hash: string;
  readonly bytes: number;
  readonly frames: readonly Place[];
}

const status: Parse<RunStatus> = oneOf("running", "paused", "finished", "stopped", "failed");

const loggedEvent: Parse<LoggedEvent> = object<LoggedEvent>({ event: runEvent, status: nullable(status) });

type Of<K extends Edit["kind"]> = Extract<Edit, { readonly kind: K }>;

const edit: Parse<Edit> = byKind<Edit>({
  renamed: object<Of<"renamed">>({ kind: oneOf("renamed"), name: text(MAX_NAME) }),
  removed: object<Of<"removed">>({ kind: oneOf("removed"), time: finite }),
  restored: object<Of<"restored">>({ kind: oneOf("restored") }),
  marked: object<Of<"marked">>({ kind: oneOf("marked"), mark }),
  described: object<Of<"described">>({ kind: oneOf("described"), tags, note }),
  policy: object<Of<"policy">>({ kind: oneOf("policy"), policy }),
});

/** Names of packs as frames record them. */
export const packId: Parse<string> = pattern(/^[a-z0-9-]{0,32}$/, "a pack id");

const dataset: Parse<Dataset> = object<Dataset>({
  hash: hashText,
  bytes: integer(),
  frames: list(object<Place>({ pack: packId, offset: integer(), length: integer() }), MAX_PLACES),
});

type Logged = LoggedEvent | Edit | Dataset | RunRecord;

/** `invalid` for what is longer than the reader takes: it could never be read back. */
export function encodeLogged(content: Logged): Bytes {
  const bytes = encodeJson(content);
  if (bytes.length > MAX_JSON_BYTES)
    throw new HoldfastError(
      "invalid",
      `What is to be logged has ${bytes.length} bytes, more than a log takes.`,
    );
  return bytes;
}

/** Can it be logged, under another id or a longer name too? */
export function fitsLog(content: Logged): boolean {
  const most = MAX_JSON_BYTES - RENAMING_BYTES;
  // A million events are asked about, and most are short: no unit of a text takes more than three bytes.
  return 3 * JSON.stringify(content).length <= most || encodeJson(content).length <= most;
}

/** Each is `corrupt` with the path of the first field that is wrong. */
export function parseLoggedEvent(raw: Bytes): LoggedEvent {
  return loggedEvent(parseJson(raw, "An event", MAX_JSON_BYTES), "logged");
}

export function parseEdit(raw: Bytes): Edit {
  return edit(parseJson(raw, "An edit", MAX_JSON_BYTES), "edit");
}

export function parseLoggedRecord(raw: Bytes): RunRecord {
  return runRecord(parseJson(raw, "A run record", MAX_JSON_BYTES), "run");
}

export function parseDataset(raw: Bytes): Dataset {
  return dataset(parseJson(raw, "A data set", MAX_JSON_BYTES), "dataset");
}
