//! The process as the system sees it: no core dumps, no debugger, and nobody who reads its memory,
//! not even a process of the same user.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use crate::{admin::get, config::Folder, residue::Masked};

/// A user without rights, where the tests run as root; else the own user.
const NOBODY: u32 = 65_534;

/// A process of that user that ends with its test.
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Owned {
    fn start(command: &mut Command) -> Self {
        Self(as_nobody(command).spawn().expect("it runs"))
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.0.id())).expect("it runs")
    }

    /// What a process of the same user gets to read of it.
    fn read_by_its_user(&self, file: &str) -> Output {
        let path = format!("/proc/{}/{file}", self.0.id());
        as_nobody(Command::new("head").args(["-c", "1", &path])).output().expect("head runs")
    }
}

fn as_nobody(command: &mut Command) -> &mut Command {
    let root = fs::metadata("/proc/self").expect("our own").uid() == 0;
    if root { command.uid(NOBODY).gid(NOBODY) } else { command }
}

/// The server of this binary with this configuration, and where its admin listener is.
fn serve(folder: &Folder, yaml: &str) -> (Owned, SocketAddr) {
    // Somewhere that any user reaches.
    let binary = folder.0.join("payhook");
    // By another process: a file that this one still writes to cannot be run, and a test that starts
    // a process meanwhile would carry the open file along.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_payhook")).arg(&binary).status();
    assert!(copied.expect("cp runs").success());
    let yaml = format!("listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\n{yaml}");
    let config = folder.write("payhook.yaml", yaml);
    let mut command = Command::new(binary);
    command.args(["serve", "--config"]).arg(config).env_remove("RUST_LOG").stderr(Stdio::piped());
    let mut owned = Owned::start(&mut command);
    let log = BufReader::new(owned.0.stderr.take().expect("piped"));
    let mut lines = log.lines().map_while(Result::ok);
    let line = lines.find(|line| line.contains("\"Serving\"")).expect("it serves");
    std::thread::spawn(move || lines.for_each(drop));
    let port = line.rsplit("127.0.0.1:").next().expect("the admin listener");
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    (owned, SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a port"))))
}

#[test]
fn the_process_leaves_no_core_dump_and_lets_nobody_look_inside() {
    let folder = Folder::new("hardened");
    let (server, _) = serve(&folder, "");
    // The same look at a process that does nothing about it finds everything open.
    let open = Owned::start(Command::new("sleep").arg("60"));
    let limits = server.proc("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    let sizes: Vec<_> = core.split_whitespace().rev().skip(1).take(2).collect();
    assert_eq!(sizes, ["0", "0"], "soft and hard: it cannot be raised again");
    assert_eq!(u64::from_str_radix(server.proc("coredump_filter").trim(), 16), Ok(0));
    assert_ne!(u64::from_str_radix(open.proc("coredump_filter").trim(), 16), Ok(0));
    let owner = |process: &Owned| {
        let path = format!("/proc/{}/environ", process.0.id());
        fs::metadata(Path::new(&path)).expect("it runs").uid()
    };
    assert_eq!(owner(&server), 0, "not dumpable: what it is belongs to root");
    assert_ne!(owner(&open), 0);
    for file in ["environ", "mem", "maps"] {
        let refused = server.read_by_its_user(file);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("ermission denied"), "{file}: {said}");
    }
    let read = open.read_by_its_user("environ");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
}

#[test]
fn the_server_keeps_no_copy_of_a_secret_that_was_rotated_away() {
    let folder = Folder::new("rotated-away");
    let (old, new) = (Masked::random(), Masked::random());
    let pin = folder.write("pin", &*old.clear());
    let place = pin.display();
    let yaml = format!(
        "variants:\n  shop:\n    gateway: dotpay\n    keys: [{{label: a, pin: {{file: {place}}}}}]\n"
    );
    let (server, admin) = serve(&folder, &yaml);
    let process = server.0.id().to_string();
    until(|| get(admin, "/readyz").starts_with("HTTP/1.1 200 "));
    match old.copies(&process) {
        // Only root sees inside, and not everywhere: then the memory is out of reach, which is what
        // is promised, and `residue` shows the same of the library.
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied),
        Ok(_) => {
            let copies = || [&old, &new].map(|it| it.copies(&process).expect("as before"));
            // As it was configured, and as it is hashed with every webhook; one more for a moment
            // where it is just being read.
            until(|| copies() == [2, 0]);
            folder.write("pin", &*new.clear());
            until(|| copies() == [0, 2]);
        }
    }
}

fn until(holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "it never held");
        std::thread::sleep(Duration::from_millis(20));
    }
}
