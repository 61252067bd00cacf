const ID_LETTERS = "abcdefghijklmnopqrstuvwxyz234567";
const ID_LENGTH = 16;

/** `r` and 16 of 32 letters and digits, drawn by the platform. */
export function newRunId(): string {
  const random = crypto.getRandomValues(new Uint8Array(ID_LENGTH));
  return `r${Array.from(random, (byte) => ID_LETTERS[byte & 31]).join("")}`;
}
