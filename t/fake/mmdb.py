# mmdb.py - writes small databases in the MaxMind DB format (version 2.0), for tests: country and network by address
"""
As a program: mmdb.py FILE country|asn [LINE...]; a line: NETWORK COUNTRY, or NETWORK NUMBER ORGANISATION. Without lines they come from standard input.

The format: a binary tree of addresses whose leaves point into a section of data, then metadata behind a marker. IPv4 stands in an IPv6 tree below ::/96.
"""
import ipaddress
import struct
import sys
import time

MARKER = b'\xab\xcd\xefMaxMind.com'
SEPARATOR = bytes(16)
STRING, DOUBLE, MAP, UINT16, UINT32, UINT64, ARRAY, BOOL = 2, 3, 7, 5, 6, 9, 11, 14


def control(kind, size):
	"""The octets that begin a value."""
	if size < 29:
		low, more = size, b''
	elif size < 285:
		low, more = 29, bytes([size - 29])
	elif size < 65821:
		low, more = 30, struct.pack('>H', size - 285)
	else:
		low, more = 31, struct.pack('>I', size - 65821)[1:]
	return (bytes([kind << 5 | low]) if kind < 8 else bytes([low, kind - 7])) + more


def number(kind, value):
	octets = value.to_bytes((value.bit_length() + 7) // 8, 'big')
	return control(kind, len(octets)) + octets


def encode(value, kind=UINT32):
	"""Octets of a value; integers are of that kind."""
	if isinstance(value, bytes):                       # as it is: for what no writer would write
		return value
	if isinstance(value, bool):
		return control(BOOL, int(value))
	if isinstance(value, int):
		return number(kind, value)
	if isinstance(value, str):
		octets = value.encode('utf8', 'surrogateescape')
		return control(STRING, len(octets)) + octets
	if isinstance(value, list):
		return control(ARRAY, len(value)) + b''.join(encode(v, kind) for v in value)
	return control(MAP, len(value)) + b''.join(encode(k) + encode(v, kind) for k, v in value.items())


def pointer(offset):
	"""A value that says: what stands there in the data section."""
	return bytes([0x38]) + struct.pack('>I', offset)


class Tree:
	def __init__(self, version):
		self.bits = 32 if version == 4 else 128
		self.nodes = [[None, None]]                    # a child: None, ('node', N) or ('data', OFFSET)

	def path(self, net):
		value, length = int(net.network_address), net.prefixlen
		if net.version == 4 and self.bits == 128:
			length += 96
		return [value >> (self.bits - 1 - i) & 1 for i in range(length)]

	def add(self, net, offset):
		path, at = self.path(net), 0
		for bit in path[:-1]:
			child = self.nodes[at][bit]
			if child is None or child[0] == 'data':    # a wider network's answer stays beside the narrower one's
				self.nodes.append([child, child])
				self.nodes[at][bit] = ('node', len(self.nodes) - 1)
			at = self.nodes[at][bit][1]
		self.nodes[at][path[-1]] = ('data', offset)

	def bytes(self, size):
		out, count = bytearray(), len(self.nodes)

		def record(child):
			return count if child is None else child[1] if child[0] == 'node' else count + len(SEPARATOR) + child[1]
		for left, right in self.nodes:
			a, b = record(left), record(right)
			if size == 28:
				out += struct.pack('>I', a)[1:] + bytes([(a >> 24) << 4 | b >> 24]) + struct.pack('>I', b)[1:]
			else:
				out += a.to_bytes(size // 8, 'big') + b.to_bytes(size // 8, 'big')
		return bytes(out)


def database(records, kind, version=6, size=24, built=None, metadata=None):
	"""records: pairs (network, value), wider networks first. kind: the database's type. The octets of the file."""
	tree, data, places = Tree(version), bytearray(), {}
	for net, value in records:
		octets = encode(value)
		if octets not in places:
			places[octets] = len(data)
			data += octets
		tree.add(ipaddress.ip_network(net), places[octets])
	about = {
		'binary_format_major_version': number(UINT16, 2), 'binary_format_minor_version': number(UINT16, 0),
		'build_epoch': number(UINT64, int(time.time() if built is None else built)), 'database_type': kind, 'description': {'en': 'a test'}, 'ip_version': number(UINT16, version),
		'languages': ['en'], 'node_count': len(tree.nodes), 'record_size': number(UINT16, size),
	}
	about.update(metadata or {})
	return tree.bytes(size) + SEPARATOR + bytes(data) + MARKER + encode(about)


def country(code, name='Somewhere', continent='EU'):
	"""A record as GeoLite2-Country has it."""
	place = {'geoname_id': 2750405, 'iso_code': code, 'names': {'de': name, 'en': name}}
	return {'continent': {'code': continent, 'geoname_id': 6255148, 'names': {'en': 'Europe'}}, 'country': place, 'registered_country': place}


def network(asn, organisation):
	"""A record as GeoLite2-ASN has it."""
	return {'autonomous_system_number': asn, 'autonomous_system_organization': organisation}


def from_lines(kind, lines, **more):
	"""kind: country or asn."""
	records = []
	for line in lines:
		words = line.split(None, 2)
		if words and not words[0].startswith('#'):
			records.append((words[0], country(words[1]) if kind == 'country' else network(int(words[1]), words[2] if len(words) > 2 else '')))
	return database(records, 'GeoLite2-Country' if kind == 'country' else 'GeoLite2-ASN', **more)


def main(args):
	if len(args) < 2 or args[1] not in ('country', 'asn'):
		sys.exit('usage: mmdb.py FILE country|asn [LINE...]')
	data = from_lines(args[1], args[2:] or sys.stdin)
	with open(args[0], 'wb') as f:
		f.write(data)


if __name__ == '__main__':
	main(sys.argv[1:])
