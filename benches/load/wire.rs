//! One HTTP/2 connection of a gRPC client that costs next to nothing: requests are bytes made
//! before, and of an answer only its trailers are read. Made for servers on loopback that behave.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    path::PathBuf,
};

use crate::hpack::{self, Field, Words};

/// Where a server listens.
#[derive(Clone, Debug)]
pub enum Target {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A request that is sent again and again.
#[derive(Clone)]
pub struct Call {
    pub path: &'static str,
    /// The message with gRPC's five bytes before it.
    message: Vec<u8>,
}

impl Call {
    pub fn new(path: &'static str, message: &[u8]) -> Self {
        let mut framed = vec![0];
        framed.extend(u32::try_from(message.len()).expect("a short message").to_be_bytes());
        framed.extend(message);
        Self { path, message: framed }
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With a `grpc-status`.
    Answered { code: u8 },
    /// The server said that it did nothing with it: any client repeats it.
    Unprocessed,
    /// Its stream was reset with this code.
    Reset(u32),
    /// Its connection ended first.
    Lost,
}

struct Open<T> {
    tag: T,
    code: Option<u8>,
    reason: Option<usize>,
    answered: bool,
}

/// A connection and the calls under way on it.
pub struct Wire<T> {
    socket: Socket,
    out: Vec<u8>,
    sent: usize,
    input: Vec<u8>,
    filled: usize,
    open: HashMap<u32, Open<T>>,
    next: u32,
    /// Bytes that the server takes now.
    window: i64,
    stream_window: i64,
    frame_max: usize,
    streams_max: usize,
    /// The server's settings came.
    ready: bool,
    /// The path that the server's table holds.
    kept: Option<&'static str>,
    /// No new call may begin.
    leaving: bool,
    owed: u32,
    words: Words,
    reasons: Vec<Vec<u8>>,
    answers: Vec<(u8, Option<usize>, u64)>,
}

impl<T> Wire<T> {
    pub fn open(target: &Target) -> io::Result<Self> {
        let socket = match target {
            Target::Tcp(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_nodelay(true)?;
                stream.set_nonblocking(true)?;
                Socket::Tcp(stream)
            }
            Target::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_nonblocking(true)?;
                Socket::Unix(stream)
            }
        };
        let mut out = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        // No table for answers, no push, no bound on answers' bytes.
        let mut settings = Vec::new();
        for (name, value) in [(1_u16, 0_u32), (2, 0), (4, WINDOW_MAX)] {
            settings.extend(name.to_be_bytes());
            settings.extend(value.to_be_bytes());
        }
        frame(&mut out, SETTINGS, 0, 0, &settings);
        frame(&mut out, WINDOW_UPDATE, 0, 0, &(WINDOW_MAX - 65_535).to_be_bytes());
        Ok(Self {
            socket,
            out,
            sent: 0,
            input: vec![0; 256 * 1024],
            filled: 0,
            open: HashMap::new(),
            next: 1,
            window: 65_535,
            stream_window: 65_535,
            frame_max: 16_384,
            streams_max: usize::MAX,
            ready: false,
            kept: None,
            leaving: false,
            owed: 0,
            words: Words::new(),
            reasons: Vec::new(),
            answers: Vec::new(),
        })
    }

    /// Calls under way.
    pub fn under_way(&self) -> usize {
        self.open.len()
    }

    /// Whether the server told us to leave, or nothing is left to stay for.
    pub fn leaving(&self) -> bool {
        self.leaving
    }

    /// Bytes that the kernel has not taken yet.
    pub fn unsent(&self) -> usize {
        self.out.len() - self.sent
    }

    /// Answers so far, by code and reason.
    pub fn answers(&self) -> impl Iterator<Item = (u8, String, u64)> + '_ {
        self.answers.iter().map(|(code, reason, count)| {
            let reason = reason.map(|place| hpack::readable(&self.reasons[place]));
            (*code, reason.unwrap_or_default(), *count)
        })
    }

    /// Whether this call may begin now.
    pub fn takes(&self, call: &Call, streams: usize) -> bool {
        let length = call.message.len() as i64;
        assert!(!self.ready || length <= self.stream_window, "longer than a stream's window");
        self.ready
            && !self.leaving
            && self.open.len() < streams.min(self.streams_max)
            && length <= self.window
            && self.unsent() < 256 * 1024
    }

    /// Begins a call; its bytes leave with the next [`Wire::flush`].
    pub fn begin(&mut self, call: &Call, tag: T) {
        let stream = self.next;
        self.next += 2;
        let block = match self.kept {
            Some(path) if path == call.path => hpack::again(),
            Some(_) => hpack::other(call.path),
            None => hpack::first(call.path, "localhost"),
        };
        self.kept = self.kept.or(Some(call.path));
        frame(&mut self.out, HEADERS, END_HEADERS, stream, &block);
        let mut parts = call.message.chunks(self.frame_max).peekable();
        while let Some(part) = parts.next() {
            let flags = if parts.peek().is_none() { END_STREAM } else { 0 };
            frame(&mut self.out, DATA, flags, stream, part);
        }
        self.window -= call.message.len() as i64;
        self.open.insert(stream, Open { tag, code: None, reason: None, answered: false });
    }

