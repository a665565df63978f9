//! The server as a process of its own: signals, descriptors that run out, memory under attack.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use crate::{admin::get, listeners::Folder, raw, raw::Raw};

/// A server that ends with its test.
struct Process {
    child: Child,
    address: SocketAddr,
    admin: SocketAddr,
    _folder: Folder,
}

impl Process {
    /// Starts the binary with this line before it, such as a limit.
    fn start(before: &str, settings: &str) -> Self {
        let folder = Folder::new();
        let yaml = format!("listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\n{settings}");
        let config = folder.file("payhook.yaml", &yaml);
        let script = format!("{before}\nexec \"$0\" serve --config \"$1\"");
        let mut child = Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_payhook")])
            .arg(config)
            .env_remove("RUST_LOG")
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        let mut lines = log.lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("\"Serving\"")).expect("it serves");
        std::thread::spawn(move || lines.for_each(drop));
        let mut addresses = line.split("127.0.0.1:").skip(1).map(|rest| {
            let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
            SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a port")))
        });
        let (address, admin) = (addresses.next().expect("one"), addresses.next().expect("two"));
        Self { child, address, admin, _folder: folder }
    }

    fn signal(&self, name: &str) {
        let killed = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(killed.expect("kill runs").success());
    }

    fn ended(&mut self, within: Duration) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(began.elapsed() < within, "still there after {within:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).expect("it runs")
    }

    /// User and system time together.
    fn cpu_ticks(&self) -> u64 {
        let stat = self.proc("stat");
        let fields: Vec<_> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
        fields[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("ticks")).sum()
    }

    /// The most memory that it ever had, in KiB.
    fn most_memory(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
        line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn both_signals_end_it_with_code_0_whoever_is_attached() {
    for signal in ["-TERM", "-INT"] {
        let mut process = Process::start("", "");
        let _silent: Vec<_> = (0..20).map(|_| Raw::silent(process.address)).collect();
        let mut idle = Raw::open(process.address, &[]);
        idle.until(raw::SETTINGS).expect("served");
        process.signal(signal);
        let status = process.ended(Duration::from_secs(5));
        assert_eq!(status.code(), Some(0), "{signal}");
    }
}

#[test]
fn a_hangup_reads_the_configuration_and_serves_on() {
    let process = Process::start("", "");
    process.signal("-HUP");
    assert!(get(process.admin, "/healthz").starts_with("HTTP/1.1 200 "));
    let mut client = Raw::open(process.address, &[]);
    client.until(raw::SETTINGS).expect("served");
}

#[test]
fn without_descriptors_it_waits_and_serves_again_when_there_are_some() {
    let process = Process::start("ulimit -n 40", "limits: {connections_max: 1000}\n");
    let mut held: Vec<_> = (0..60).map(|_| Raw::open(process.address, &[])).collect();
    held[0].until(raw::SETTINGS).expect("the first is served");
    let before = process.cpu_ticks();
    std::thread::sleep(Duration::from_secs(1));
    let spent = process.cpu_ticks() - before;
    assert!(spent <= 20, "{spent} hundredths of a second of CPU in one second");
    drop(held);
    let mut client = Raw::open(process.address, &[]);
    assert!(client.until(raw::SETTINGS).is_some(), "served again");
}

#[test]
fn half_sent_bodies_from_everywhere_fit_into_48_mb() {
    let process = Process::start("", "");
    let half = raw::message(500_000, &[7; 9_000]);
    let mut peers: Vec<_> = (0..60).map(|_| Raw::open(process.address, &[])).collect();
    for peer in &mut peers {
        peer.until(raw::WINDOW_UPDATE).expect("served");
        for call in 0..100 {
            let stream = call * 2 + 1;
            // A peer that is told to go has had its share.
            let _ = peer
                .call(stream, raw::VERIFY)
                .and_then(|()| peer.frame(raw::DATA, 0, stream, &half));
        }
    }
    for peer in &mut peers {
        peer.until(raw::HEADERS).expect("each is answered");
    }
    let most = process.most_memory();
    assert!(most <= 48 * 1024, "{most} KiB");
    assert!(get(process.admin, "/healthz").starts_with("HTTP/1.1 200 "));
}
