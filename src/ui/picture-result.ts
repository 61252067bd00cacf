import { messageOf } from "../errors";
import type { Picture } from "../worker/protocol";

/** A picture, the reason why there is none, or null while it is made. */
export type PictureResult =
  | { readonly kind: "picture"; readonly picture: Picture }
  | { readonly kind: "failed"; readonly message: string }
  | null;

/** What came of it; never rejects. */
export async function resultOf(asked: Promise<Picture>): Promise<NonNullable<PictureResult>> {
  try {
    return { kind: "picture", picture: await asked };
  } catch (error) {
    return { kind: "failed", message: messageOf(error) };
  }
}
