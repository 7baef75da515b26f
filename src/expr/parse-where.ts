/** Predicates as text, in the manner of SQL's WHERE. */
import { IcebergError } from '../errors/iceberg-error.ts';
import { parseDateText, parseTimestampText, parseTimeText } from '../spec/date-time-text.ts';
import { fromHex } from '../util/hex.ts';
import * as build from './builders.ts';
import type { ComparisonOp, Expression, LiteralInput, TypedLiteral } from './expression.ts';
import { likePrefix } from './like-pattern.ts';
import { MAX_EXPRESSION_DEPTH, MAX_SET_LITERALS } from './limits.ts';
import { numericOfText } from './numeric-literal.ts';
import { shorten, type Token, tokenize, whereError } from './where-tokens.ts';

/**
 * Parses where-text such as `status = 'failed' and duration_ms > 1000`.
 *
 * - comparisons `=`, `!=` or `<>`, `<`, `<=`, `>`, `>=` of a column with a literal; `in (…)`, `between … and …`
 * - `is null`, `is nan`, `like 'abc%'`, `starts with 'abc'`; each with `not` as SQL writes it
 * - `and`, `or`, `not`, parentheses, `true`, `false`
 * - columns `a`, `a.b`, `"a b"` or `` `a b` `` (the quote doubled inside), case-sensitive as the binding is
 * - literals: `12` (a `bigint`, exact), `1.5` and `1e3` (a `number`, or a typed decimal where a double would lose
 *   digits), `'it''s'`, `true`, `false`, `infinity`, `date '…'`, `time '…'`, `timestamp '…'`, `uuid '…'`, `x'0aff'`
 *
 * Keywords in any case. `and` binds closer than `or`.
 * @throws `INVALID_FILTER` with the position and the text marked there; `LIMIT_EXCEEDED` for text that is too long or deep
 */
export function parseWhere(text: string): Expression {
	if (typeof text !== 'string')
		throw new IcebergError('INVALID_FILTER', `expected where-text, found ${text === null ? 'null' : typeof text}`);
	return new WhereParser(text).parse();
}

/** Words that name no column unless they are quoted. */
export const RESERVED_WORDS: ReadonlySet<string> = new Set(
	'and or not in is null nan like starts between true false infinity'.split(' '),
);

const COMPARISONS: Readonly<Record<string, ComparisonOp>> = {
	'=': 'eq',
	'==': 'eq',
	'!=': 'not-eq',
	'<>': 'not-eq',
	'<': 'lt',
	'<=': 'lt-eq',
	'>': 'gt',
	'>=': 'gt-eq',
};
const TYPED_WORDS: Readonly<Record<string, TypedLiteral['type']>> = {
	date: 'date',
	time: 'time',
	timestamp: 'timestamp',
	uuid: 'uuid',
};

class WhereParser {
	readonly #text: string;
	readonly #tokens: readonly Token[];
	#next = 0;

	constructor(text: string) {
		this.#text = text;
		this.#tokens = tokenize(text);
	}

