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
        Self::start_with(before, settings, &[])
    }

    fn start_with(before: &str, settings: &str, environment: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let yaml = format!("listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\n{settings}");
        let config = folder.file("payhook.yaml", &yaml);
        let script = format!("{before}\nexec \"$0\" serve --config \"$1\"");
        let mut child = Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_payhook")])
            .arg(config)
            .env_remove("RUST_LOG")
            .envs(environment.iter().copied())
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
fn a_hundred_variants_do_not_make_a_hundred_threads() {
    let secrets = Folder::new();
    let variants = (0..100).map(|at| {
        let secret = secrets.file(&format!("secret-{at}"), "whsec_of_one_variant_0001");
        let key = format!("[{{endpoint_secret: {{file: {}}}}}]", secret.display());
        format!("  shop-{at}: {{gateway: stripe, keys: {key}}}\n")
    });
    let process = Process::start("", &format!("variants:\n{}", variants.collect::<String>()));
    let mut left = 200;
    while !get(process.admin, "/readyz").starts_with("HTTP/1.1 200 ") {
        left -= 1;
        assert!(left > 0, "no variant can be used");
        std::thread::sleep(Duration::from_millis(10));
    }
    let line = process.proc("status");
    let line = line.lines().find_map(|line| line.strip_prefix("Threads:")).expect("a count");
    let threads: usize = line.trim().parse().expect("a number");
    assert!(threads <= 32, "{threads} threads");
}

#[test]
fn without_descriptors_it_waits_and_serves_again_when_there_are_some() {
    let process = Process::start("ulimit -n 40", "limits: {connections_max: 1000}\n");
    let mut held: Vec<_> = (0..60).map(|_| Raw::open(process.address, &[])).collect();
    held[0].until(raw::SETTINGS).expect("the first is served");
    // The other listener cannot accept either.
    let probe = Raw::silent(process.admin);
    let before = process.cpu_ticks();
    std::thread::sleep(Duration::from_secs(1));
    let spent = process.cpu_ticks() - before;
    assert!(spent <= 20, "{spent} hundredths of a second of CPU in one second");
    drop((held, probe));
    let mut client = Raw::open(process.address, &[]);
    assert!(client.until(raw::SETTINGS).is_some(), "served again");
    assert!(get(process.admin, "/healthz").starts_with("HTTP/1.1 200 "));
}

#[test]
fn half_sent_bodies_from_everywhere_fit_into_36_mb() {
    // With the 12 MB that the release build has when it is idle, 48 MB.
    let process = Process::start("", "");
    let before = process.most_memory();
    // All that a connection's window lets a peer send ahead.
    let half = raw::message(500_000, &[7; 2_500]);
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
    let more = process.most_memory() - before;
    assert!(more <= 36 * 1024, "{more} KiB more");
    assert!(get(process.admin, "/healthz").starts_with("HTTP/1.1 200 "));
}

#[test]
fn answers_that_nobody_reads_fit_into_36_mb() {
    let process = Process::start("", "");
    let before = process.most_memory();
    // As many calls as there may be on as many connections as there may be, and no window for a
    // single answer.
    let mut peers: Vec<_> = (0..60).map(|_| Raw::open(process.address, &[(4, 0)])).collect();
    for peer in &mut peers {
        peer.until(raw::SETTINGS).expect("served");
        for call in 0..100 {
            peer.call(call * 2 + 1, raw::LIST).expect("open");
            let whole = raw::message(0, &[]);
            peer.frame(raw::DATA, raw::END_STREAM, call * 2 + 1, &whole).expect("open");
        }
    }
    for peer in &mut peers {
        for _ in 0..100 {
            peer.until(raw::HEADERS).expect("each is answered");
        }
    }
    let more = process.most_memory() - before;
    assert!(more <= 36 * 1024, "{more} KiB more");
}

#[cfg(feature = "otel")]
#[tokio::test]
async fn a_call_is_a_span_below_its_callers_at_the_collector() {
    use http_body_util::{BodyExt as _, Full};
    use hyper::{Request, Response, body::Incoming, service::service_fn};
    use hyper_util::rt::{TokioExecutor, TokioIo};

    let collector = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let place = format!("http://{}", collector.local_addr().expect("bound"));
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = collector.accept().await {
            let tell = tell.clone();
            let export = service_fn(move |request: Request<Incoming>| {
                let tell = tell.clone();
                async move {
                    let bytes = request.into_body().collect().await?.to_bytes();
                    tell.send(bytes.to_vec()).expect("the test waits");
                    // An empty message, and that it went well.
                    let mut trailers = http::HeaderMap::new();
                    trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
                    let body = Full::<bytes::Bytes>::from(&[0, 0, 0, 0, 0][..]).with_trailers(
                        async move { Some(Ok::<_, std::convert::Infallible>(trailers)) },
                    );
                    let answer = Response::builder().header("content-type", "application/grpc");
                    Ok::<_, hyper::Error>(answer.body(body).expect("an answer"))
                }
            });
            let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), export));
        }
    });
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", place.as_str())];
    let mut process = Process::start_with("", "", &environment);
    let channel = crate::serving::channel(process.address).await;
    let mut client = crate::serving::Client::new(channel);
    let webhook = payhook::proto::WebhookRequest {
        variant: "sought".to_owned(),
        body: b"secret body".as_slice().into(),
        ..Default::default()
    };
    let mut request = tonic::Request::new(crate::serving::request(webhook));
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.metadata_mut().insert("traceparent", parent.parse().expect("ASCII"));
    client.verify_and_parse(request).await.expect_err("no such variant");
    // What is left is sent at the end.
    process.signal("-TERM");
    let ended = tokio::task::spawn_blocking(move || process.ended(Duration::from_secs(5)));
    assert_eq!(ended.await.expect("ends").code(), Some(0));
    let sent = told.recv().await.expect("spans");
    let holds = |bytes: &[u8]| sent.windows(bytes.len()).any(|window| window == bytes);
    let trace = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128;
    assert!(holds(&trace.to_be_bytes()) && holds(&0xb7ad_6b71_6920_3331_u64.to_be_bytes()));
    for word in ["VerifyAndParse", "VARIANT_UNKNOWN", "_unknown", "payhook"] {
        assert!(holds(word.as_bytes()), "{word}");
    }
    assert!(!holds(b"sought") && !holds(b"secret body"));
}
