//! HTTP/2 frames written by hand to plain sockets: what a well-behaved client cannot send.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame that arrived.
#[derive(Debug)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub payload: Vec<u8>,
}

/// A connection that says whatever it likes.
#[derive(Debug)]
pub struct Raw {
    socket: TcpStream,
}

impl Raw {
    /// A socket that has said nothing yet.
    pub fn silent(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).expect("it listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
        socket.set_write_timeout(Some(PATIENCE)).expect("a socket");
        Self { socket }
    }

    /// The same, where the server may have no place for it.
    pub fn try_silent(address: SocketAddr) -> Option<Self> {
        let socket = TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok()?;
        socket.set_read_timeout(Some(PATIENCE)).ok()?;
        socket.set_write_timeout(Some(PATIENCE)).ok()?;
        Some(Self { socket })
    }

    /// A connection with the preface and these settings sent.
    pub fn open(address: SocketAddr, settings: &[(u16, u32)]) -> Self {
        let mut raw = Self::silent(address);
        raw.begin(settings).expect("a fresh connection");
        raw
    }

    /// Sends the preface and these settings.
    pub fn begin(&mut self, settings: &[(u16, u32)]) -> std::io::Result<()> {
        let mut payload = Vec::new();
        for (name, value) in settings {
            payload.extend(name.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        self.write(PREFACE)?;
        self.frame(SETTINGS, 0, 0, &payload)
    }

    pub fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.socket.write_all(bytes)
    }

    pub fn frame(
        &mut self,
        kind: u8,
        flags: u8,
        stream: u32,
        payload: &[u8],
    ) -> std::io::Result<()> {
        self.write(&frame(kind, flags, stream, payload))
    }

    /// Opens a call of this method; more of its body may follow.
    pub fn call(&mut self, stream: u32, path: &str) -> std::io::Result<()> {
        self.frame(HEADERS, END_HEADERS, stream, &call_headers(path))
    }

    /// How long reads wait.
    pub fn patience(&mut self, patience: Duration) {
        self.socket.set_read_timeout(Some(patience)).expect("a socket");
    }

    /// Whether the server has closed the connection by now; what it said before is skipped.
    pub fn is_closed(&mut self) -> bool {
        self.socket.set_nonblocking(true).expect("a socket");
        let mut sink = [0; 4096];
        let closed = loop {
            match self.socket.read(&mut sink) {
                Ok(0) => break true,
                Ok(_) => {}
                Err(error) => break error.kind() != std::io::ErrorKind::WouldBlock,
            }
        };
        self.socket.set_nonblocking(false).expect("a socket");
        closed
    }

    /// The next frame; `None` where the server closed the connection.
    pub fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.socket.read_exact(&mut head).ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        self.socket.read_exact(&mut payload).ok()?;
        Some(Frame { kind: head[3], flags: head[4], payload })
    }

    /// Reads until such a frame comes; `None` where the server closed the connection before.
    pub fn until(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.next()?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }

    /// Waits until the server closes the connection; false where it is still open after a while.
    pub fn closes(&mut self) -> bool {
        let mut sink = [0; 4096];
        loop {
            match self.socket.read(&mut sink) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => {
                    let waits = [std::io::ErrorKind::WouldBlock, std::io::ErrorKind::TimedOut];
                    return !waits.contains(&error.kind());
                }
            }
        }
    }
}

/// Whether the connection ends with this error code, by GOAWAY, before it closes.
pub fn goes_away(raw: &mut Raw, code: u32) -> bool {
    while let Some(frame) = raw.until(GOAWAY) {
        if frame.payload.get(4..8) == Some(&code.to_be_bytes()) {
            return true;
        }
    }
    false
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// Header fields without compression: RFC 7541, section 6.2.2.
pub fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(0);
        for text in [name, value] {
            assert!(text.len() < 127, "longer lengths take more bytes");
            bytes.push(text.len() as u8);
            bytes.extend(text.as_bytes());
        }
    }
    bytes
}

/// A field of any length that stands for itself.
pub fn long(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        bytes.extend(length(text.len()));
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// The same field, kept in the table: section 6.2.1.
pub fn kept(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = long(name, value);
    bytes[0] = 0x40;
    bytes
}

/// A length with a prefix of seven bits: section 5.1.
fn length(length: usize) -> Vec<u8> {
    let Some(mut rest) = length.checked_sub(127) else { return vec![length as u8] };
    let mut bytes = vec![127];
    while rest >= 128 {
        bytes.push(rest as u8 | 128);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

pub fn call_headers(path: &str) -> Vec<u8> {
    fields(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ])
}

/// A message as gRPC frames it, with a length of the sender's choice.
pub fn message(length: u32, bytes: &[u8]) -> Vec<u8> {
    let mut message = vec![0];
    message.extend(length.to_be_bytes());
    message.extend(bytes);
    message
}

pub const VERIFY: &str = "/payhook.v1.PaymentWebhookService/VerifyAndParse";
pub const STREAM: &str = "/payhook.v1.PaymentWebhookService/VerifyAndParseStream";
pub const LIST: &str = "/payhook.v1.PaymentWebhookService/ListVariants";

/// ENHANCE_YOUR_CALM, RFC 9113, section 7.
pub const CALM: u32 = 0xb;

/// Nothing here waits for as long as this unless the server is wrong.
const PATIENCE: Duration = Duration::from_secs(10);
