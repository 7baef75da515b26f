/** Decimals as text and as unscaled integers. */

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;
/** Text of more characters than this is refused before it is converted. */
const MAX_TEXT_LENGTH = 10_000;

/** `1.50` for 150n and scale 2. */
export function formatDecimal(unscaled: bigint, scale: number): string {
	if (scale === 0) return String(unscaled);
	const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
	return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The unscaled value of a decimal text, or the reason why the type `decimal(precision, scale)` has no such value. */
export function parseDecimal(text: string, precision: number, scale: number): bigint | string {
	const match = text.length > MAX_TEXT_LENGTH ? null : DECIMAL.exec(text);
	const whole = match?.[2] ?? '';
	const fraction = match?.[3] ?? '';
	if (match === null || whole + fraction === '') return "expected a decimal such as '1.50'";
	const digits = (whole + fraction).replace(/^0+/, '');
	if (digits === '') return 0n;
	// The value is digits × 10^-places.
	const places = fraction.length - Number(match[4] ?? 0);
	const shift = scale - places;
	if (digits.length + shift > precision) return `more than ${precision} digits`;
	let kept = digits;
	if (shift < 0) {
		kept = shift <= -digits.length ? '' : digits.slice(0, shift);
		if (/[1-9]/.test(digits.slice(kept.length))) return `more than ${scale} digits after the point`;
	}
	const unscaled = BigInt(kept === '' ? '0' : kept) * 10n ** BigInt(Math.max(0, shift));
	return match[1] === '-' ? -unscaled : unscaled;
}

/** True when `unscaled` has at most `precision` digits. */
export function fitsPrecision(unscaled: bigint, precision: number): boolean {
	const limit = 10n ** BigInt(precision);
	return unscaled < limit && unscaled > -limit;
}
