"""Programs around the fake model of FakeModel.cpp, each with its facts and its weight segment, and what they must print, computed by
Python alone."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import struct

VOCABULARY = 300
SPACE = "\u2581"
FIELDS = ["abi", "vocabulary", "context", "chunk", "token_step", "arena_bytes", "cache_positions", "cache_bytes", "parameters", "weight_bytes",
          "decode_bytes", "prefill_operations", "segment_bytes", "tokenizer_offset", "tokenizer_bytes", "info_offset", "info_bytes"]
PLACEHOLDERS = struct.pack("<17q", *(VOCABULARY if name == "vocabulary" else 0x4861660001 + place for place, name in enumerate(FIELDS)))
FEATURES = b"+features of the fake model".ljust(256, b"\0")
PIECES = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + [SPACE] + list("abcdefghijklmnopqrstuvwxyz") + [
    SPACE + "the", ".", ",", "\u00e9", "\U0001f600", SPACE + SPACE, "O", "T", "1", "2", "?", "!", "'", "\n"]
assert len(PIECES) == VOCABULARY
TYPES = [2, 3, 3] + [6] * 256 + [1] * (VOCABULARY - 259)


def varint(value):
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def field(number, content):
    return varint(number * 8 + 2) + varint(len(content)) + content


def number(number, value):
    return varint(number * 8) + varint(value)


def tokenizerModel(count=VOCABULARY):
    """A SentencePiece model of the first `count` pieces: BPE, byte fallback, a dummy prefix, no normalization. '▁the' is never reached,
    as a merge needs its steps and '▁t' is none; two spaces are one piece."""
    pieces = b"".join(
        field(1, field(1, text.encode()) + varint(21) + struct.pack("<f", -float(place)) + number(3, kind))
        for place, (text, kind) in enumerate(zip(PIECES[:count], TYPES)))
    return pieces + field(2, number(3, 2) + number(35, 1)) + field(3, number(3, 1) + number(4, 0))


def encode(text):
    """Token ids of a text without double spaces, the begin token first."""
    ids = [1]
    for character in (" " + text if text else "").replace(" ", SPACE):
        ids += [PIECES.index(character)] if character in PIECES else [3 + byte for byte in character.encode()]
    return ids


def decode(ids, atStart=False):
    """The text of ids, bytes of no character as U+FFFD one by one."""
    data = b""
    for token in ids:
        if TYPES[token] == 6:
            data += bytes([token - 3])
        elif TYPES[token] == 1:
            text = PIECES[token]
            if atStart and not data and text.startswith(SPACE):
                text, atStart = text[1:], False
            data += text.replace(SPACE, " ").encode()
        elif TYPES[token] == 2:
            data += " \u2047 ".encode()
    return data.decode("utf-8", errors="surrogateescape").translate({0xDC00 + byte: "\ufffd" for byte in range(128, 256)})


def continueGreedily(tokens, count=10**6, context=64, stopAt=-1):
    """What --temperature 0 draws, without the stop token."""
    tokens, new = list(tokens), []
    while len(new) < count and len(tokens) < context:
        token = 2 if len(tokens) == stopAt else sum((place + 1) * token for place, token in enumerate(tokens)) % VOCABULARY
        if token in (1, 2):
            break
        tokens.append(token)
        new.append(token)
    return new


def buildSegment(weights, tokenizer, info):
    """The segment's bytes and the facts about it. Longer than a few pages, so that a cut-off file lacks some."""
    parts = {"weights": struct.pack("<4q", *weights).ljust(300_000, b"\1"), "tokenizer": tokenizer, "info": info}
    segment, facts = b"", {}
    for name, content in parts.items():
        segment = segment.ljust((len(segment) + 63) // 64 * 64, b"\0")
        facts[name] = (len(segment), len(content))
        segment += content
    return segment, {"segment_bytes": len(segment), "tokenizer_offset": facts["tokenizer"][0],
                     "tokenizer_bytes": facts["tokenizer"][1], "info_offset": facts["info"][0], "info_bytes": facts["info"][1]}


def attachSegment(program, segment):
    """The program with the segment as its last PT_LOAD, in the place that PT_PHDR gives up, as lib/link/WeightSegment.cpp does it."""
    offset, count = struct.unpack_from("<Q", program, 32)[0], struct.unpack_from("<H", program, 56)[0]
    headers = [list(struct.unpack_from("<IIQQQQQQ", program, offset + 56 * place)) for place in range(count)]
    loads = [header for header in headers if header[0] == 1]
    address = (max(header[3] + header[6] for header in loads) + 0xffff) // 0x10000 * 0x10000
    start = (len(program) + 0xffff) // 0x10000 * 0x10000
    headers = [header for header in headers if header[0] != 6]
    assert len(headers) == count - 1, "the program has no PT_PHDR"
    last = max(place for place, header in enumerate(headers) if header[0] == 1)
    headers.insert(last + 1, [1, 4, start, address, address, len(segment), len(segment), 0x10000])
    table = b"".join(struct.pack("<IIQQQQQQ", *header) for header in headers)
    return (program[:offset] + table + program[offset + len(table):]).ljust(start, b"\0") + segment


def build(program, path, *, delay=0, stopAt=-1, notANumberAt=-1, tokenizer=None, info=None, features="", **facts):
    """Writes a program to `path`: the linked `program` with these weights, tokenizer (bytes, b"" for none), info (a dictionary),
    features that it needs ("+avx2,+fma") and facts that differ from the usual ones."""
    tokenizer = tokenizerModel() if tokenizer is None else tokenizer
    info = {"format": "fake-g32", "bits_per_weight": 4.5} if info is None else info
    segment, sizes = buildSegment((delay, stopAt, 2, notANumberAt), tokenizer, json.dumps(info, indent=1).encode())
    values = {"abi": 3, "vocabulary": VOCABULARY, "context": 64, "chunk": 4, "token_step": 2, "arena_bytes": 64, "cache_positions": 3, "cache_bytes": 64,
              "parameters": 1000, "weight_bytes": 562, "decode_bytes": 562, "prefill_operations": 2000, **sizes, **facts}
    content = program.read_bytes()
    assert content.count(PLACEHOLDERS) == 1
    content = content.replace(PLACEHOLDERS, struct.pack("<17q", *(values[name] for name in FIELDS)))
    assert content.count(FEATURES) == 1
    content = content.replace(FEATURES, features.encode().ljust(len(FEATURES), b"\0"))
    path.write_bytes(attachSegment(content, segment))
    path.chmod(0o755)
    return path
