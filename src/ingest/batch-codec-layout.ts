/** What encoder and decoder of batches agree on. */

/** The number of the format. */
export const BATCH_FORMAT = 1;
/** Values follow. */
export const NO_NULLS = 0;
/** A bitmap follows, then values. */
export const SOME_NULLS = 1;
/** Nothing follows. Only for a few elements: otherwise a few bytes would fill the reader's memory. */
export const ALL_NULL = 2;
/** Most elements of a vector that is said to be all null in one byte. */
export const ALL_NULL_LIMIT = 8;
/** Most elements of a vector. */
export const ELEMENT_LIMIT = 1 << 30;
/** Runs of bytes up to this length are copied by a loop: a call into the runtime costs more. */
export const LOOPED_COPY_BYTES = 48;
