//! The real binary as a process of its own: on free ports of loopback, ended by its id.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::wire::Target;

/// A folder that is gone with its owner.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("payhook-load-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).expect("the folder is writable");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind in a temporary folder harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running server.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    pub admin: SocketAddr,
    /// From the moment before exec until it said that it serves.
    pub ready_after: Duration,
}

impl Server {
    /// Starts it with a configuration that says where it listens.
    pub fn start(config: &Path) -> Self {
        Self::start_of(&binary(), config)
    }

    /// The same of another build.
    pub fn start_of(binary: &str, config: &Path) -> Self {
        let mut command = Command::new(binary);
        command.args(["serve", "--config"]).arg(config);
        Self::run(command)
    }

    /// The same after a line of a shell, such as a limit.
    pub fn start_after(line: &str, config: &Path) -> Self {
        let script = format!("{line}\nexec \"$0\" serve --config \"$1\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, &binary()]).arg(config);
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        let began = Instant::now();
        command.env_remove("RUST_LOG").env_remove("PAYHOOK_CONFIG").stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        let mut lines = log.lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("\"Serving\"")).expect("it serves");
        let ready_after = began.elapsed();
        // Read on, so that the log never stands still.
        std::thread::spawn(move || lines.for_each(drop));
        let mut places = line.split("127.0.0.1:").skip(1).map(|rest| {
            let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
            SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a port")))
        });
        let (address, admin) = (places.next().expect("one"), places.next().expect("two"));
        Self { child, address, admin, ready_after }
    }

    pub fn target(&self) -> Target {
        Target::Tcp(self.address)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        let id = Pid::from_child(&self.child);
        kill_process(id, signal).expect("it is ours and runs");
    }

    /// Waits for its end.
    pub fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        let began = Instant::now();
        while began.elapsed() < within {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        None
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.id())).expect("it runs")
    }

    fn kib(&self, field: &str) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with(field)).expect("a field");
        line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
    }

    /// Memory that it has now, in KiB.
    pub fn rss(&self) -> u64 {
        self.kib("VmRSS:")
    }

    /// The most memory that it ever had, in KiB.
    pub fn rss_peak(&self) -> u64 {
        self.kib("VmHWM:")
    }

    /// CPU time of all its threads.
    pub fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.id())).expect("it runs");
        let nanoseconds = tasks.map(|task| {
            let path = task.expect("an entry").path().join("schedstat");
            // A thread that ended in between has nothing more to say.
            let text = fs::read_to_string(path).unwrap_or_default();
            text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0)
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    /// What `GET` on the admin listener answers: the status, and the body.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        get(self.admin, path)
    }

    /// A metric without labels; all of its series together where it has some.
    pub fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.get("/metrics").expect("metrics are always answered");
        let own =
            |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']));
        let values = text.lines().filter(own).filter_map(|line| line.rsplit(' ').next());
        values.filter_map(|value| value.parse::<f64>().ok()).sum()
    }

    /// How many series there are.
    pub fn series(&self) -> usize {
        let (_, text) = self.get("/metrics").expect("metrics are always answered");
        text.lines().filter(|line| !line.starts_with('#')).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `GET` on this admin listener answers: the status, and the body.
pub fn get(admin: SocketAddr, path: &str) -> Option<(u16, String)> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect_timeout(&admin, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// The binary: that of `PAYHOOK_BINARY`, an absolute path, such as the one that ships; else that
/// which was built with the profile of this run, a folder above it.
pub fn binary() -> String {
    std::env::var("PAYHOOK_BINARY").unwrap_or_else(|_| {
        let own = std::env::current_exe().expect("a process has a binary");
        let built = own.ancestors().nth(2).expect("cargo puts it into deps").join("payhook");
        let told = "build the binary first, the same way and for the same profile";
        assert!(built.exists(), "{}: {told}", built.display());
        built.to_str().expect("a path in UTF-8").to_owned()
    })
}

/// Longer than any answer of the admin listener may take.
const PATIENCE: Duration = Duration::from_secs(5);
