//! As much of HPACK (RFC 7541) as a gRPC client needs that knows what it asks for: it writes a few
//! fields once and points to them afterwards, and finds two trailers in the answers. The server is
//! told to keep no table for us, so that every block of an answer stands for itself.

/// Field lines of an answer that are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'a> {
    Status(&'a [u8]),
    Reason(&'a [u8]),
}

/// Texts of answers in the form in which they arrive.
pub struct Words {
    status: Vec<u8>,
    reason: Vec<u8>,
    codes: Vec<Vec<u8>>,
}

impl Words {
    pub fn new() -> Self {
        let codes = (0..=16).map(|code: u8| huffman(&code.to_string())).collect();
        Self { status: huffman("grpc-status"), reason: huffman("x-payhook-reason"), codes }
    }

    /// The code in a `grpc-status`.
    pub fn code(&self, value: &[u8]) -> Option<u8> {
        let found = self.codes.iter().position(|code| code == value);
        found.and_then(|code| u8::try_from(code).ok())
    }

    /// Hands out the fields that are looked at; `None` where the block cannot be read.
    pub fn fields<'a>(&self, mut block: &'a [u8], mut found: impl FnMut(Field<'a>)) -> Option<()> {
        while let Some(first) = block.first().copied() {
            if first & 0x80 != 0 {
                // From the static table: `:status`, which says nothing about the call.
                (_, block) = integer(block, 7)?;
                continue;
            }
            if first & 0xe0 == 0x20 {
                (_, block) = integer(block, 5)?;
                continue;
            }
            let (index, mut rest) = integer(block, if first & 0x40 != 0 { 6 } else { 4 })?;
            let mut name: &[u8] = &[];
            if index == 0 {
                (name, rest) = text(rest)?;
            }
            let value;
            (value, block) = text(rest)?;
            if name == self.status {
                found(Field::Status(value));
            } else if name == self.reason {
                found(Field::Reason(value));
            }
        }
        Some(())
    }
}

fn integer(bytes: &[u8], prefix: u8) -> Option<(usize, &[u8])> {
    let most = (1_usize << prefix) - 1;
    let (first, mut rest) = bytes.split_first()?;
    let mut value = usize::from(*first) & most;
    if value < most {
        return Some((value, rest));
    }
    for shift in (0..28).step_by(7) {
        let (next, after) = rest.split_first()?;
        value += (usize::from(*next) & 0x7f) << shift;
        rest = after;
        if next & 0x80 == 0 {
            return Some((value, rest));
        }
    }
    None
}

fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = integer(bytes, 7)?;
    rest.split_at_checked(length)
}

/// Field lines of a request: at first with their texts, which the server keeps.
pub fn first(path: &str, authority: &str) -> Vec<u8> {
    let mut block = vec![METHOD_POST, SCHEME_HTTP];
    // In this order, so that the table holds, newest first: te, content-type, path, authority.
    for (name, value) in [(AUTHORITY, authority), (PATH, path), (CONTENT_TYPE, "application/grpc")]
    {
        block.push(0x40 | name);
        plain(&mut block, value);
    }
    block.push(0x40);
    plain(&mut block, "te");
    plain(&mut block, "trailers");
    block
}

/// The same request once more.
pub fn again() -> Vec<u8> {
    vec![METHOD_POST, SCHEME_HTTP, 0x80 | 65, 0x80 | 64, 0x80 | 63, 0x80 | 62]
}

/// Another path, whose text the server does not keep.
pub fn other(path: &str) -> Vec<u8> {
    let mut block = vec![METHOD_POST, SCHEME_HTTP, 0x80 | 65, PATH];
    plain(&mut block, path);
    block.extend([0x80 | 63, 0x80 | 62]);
    block
}

fn plain(block: &mut Vec<u8>, text: &str) {
    assert!(text.len() < 127, "{text} is a short text");
    block.push(text.len() as u8);
    block.extend(text.as_bytes());
}

// Indices of the static table (RFC 7541, appendix A).
const AUTHORITY: u8 = 1;
const PATH: u8 = 4;
const CONTENT_TYPE: u8 = 0x0f | 0x10;
const METHOD_POST: u8 = 0x83;
const SCHEME_HTTP: u8 = 0x86;

/// A text in the static Huffman code.
fn huffman(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u64, 0_u32);
    for character in text.chars() {
        let (_, code, length) =
            CODES.iter().find(|(of, ..)| *of == character).expect("a character of these");
        bits = bits << length | u64::from(*code);
        held += length;
        while held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    if held > 0 {
        // Padded with ones.
        bytes.push((bits << (8 - held)) as u8 | (0xff >> held));
    }
    bytes
}

/// A text out of the static Huffman code; `?` from the first character on that none has here.
pub fn readable(bytes: &[u8]) -> String {
    let (mut text, mut code, mut length) = (String::new(), 0_u32, 0_u32);
    for byte in bytes {
        for at in (0..8).rev() {
            code = code << 1 | u32::from(byte >> at & 1);
            length += 1;
            if let Some((character, ..)) =
                CODES.iter().find(|(_, of, bits)| (*of, *bits) == (code, length))
            {
                text.push(*character);
                (code, length) = (0, 0);
            }
        }
    }
    if length >= 8 {
        text.push('?');
    }
    text
}

/// Codes of the characters that occur in reasons and in the names of trailers (RFC 7541,
/// appendix B).
#[rustfmt::skip]
const CODES: [(char, u32, u32); 64] = [
    ('-', 0x16, 6), ('_', 0x22, 6),
    ('0', 0x00, 5), ('1', 0x01, 5), ('2', 0x02, 5), ('3', 0x19, 6), ('4', 0x1a, 6),
    ('5', 0x1b, 6), ('6', 0x1c, 6), ('7', 0x1d, 6), ('8', 0x1e, 6), ('9', 0x1f, 6),
    ('a', 0x03, 5), ('b', 0x23, 6), ('c', 0x04, 5), ('d', 0x24, 6), ('e', 0x05, 5),
    ('f', 0x25, 6), ('g', 0x26, 6), ('h', 0x27, 6), ('i', 0x06, 5), ('j', 0x74, 7),
    ('k', 0x75, 7), ('l', 0x28, 6), ('m', 0x29, 6), ('n', 0x2a, 6), ('o', 0x07, 5),
    ('p', 0x2b, 6), ('q', 0x76, 7), ('r', 0x2c, 6), ('s', 0x08, 5), ('t', 0x09, 5),
    ('u', 0x2d, 6), ('v', 0x77, 7), ('w', 0x78, 7), ('x', 0x79, 7), ('y', 0x7a, 7),
    ('z', 0x7b, 7), ('A', 0x21, 6), ('B', 0x5d, 7), ('C', 0x5e, 7), ('D', 0x5f, 7),
    ('E', 0x60, 7), ('F', 0x61, 7), ('G', 0x62, 7), ('H', 0x63, 7), ('I', 0x64, 7),
    ('J', 0x65, 7), ('K', 0x66, 7), ('L', 0x67, 7), ('M', 0x68, 7), ('N', 0x69, 7),
    ('O', 0x6a, 7), ('P', 0x6b, 7), ('Q', 0x6c, 7), ('R', 0x6d, 7), ('S', 0x6e, 7),
    ('T', 0x6f, 7), ('U', 0x70, 7), ('V', 0x71, 7), ('W', 0x72, 7), ('X', 0xfc, 8),
    ('Y', 0x73, 7), ('Z', 0xfd, 8),
];
