/** Limits on predicates, so that nothing that a user writes runs out of stack or memory. */

/** Deepest nesting of `and`, `or`, `not` and parentheses. */
export const MAX_EXPRESSION_DEPTH = 500;
/** Most predicates and connectives of one expression. */
export const MAX_EXPRESSION_NODES = 100_000;
/** Most literals of one `in` or `not in`. */
export const MAX_SET_LITERALS = 1_000_000;
/** Longest where-text, in UTF-16 units. */
export const MAX_WHERE_TEXT_LENGTH = 16 * 1024 * 1024;