	parse(): Expression {
		if (this.#peek().kind === 'end')
			throw this.#fail(this.#peek(), "the where-text is empty; for every row, write 'true' or leave it out");
		const expr = this.#or(1);
		const rest = this.#peek();
		if (rest.kind !== 'end') throw this.#fail(rest, `unexpected ${describe(rest)} after the predicate`);
		return expr;
	}

	#or(depth: number): Expression {
		const children = [this.#and(depth)];
		while (this.#takeWord('or')) children.push(this.#and(depth));
		return children.length === 1 ? (children[0] as Expression) : { op: 'or', children };
	}

	#and(depth: number): Expression {
		const children = [this.#not(depth)];
		while (this.#takeWord('and')) children.push(this.#not(depth));
		return children.length === 1 ? (children[0] as Expression) : { op: 'and', children };
	}

	#not(depth: number): Expression {
		const token = this.#peek();
		if (depth > MAX_EXPRESSION_DEPTH)
			throw new IcebergError('LIMIT_EXCEEDED', `the where-text is nested deeper than ${MAX_EXPRESSION_DEPTH}`, {
				context: { position: token.start },
			});
		if (this.#takeWord('not')) return { op: 'not', child: this.#not(depth + 1) };
		if (this.#takeSign('(')) {
			const inner = this.#or(depth + 1);
			this.#expectSign(')', token);
			return inner;
		}
		return this.#predicate();
	}

	#predicate(): Expression {
		const first = this.#peek();
		if (isWord(first, 'true', 'false')) {
			this.#next++;
			return { op: first.text.toLowerCase() as 'true' | 'false' };
		}
		if (first.kind === 'number' || first.kind === 'text' || first.kind === 'bytes')
			throw this.#fail(
				first,
				`expected a column, found ${describe(first)}; write the column first: 'column = literal'`,
			);
		const column = this.#column();
		const token = this.#peek();
		const op = token.kind === 'sign' ? COMPARISONS[token.text] : undefined;
		if (op !== undefined) {
			this.#next++;
			return { op, ref: { name: column }, literal: this.#literal(column) };
		}
		if (this.#takeWord('is')) return this.#is(column);
		const negated = this.#takeWord('not');
		const positive = this.#wordPredicate(column, negated);
		return positive;
	}

	#is(column: string): Expression {
		const negated = this.#takeWord('not');
		if (this.#takeWord('null')) return { op: negated ? 'not-null' : 'is-null', ref: { name: column } };
		if (this.#takeWord('nan')) return { op: negated ? 'not-nan' : 'is-nan', ref: { name: column } };
		const token = this.#peek();
		if (isWord(token, 'true', 'false')) {
			const word = token.text.toLowerCase();
			throw this.#fail(token, `write '${shorten(column)} ${negated ? '!=' : '='} ${word}'`);
		}
		throw this.#fail(token, `expected 'null', 'not null', 'nan' or 'not nan', found ${describe(token)}`);
	}

	#wordPredicate(column: string, negated: boolean): Expression {
		const token = this.#peek();
		if (this.#takeWord('in')) return this.#in(column, negated);
		if (this.#takeWord('between')) {
			const low = this.#literal(column);
			const and = this.#peek();
			if (!this.#takeWord('and')) throw this.#fail(and, `expected 'and' of 'between … and …', found ${describe(and)}`);
			const high = this.#literal(column);
			return negated
				? { op: 'or', children: [build.lt(column, low), build.gt(column, high)] }
				: { op: 'and', children: [build.gtEq(column, low), build.ltEq(column, high)] };
		}
		if (this.#takeWord('like')) {
			const pattern = this.#textLiteral("a pattern in quotes, such as 'abc%'");
			const found = likePrefix(pattern.text);
			if (found.kind === 'unsupported')
				throw this.#fail(
					pattern,
					"like takes only a prefix, such as 'abc%'; '%' elsewhere and '_' are not supported (a backslash makes them plain)",
				);
			if (found.kind === 'exact') return { op: negated ? 'not-eq' : 'eq', ref: { name: column }, literal: found.text };
			return { op: negated ? 'not-starts-with' : 'starts-with', ref: { name: column }, literal: found.text };
		}
		if (this.#takeWord('starts')) {
			const word = this.#peek();
			if (!this.#takeWord('with')) throw this.#fail(word, `expected 'with' of 'starts with', found ${describe(word)}`);
			const prefix = this.#textLiteral('a prefix in quotes');
			return { op: negated ? 'not-starts-with' : 'starts-with', ref: { name: column }, literal: prefix.text };
		}
		if (negated)
			throw this.#fail(
				token,
				`expected 'in', 'like', 'between' or 'starts with' after 'not', found ${describe(token)}`,
			);
		if (token.kind === 'end' || isWord(token, 'and', 'or') || token.text === ')')
			throw this.#fail(
				token,
				`'${shorten(column)}' alone is no predicate; a boolean column is asked '${shorten(column)} = true'`,
			);
		throw this.#fail(token, `expected a comparison after '${shorten(column)}', found ${describe(token)}`);
	}

	#in(column: string, negated: boolean): Expression {
		const open = this.#peek();
		if (!this.#takeSign('(')) throw this.#fail(open, `expected '(' after 'in', found ${describe(open)}`);
		const literals: LiteralInput[] = [];
		if (!this.#takeSign(')')) {
			do {
				literals.push(this.#literal(column));
				if (literals.length > MAX_SET_LITERALS)
					throw new IcebergError('LIMIT_EXCEEDED', `column '${column}': more than ${MAX_SET_LITERALS} literals`);
			} while (this.#takeSign(','));
			this.#expectSign(')', open);
		}
		return { op: negated ? 'not-in' : 'in', ref: { name: column }, literals };
	}

	#column(): string {
		const parts: string[] = [];
		do {
			const token = this.#peek();
			const word = token.kind === 'word' && (parts.length > 0 || !RESERVED_WORDS.has(token.text.toLowerCase()));
			if (!word && token.kind !== 'name') throw this.#fail(token, `expected a column, found ${describe(token)}`);
			parts.push(token.text);
			this.#next++;
		} while (this.#takeSign('.'));
		return parts.join('.');
	}

	#literal(column: string): LiteralInput {
		const token = this.#peek();
		const after = this.#tokens[this.#next + 1];
		if (token.kind === 'sign' && (token.text === '-' || token.text === '+')) {
			this.#next++;
			const number = this.#peek();
			if (number.kind !== 'number' && !isWord(number, 'infinity'))
				throw this.#fail(number, `expected a number after '${token.text}', found ${describe(number)}`);
			this.#next++;
			return this.#number(number, token.text === '-' ? '-' : '');
		}
		this.#next++;
		if (token.kind === 'number') return this.#number(token, '');
		if (token.kind === 'text') return token.text;
		if (token.kind === 'bytes') return fromHex(token.text) as Uint8Array;
		if (token.kind === 'word') {
			const word = token.text.toLowerCase();
			if (word === 'true' || word === 'false') return word === 'true';
			if (word === 'infinity') return Number.POSITIVE_INFINITY;
			const type = after?.kind === 'text' ? TYPED_WORDS[word] : undefined;
			if (type !== undefined) {
				this.#next++;
				return this.#typed(type, after as Token);
			}
			if (word === 'null')
				throw this.#fail(token, `nothing compares with null; write '${shorten(column)} is null' or '… is not null'`);
			if (word === 'nan')
				throw this.#fail(token, `NaN is no literal; write '${shorten(column)} is nan' or '… is not nan'`);
		}
		if (token.kind === 'word' || token.kind === 'name')
			throw this.#fail(
				token,
				`expected a literal, found the name '${shorten(token.text)}'; text stands in single quotes: '${shorten(token.text)}'`,
			);
		throw this.#fail(token, `expected a literal, found ${describe(token)}`);
	}

	#number(token: Token, sign: '' | '-'): LiteralInput {
		if (token.kind === 'word') return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
		const text = sign + token.text;
		if (/^-?\d+$/.test(text)) return BigInt(text);
		const exact = numericOfText(text);
		const number = Number(text);
		if (exact === undefined || !Number.isFinite(number)) throw this.#fail(token, 'the number is out of range');
		const shortest = numericOfText(String(number));
		if (shortest?.unscaled === exact.unscaled && shortest.scale === exact.scale) return number;
		return { type: 'decimal', text };
	}

	#typed(type: TypedLiteral['type'], token: Token): TypedLiteral {
		const problem = problemOfTyped(type, token.text);
		if (problem !== undefined) throw this.#fail(token, problem);
		return { type, text: token.text };
	}

	#textLiteral(expected: string): Token {
		const token = this.#peek();
		if (token.kind !== 'text') throw this.#fail(token, `expected ${expected}, found ${describe(token)}`);
		this.#next++;
		return token;
	}

