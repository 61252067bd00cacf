/**
 * English-like sentences to train on where nobody brought a text.
 *
 * A rule is a list of patterns; `{name}` in one stands for a pattern of that rule. Every choice is a counter-based
 * draw and no logarithm or cosine is taken, so a seed gives the same bytes in every engine.
 */
import { HoldfastError } from "../errors";
import { randomInteger } from "../engine/random";

const STREAM = "data/text";
const SENTENCES_PER_PARAGRAPH = 5;

const RULES: Readonly<Record<string, readonly string[]>> = {
  sentence: [
    "{who} {did} {what}, and {result}.",
    "{when} {who} {did} {what}.",
    "{who} {went} {where} {when}.",
    "{when}, {who} {went} {where} and {did} {what}.",
    "“{saying},” said {who}.",
    "{who} asked {someone} about {what}, but {result}.",
    "There was {quality} {thing} {where}, and {who} {did} it.",
    "If {who} had not {done} {what}, {someone} would have.",
  ],
  who: [
    "the {quality} {person}",
    "the {person}",
    "a {quality} {person}",
    "the {person} of the {place}",
    "{name}",
    "{name}",
    "{name} and {name}",
  ],
  someone: ["the {person}", "{name}", "her {quality} brother", "his sister", "an old friend"],
  name: [
    "Ada",
    "Bela",
    "Clara",
    "Edmund",
    "Fiona",
    "Henrik",
    "Ingrid",
    "Jonas",
    "Lena",
    "Marek",
    "Nora",
    "Oskar",
    "Paula",
    "Tobias",
  ],
  person: [
    "baker",
    "captain",
    "clockmaker",
    "doctor",
    "ferryman",
    "gardener",
    "innkeeper",
    "lighthouse keeper",
    "miller",
    "sailor",
    "shepherd",
    "teacher",
    "weaver",
  ],
  quality: [
    "brave",
    "careful",
    "cheerful",
    "clever",
    "curious",
    "gentle",
    "honest",
    "patient",
    "quiet",
    "small",
    "stubborn",
    "tall",
    "tired",
    "young",
  ],
  thing: [
    "anchor",
    "basket",
    "boat",
    "book",
    "bridge",
    "candle",
    "coat",
    "compass",
    "kettle",
    "key",
    "lamp",
    "letter",
    "map",
    "rope",
    "stone",
    "violin",
  ],
  what: [
    "the {thing}",
    "a {quality} {thing}",
    "the old {thing}",
    "every {thing} {where}",
    "the {thing} of the {person}",
    "one more {thing}",
  ],
  did: [
    "carried",
    "cleaned",
    "counted",
    "found",
    "held",
    "hid",
    "kept",
    "lost",
    "mended",
    "painted",
    "remembered",
    "sold",
    "tied",
    "wanted",
  ],
  done: ["carried", "counted", "found", "held", "hidden", "kept", "lost", "mended", "sold", "wanted"],
  went: ["climbed", "hurried", "rowed", "sailed", "walked", "wandered", "waited"],
  where: [
    "by the {place}",
    "near the {place}",
    "behind the {place}",
    "over the {place}",
    "in the {weather}",
    "along the {place}",
  ],
  place: [
    "bay",
    "forest",
    "garden",
    "harbour",
    "hill",
    "island",
    "lighthouse",
    "market",
    "mill",
    "river",
    "sea wall",
    "station",
    "village",
    "well",
  ],
  weather: ["evening sun", "fog", "first snow", "morning light", "rain", "storm", "wind"],
  when: [
    "in the morning",
    "at noon",
    "after the storm",
    "before dawn",
    "every evening",
    "once a year",
    "on the third day",
    "when the tide went out",
    "that winter",
  ],
  result: [
    "nobody was surprised",
    "the {person} laughed",
    "{someone} wrote it down",
    "the wind did not let go",
    "it held until spring",
    "the {thing} was safe",
    "everyone came home",
    "the lamp was still burning",
  ],
  saying: [
    "The {thing} will hold",
    "I have seen the {place} in worse weather",
    "We begin again where we left off",
    "No {person} forgets {quality} friends",
    "Keep the {thing}, and come back {when}",
    "What is written down is not lost",
  ],
};

/** Paragraphs of sentences, UTF-8, at least `characters` long by less than one paragraph. */
export function sentences(characters: number, seed: number): Uint8Array<ArrayBuffer> {
  let draws = 0;
  const expand = (rule: string): string => {
    const patterns = RULES[rule];
    if (!patterns) throw new HoldfastError("internal", `The grammar has no rule "${rule}".`);
    const pattern = patterns[randomInteger(seed, STREAM, 0, draws++, patterns.length)] ?? "";
    return pattern.replace(/\{(\w+)\}/g, (_, name: string) => expand(name));
  };
  let written = "";
  while (written.length < characters) {
    const paragraph = Array.from({ length: SENTENCES_PER_PARAGRAPH }, () => capitalised(expand("sentence")));
    written += `${paragraph.join(" ")}\n`;
  }
  return new TextEncoder().encode(written);
}

function capitalised(sentence: string): string {
  const start = sentence.startsWith("“") ? 1 : 0;
  return sentence.slice(0, start) + sentence.charAt(start).toUpperCase() + sentence.slice(start + 1);
}
