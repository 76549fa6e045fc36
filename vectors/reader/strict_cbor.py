"""The subset of CBOR that Cairn speaks (docs/spec/messages.md, "Encoding"). One encoding for each value."""

MAXIMUM_DEPTH = 8
MAXIMUM_CONTAINERS = 10_000
MAXIMUM_INTEGER = 2**53 - 1


class Refused(Exception):
    """A message, code or payment is turned away; the code says why."""

    def __init__(self, code, detail=""):
        super().__init__(f"{code} {detail}".strip())
        self.code = code


class Reader:
    def __init__(self, data, position=0):
        self.data = data
        self.position = position
        self.containers = 0

    def byte(self):
        if self.position >= len(self.data):
            raise Refused("CBOR_TRUNCATED")
        self.position += 1
        return self.data[self.position - 1]

    def argument(self, info):
        if info < 24:
            return info
        if info > 27:
            raise Refused("CBOR_UNSUPPORTED", "indefinite or reserved length")
        length = 1 << (info - 24)
        value = 0
        for _ in range(length):
            value = value << 8 | self.byte()
        if value < {1: 24, 2: 1 << 8, 4: 1 << 16, 8: 1 << 32}[length]:
            raise Refused("CBOR_NON_MINIMAL")
        return value

    def claim(self, length):
        if length > len(self.data) - self.position:
            raise Refused("CBOR_TOO_LONG")
        self.position += length
        return bytes(self.data[self.position - length : self.position])

    def enter(self, items, depth):
        if depth >= MAXIMUM_DEPTH:
            raise Refused("CBOR_TOO_DEEP")
        if items > len(self.data) - self.position:
            raise Refused("CBOR_TOO_LONG")
        self.containers += 1
        if self.containers > MAXIMUM_CONTAINERS:
            raise Refused("CBOR_TOO_LONG")

    def item(self, depth=0):
        initial = self.byte()
        major, info = initial >> 5, initial & 31
        if major == 7:
            if initial in (0xF4, 0xF5, 0xF6):
                return {0xF4: False, 0xF5: True, 0xF6: None}[initial]
            raise Refused("CBOR_UNSUPPORTED", "a simple value or float")
        if major == 6:
            raise Refused("CBOR_UNSUPPORTED", "a tag")
        argument = self.argument(info)
        if major in (0, 1):
            value = argument if major == 0 else -1 - argument
            if abs(value) > MAXIMUM_INTEGER:
                raise Refused("CBOR_INTEGER_RANGE")
            return value
        if major == 2:
            return self.claim(argument)
        if major == 3:
            try:
                return self.claim(argument).decode("utf-8", "strict")
            except UnicodeDecodeError:
                raise Refused("CBOR_INVALID_UTF8") from None
        if major == 4:
            self.enter(argument, depth)
            return [self.item(depth + 1) for _ in range(argument)]
        self.enter(2 * argument, depth)
        return self.map(argument, depth)

    def map(self, size, depth):
        result = {}
        previous = None
        for _ in range(size):
            start = self.position
            if start < len(self.data) and self.data[start] >> 5 not in (0, 1, 3):
                raise Refused("CBOR_UNSUPPORTED", "a key that is neither integer nor text")
            if start >= len(self.data):
                raise Refused("CBOR_TRUNCATED")
            key = self.item()
            encoded = bytes(self.data[start : self.position])
            if previous is not None and encoded == previous:
                raise Refused("CBOR_DUPLICATE_KEY")
            if previous is not None and encoded < previous:
                raise Refused("CBOR_UNSORTED_KEYS")
            previous = encoded
            result[key] = self.item(depth + 1)
        return result


def decode(data, start=0):
    """Exactly one item, to the end of the input."""
    reader = Reader(data, start)
    value = reader.item()
    if reader.position != len(data):
        raise Refused("CBOR_TRAILING_BYTES")
    return value


def sequence(data):
    """The items of a CBOR sequence (RFC 8742), each with its own bytes."""
    reader = Reader(data)
    while reader.position < len(data):
        start = reader.position
        reader.containers = 0
        value = reader.item()
        yield value, bytes(data[start : reader.position])
