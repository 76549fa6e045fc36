"""A second reader of Cairn's messages, written from docs/spec/ alone. Needs only cbor2 and cryptography."""
