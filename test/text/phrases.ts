// Phrases that a native speaker would not use, or that say one of the project's words the old way. docs/glossary.md has
// the words that are kept, and the former ones. Matched against text whose lines were joined, so a blank is any white space.
//
// Limit: a list finds what it lists; natural English is a matter of reading.
export interface Phrase {
  readonly pattern: RegExp;
  readonly say: string;
}

const phrase = (words: string, say: string): Phrase => ({
  pattern: new RegExp(`(?<![\\w$.-])(?:${words.replaceAll(' ', '\\s+')})(?![\\w-])`, 'gi'),
  say,
});

export const phrases: readonly Phrase[] = [
  phrase('bears?|bearing', 'has, carries'),
  phrase('mends?|mended|mending', 'fix, repair'),
  phrase('reckons?|reckoned|reckoning', 'count, compute'),
  phrase('unless told(?: otherwise)?', 'by default'),
  phrase('stands? for itself', 'cannot be combined with'),
  phrase('stands? by no more', 'is no longer a standby'),
  phrase('says? so|said so|saying so', 'name what is said: reports it, fails, prints …'),
  phrase('whoever|whomever', 'the caller, the next holder, anyone who'),
  phrase("nobody(?:['’]s)?", 'no one, or name who'),
  phrase("somebody(?:['’]s)?", 'someone, or name who'),
  phrase('beside (?:the|it|them|its)', 'next to, alongside, in parallel with'),
  phrase('turn them round', 'swap them'),
  phrase('as it should be', 'in sync'),
  phrase('lost sight of', 'stopped following'),
  phrase('in vain', 'without effect, not carried out'),
  phrase('shall', 'must'),
  phrase('(?:is|are) lacking', 'is missing'),
  phrase('clash(?:es)? with', 'conflicts with'),
  phrase('is no (?:member|export|number|candidate|sign|duplicate)', 'is not a …'),
  phrase('(?:was|were) never heard', 'never reported'),
  phrase("(?:a|the) node['’]s word", 'the last reported state, a report'),
  phrase('names what there is not|what there is not', 'refers to something that does not exist'),
  phrase('had better', 'should'),
  phrase('anew', 'again'),
  phrase('stays? to be done', 'is still to do'),
  phrase('pulls? the lever|levers?', 'demote file'),
  phrase('hands? (?:the VIP|it) over', 'demotes, moves the VIP'),
  phrase('stints?', 'node state, transition'),
  phrase('ledgers?', 'registry'),
  phrase('thaw(?:s|ed|ing)?', 'unfreeze'),
  phrase('stand-bys?', 'standby'),
  phrase('heeds?|heeded|heeding', 'observe, respect'),
  phrase('tells? of|told of', 'reports, describes'),
  phrase('of (?:its|our|their) own making|of our making', 'that it causes'),
  phrase('does good', 'helps'),
  phrase('goes? on for ever', 'runs forever'),
  phrase('looks? anew|looks? whether|looking whether', 'checks whether'),
  phrase('(?:evidence|heard) slots?', 'evidence window'),
  phrase("in somebody['’]s name|speaks? in its name", 'impersonates it'),
  { pattern: /(?:[,;:] |["'`(])want(?= [^,=:;)}\]])/g, say: 'expected' },
];