	#peek(): Token {
		return this.#tokens[this.#next] as Token;
	}

	#takeWord(word: string): boolean {
		if (!isWord(this.#peek(), word)) return false;
		this.#next++;
		return true;
	}

	#takeSign(sign: string): boolean {
		const token = this.#peek();
		if (token.kind !== 'sign' || token.text !== sign) return false;
		this.#next++;
		return true;
	}

	#expectSign(sign: string, opened: Token): void {
		const token = this.#peek();
		if (!this.#takeSign(sign))
			throw this.#fail(
				token,
				`expected '${sign}' for the '${opened.text}' at position ${opened.start + 1}, found ${describe(token)}`,
			);
	}

	#fail(token: Token, problem: string): IcebergError {
		return whereError(this.#text, token.start, problem);
	}
}

function isWord(token: Token, ...words: string[]): boolean {
	return token.kind === 'word' && words.includes(token.text.toLowerCase());
}

function describe(token: Token): string {
	if (token.kind === 'end') return 'the end';
	if (token.kind === 'text') return `text '${shorten(token.text)}'`;
	return `'${shorten(token.text)}'`;
}

function problemOfTyped(type: TypedLiteral['type'], text: string): string | undefined {
	const parsed =
		type === 'date'
			? parseDateText(text)
			: type === 'time'
				? parseTimeText(text)
				: type === 'timestamp'
					? parseTimestampText(text)
					: undefined;
	return typeof parsed === 'string' ? parsed : undefined;
}
