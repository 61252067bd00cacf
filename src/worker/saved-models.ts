/**
 * LayersModels that TensorFlow.js keeps in this origin's IndexedDB: looked at and read, never written.
 *
 * Not through tfjs's own handler: it makes the database where there is none, tells in words alone that a model is not there,
 * and throws where nobody can catch it if the stores are not those it made. What it writes has been the same since 2018.
 */
import { HoldfastError } from "../errors";
import type { SavedModelName } from "./protocol";

const SCHEME = "indexeddb://";
const DATABASE = "tensorflowjs";
const MODELS = "models_store";

export function isSavedModelName(value: unknown): value is SavedModelName {
  return typeof value === "string" && value.startsWith(SCHEME) && value.length > SCHEME.length;
}

/** As `model.save` was told. */
export async function savedModels(): Promise<readonly SavedModelName[]> {
  const keys = await withModels((models) => models.getAllKeys());
  return (keys ?? []).flatMap((key) => (typeof key === "string" ? [`${SCHEME}${key}` as const] : []));
}

/** The `modelArtifacts` of one, as another program left them. */
export async function readSavedModel(name: SavedModelName): Promise<unknown> {
  const row: unknown = await withModels((models) => models.get(name.slice(SCHEME.length)));
  if (typeof row === "object" && row !== null && "modelArtifacts" in row) return row.modelArtifacts;
  const others = await savedModels();
  const there = others.length === 0 ? "There is none." : `There is ${others.join(", ")}.`;
  throw new HoldfastError(
    "missing",
    `TensorFlow.js has saved no model "${name}" in this browser for this site. ${there}`,
  );
}

/** What `ask` answers of the store; undefined where there is no such store. */
async function withModels<T>(ask: (models: IDBObjectStore) => IDBRequest<T>): Promise<T | undefined> {
  try {
    // Before it is opened, since that would make it.
    if (!(await indexedDB.databases()).some(({ name }) => name === DATABASE)) return undefined;
    const opening = indexedDB.open(DATABASE);
    // Deleted since then: it is not to come back, empty, under a version that tfjs would take for its own.
    opening.onupgradeneeded = () => opening.transaction?.abort();
    const database = await answer(opening);
    try {
      if (!database.objectStoreNames.contains(MODELS)) return undefined;
      return await answer(ask(database.transaction(MODELS).objectStore(MODELS)));
    } finally {
      database.close();
    }
  } catch (cause) {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new HoldfastError(
      "refused",
      `The models of TensorFlow.js in this browser could not be read (${reason}). In private windows, or with site data blocked, browsers refuse to.`,
      { cause },
    );
  }
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error("no reason was given"));
    };
  });
}
