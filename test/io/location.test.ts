import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import {
	absoluteLocation,
	baseName,
	decodedLocalPathOf,
	joinLocation,
	localPathOf,
	schemeOf,
	withoutTrailingSlash,
} from '../../src/io/location.ts';

const folder = mkdtempSync(join(tmpdir(), 'datashard-location-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('localPathOf', () => {
	it.each([
		['/a/b', '/a/b'],
		['file:/a/b', '/a/b'],
		['file:///a/b', '/a/b'],
		['FILE:///a/b', '/a/b'],
		['file://localhost/a/b', '/a/b'],
		['file:/a/day=2024-01-01 10%3A00/ü', '/a/day=2024-01-01 10%3A00/ü'],
		['/a:b/c', '/a:b/c'],
	])('takes %s literally as %s', (location, path) => {
		expect(localPathOf(location)).toBe(path);
	});

	it.each([
		['a/b', /not absolute/],
		['', /not absolute/],
		['file:a/b', /not absolute/],
		['file://host/a', /host 'host'/],
		['file://host', /host 'host'/],
		['file://', /no path/],
		['s3://bucket/a', /scheme 's3'/],
		['hdfs:/a', /scheme 'hdfs'/],
		['/a\0b', /NUL/],
		[`/${'x'.repeat(5000)}`, /longer than 4096/],
	])('refuses %j', (location, message) => {
		expect(() => localPathOf(location)).toThrow(message);
		expect(() => localPathOf(location)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
	});

	it('knows when decoding makes a difference', () => {
		expect(decodedLocalPathOf('file:///a%20b')).toBe('/a b');
		expect(decodedLocalPathOf('file:///a b')).toBeUndefined();
		expect(decodedLocalPathOf('/a%20b')).toBeUndefined();
		expect(decodedLocalPathOf('file:///a%zz')).toBeUndefined();
		expect(decodedLocalPathOf('file:///a%00')).toBeUndefined();
	});
});

describe('absoluteLocation', () => {
	it('resolves against the given folder once', () => {
		expect(absoluteLocation('./runs/', '/home/u')).toBe('/home/u/runs');
		expect(absoluteLocation('../x//y', '/home/u')).toBe('/home/x/y');
		expect(absoluteLocation('/abs/./t/', '/home/u')).toBe('/abs/t');
		expect(absoluteLocation('a:b', '/home/u')).toBe('/home/u/a:b');
		expect(absoluteLocation('s3://bucket/t/', '/home/u')).toBe('s3://bucket/t');
	});

	it('turns file: URIs into paths: as they stand where that exists, else decoded', () => {
		mkdirSync(join(folder, 'a%20b'));
		expect(absoluteLocation(`file://${folder}/a%20b`, '/')).toBe(join(folder, 'a%20b'));
		expect(absoluteLocation(`file://${folder}/c%20d/`, '/')).toBe(join(folder, 'c d'));
		expect(absoluteLocation(`file:${folder}/plain`, '/')).toBe(join(folder, 'plain'));
		expect(absoluteLocation(pathToFileURL(join(folder, 'a b')), '/')).toBe(join(folder, 'a b'));
		expect(absoluteLocation(pathToFileURL(join(folder, 'a%20b')), '/')).toBe(join(folder, 'a%20b'));
	});

	it('refuses what is no location', () => {
		for (const bad of ['', '  ', 'file:rel', 'file://host/x', '/nul\0'])
			expect(() => absoluteLocation(bad, '/'), JSON.stringify(bad)).toThrow(
				expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
			);
		expect(() => absoluteLocation(7 as unknown as string, '/')).toThrow(/number/);
	});
});

describe('parts of locations', () => {
	it('are joined, named and trimmed without changing the spelling', () => {
		expect(joinLocation('file:/a', 'metadata', 'v1')).toBe('file:/a/metadata/v1');
		expect(joinLocation('/a/', 'b')).toBe('/a/b');
		expect(baseName('s3://b/x/y.avro')).toBe('y.avro');
		expect(withoutTrailingSlash('/a//')).toBe('/a');
		expect(withoutTrailingSlash('/')).toBe('/');
		expect(schemeOf('S3A://b')).toBe('s3a');
		expect(schemeOf('C:/x')).toBe('');
		expect(schemeOf('/x:y')).toBe('');
	});
});