    /// Hands the kernel as much as it takes.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.out.len() {
            match self.socket.write(&self.out[self.sent..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(sent) => self.sent += sent,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.out.clear();
        self.sent = 0;
        Ok(())
    }

    /// Reads what came, and hands out the calls that ended. An error ends the connection.
    pub fn read(&mut self, ended: &mut Vec<(T, Outcome)>) -> io::Result<()> {
        loop {
            match self.socket.read(&mut self.input[self.filled..]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            let (input, filled) = (std::mem::take(&mut self.input), self.filled);
            let mut rest = &input[..filled];
            let mut result = Ok(());
            while let Some((head, after)) = rest.split_first_chunk::<9>() {
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
                let Some((payload, next)) = after.split_at_checked(length) else { break };
                let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & WINDOW_MAX;
                result = self.frame(head[3], head[4], stream, payload, ended);
                rest = next;
                if result.is_err() {
                    break;
                }
            }
            let (start, kept) = (filled - rest.len(), rest.len());
            self.input = input;
            self.input.copy_within(start..filled, 0);
            self.filled = kept;
            result?;
            if self.owed > 1 << 20 {
                frame(&mut self.out, WINDOW_UPDATE, 0, 0, &self.owed.to_be_bytes());
                self.owed = 0;
            }
        }
    }

    fn frame(
        &mut self,
        kind: u8,
        flags: u8,
        stream: u32,
        payload: &[u8],
        ended: &mut Vec<(T, Outcome)>,
    ) -> io::Result<()> {
        let number = |at: usize| {
            let bytes = payload.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u32::from_be_bytes).ok_or_else(broken)
        };
        match kind {
            DATA => {
                self.owed += payload.len() as u32;
                if let Some(open) = self.open.get_mut(&stream) {
                    open.answered |= payload.len() >= 5;
                }
                if flags & END_STREAM != 0 {
                    self.end(stream, ended);
                }
            }
            HEADERS => {
                if flags & (END_HEADERS | PADDED | PRIORITY) != END_HEADERS {
                    return Err(broken());
                }
                self.headers(stream, payload)?;
                if flags & END_STREAM != 0 {
                    self.end(stream, ended);
                }
            }
            RST_STREAM => {
                let code = number(0)?;
                let outcome = if code == REFUSED_STREAM {
                    Outcome::Unprocessed
                } else {
                    Outcome::Reset(code)
                };
                if let Some(open) = self.open.remove(&stream) {
                    // NO_ERROR after an answer only says that the request's rest is not needed.
                    ended.push((open.tag, outcome));
                }
            }
            SETTINGS if flags & ACK == 0 => self.settings(payload)?,
            PING if flags & ACK == 0 => frame(&mut self.out, PING, ACK, 0, payload),
            GOAWAY => {
                let last = number(0)? & WINDOW_MAX;
                self.leaving = true;
                let never: Vec<_> = self.open.keys().copied().filter(|id| *id > last).collect();
                for stream in never {
                    let open = self.open.remove(&stream);
                    ended.extend(open.map(|open| (open.tag, Outcome::Unprocessed)));
                }
            }
            WINDOW_UPDATE if stream == 0 => self.window += i64::from(number(0)? & WINDOW_MAX),
            _ => {}
        }
        Ok(())
    }

    fn settings(&mut self, payload: &[u8]) -> io::Result<()> {
        for setting in payload.chunks_exact(6) {
            let value = u32::from_be_bytes([setting[2], setting[3], setting[4], setting[5]]);
            match u16::from_be_bytes([setting[0], setting[1]]) {
                3 => self.streams_max = value as usize,
                4 => self.stream_window = i64::from(value),
                5 => self.frame_max = value as usize,
                _ => {}
            }
        }
        self.ready = true;
        frame(&mut self.out, SETTINGS, ACK, 0, &[]);
        self.flush()
    }

    fn headers(&mut self, stream: u32, block: &[u8]) -> io::Result<()> {
        let Some(open) = self.open.get_mut(&stream) else { return Ok(()) };
        let (words, reasons) = (&self.words, &mut self.reasons);
        let read = words.fields(block, |field| match field {
            Field::Status(value) => open.code = words.code(value),
            Field::Reason(value) => {
                let place = reasons.iter().position(|reason| reason == value);
                open.reason = Some(place.unwrap_or_else(|| {
                    reasons.push(value.to_vec());
                    reasons.len() - 1
                }));
            }
        });
        read.ok_or_else(broken)
    }

    fn end(&mut self, stream: u32, ended: &mut Vec<(T, Outcome)>) {
        let Some(open) = self.open.remove(&stream) else { return };
        let code = match open.code {
            // OK without a message is no answer.
            Some(0) if !open.answered => NO_STATUS,
            Some(code) => code,
            None => NO_STATUS,
        };
        let same =
            |(of, reason, _): &&mut (u8, Option<usize>, u64)| (*of, *reason) == (code, open.reason);
        match self.answers.iter_mut().find(same) {
            Some((.., count)) => *count += 1,
            None => self.answers.push((code, open.reason, 1)),
        }
        ended.push((open.tag, Outcome::Answered { code }));
    }

    /// Gives up the connection and every call on it.
    pub fn close(&mut self, ended: &mut Vec<(T, Outcome)>) {
        ended.extend(self.open.drain().map(|(_, open)| (open.tag, Outcome::Lost)));
    }

    pub fn descriptor(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Socket::Tcp(stream) => stream.as_fd(),
            Socket::Unix(stream) => stream.as_fd(),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a frame that this client does not read")
}

fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    out.extend(&(payload.len() as u32).to_be_bytes()[1..]);
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
}

/// An answer without a status that gRPC knows.
pub const NO_STATUS: u8 = 17;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;
const REFUSED_STREAM: u32 = 7;
const WINDOW_MAX: u32 = (1 << 31) - 1;
